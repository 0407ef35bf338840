import { deepEqual, ok } from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { TntarError } from '../../lib/base/errors.js';
import type { Connection } from '../../lib/iproto/connection.js';
import { RequestType } from '../../lib/iproto/constants.js';
import { store } from '../../lib/iproto/requests.js';
import { parseUri } from '../../lib/iproto/uri.js';
import { dump } from '../../lib/pipelines/dump.js';
import { restore } from '../../lib/pipelines/restore.js';
import { connect, SOURCES, startTarget, stateOf } from '../integration/fidelity/roundtrip.js';
import { startServer, type TestServer } from '../support/server.js';
import { EMPTY, MAKE, type Space, spaces } from './databases.js';
import { holds } from './runs.js';

/** Databases, of up to 16 spaces each. */
const DATABASES = 40;

/** `ER_TUPLE_FOUND` of the server's `src/box/errcode.h`: another row has the key. */
const TUPLE_FOUND = 3;

/** Stores the rows but those that an index has no place for. */
async function fill(connection: Connection, id: number, { rows }: Space): Promise<number> {
  let stored = 0;
  for (const row of rows) {
    try {
      await connection.request(
        store(RequestType.REPLACE, id, row.raw),
        `store ${row.raw.toString('hex')}`,
      );
      stored++;
    } catch (error) {
      if (!(error instanceof TntarError) || error.serverCode !== TUPLE_FOUND) throw error;
    }
  }
  return stored;
}

describe('any database', () => {
  let source: TestServer;
  let target: TestServer;
  let writer: Connection;
  before(async () => {
    [source, target] = await Promise.all([startServer(), startTarget()]);
    writer = await connect(source);
  });
  after(async () => {
    writer?.close();
    await Promise.all([source, target].map((server) => server?.stop()));
  });

  /** Dumps the source and restores the target, in this process. */
  async function copy(how: (typeof SOURCES)[number]): Promise<void> {
    const output = new PassThrough();
    const [archive] = await Promise.all([
      buffer(output),
      dump(parseUri(source.uri), output, { source: how }),
    ]);
    await restore(PassThrough.from([archive]), parseUri(target.uri));
  }

  const compared = { spaces: 0, rows: 0 };
  holds(
    'is the same after dump and restore, to the byte',
    DATABASES,
    fc
      .asyncProperty(
        spaces,
        fc.constantFrom(...SOURCES),
        fc.boolean(),
        async (given, how, isOnDisk) => {
          const definitions = given.map(({ rows: _, ...definition }) => definition);
          const ids = await source.eval<number[]>(MAKE, definitions);
          for (const [i, id] of ids.entries()) compared.rows += await fill(writer, id, given[i]!);
          if (isOnDisk) await source.eval('box.snapshot()');
          await copy(how);
          const isAlike = source.version === target.version;
          const [expected, restored] = await Promise.all(
            [source, target].map((server) => stateOf(server, isAlike)),
          );
          deepEqual(restored, expected);
          compared.spaces += given.length;
        },
      )
      .beforeEach(async () => {
        await Promise.all([source, target].map((server) => server.eval(EMPTY)));
      }),
    (tries) => {
      const { spaces, rows } = compared;
      ok(spaces >= tries && rows >= spaces, `${spaces} spaces with ${rows} rows were compared`);
    },
  );
});
