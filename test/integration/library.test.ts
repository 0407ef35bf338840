import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import chain from 'stream-chain';
import {
  applyFilter,
  archiveSink,
  archiveSource,
  type BackupItem,
  Connection,
  cat,
  chooseSpaces,
  compose,
  copy,
  diff,
  dump,
  eachTuple,
  extract,
  filterStage,
  findDamage,
  list,
  parseUri,
  previewCopy,
  previewRestore,
  previewSalvage,
  ReportEvents,
  restore,
  type Stage,
  salvage,
  selectSource,
  serverSink,
  setEngine,
  snapshotSource,
  TntarError,
  Tuple,
  verify,
} from '../../lib/index.js';
import { blobRows, blobs } from '../cli/blobs.js';
import { isReleased } from '../cli/outcome.js';
import { readFixture } from '../fixtures/folder.js';
import { fingerprint } from '../support/fingerprint.js';
import { startProxy } from '../support/proxy.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';
import { withTarget } from './fidelity/roundtrip.js';

const MEGABYTES = 16;
const ROWS = blobRows(MEGABYTES) + 10;
const SOURCES = { snapshotSource, selectSource };

/** A writable that keeps what comes. */
class Kept extends Writable {
  readonly #chunks: Buffer[] = [];

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }
}

/** What takes nothing more after its first chunk. */
const stalled = (): Writable => new Writable({ write() {} });

async function archiveOf(stages: NodeJS.ReadableStream): Promise<Buffer> {
  const output = new Kept();
  await pipeline(stages, output);
  return output.bytes;
}

async function rowsIn(archive: Buffer): Promise<Record<string, number>> {
  const { spaces } = await verify(Readable.from([archive]));
  return Object.fromEntries(spaces.map(({ name, rows }) => [name, rows]));
}

describe('the library', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ lua: blobs(MEGABYTES) });
  });
  after(() => server.stop());

  it('closes a connection at the end of the block that uses it', async () => {
    let kept: Connection | undefined;
    {
      await using connection = await Connection.open(server.uri);
      kept = connection;
      equal(connection.lost, undefined);
    }
    match(String(kept.lost), /closed by tntar/);
  });

  it('takes a server as an address or as an object with an address', async () => {
    const { host, port } = parseUri(server.uri);
    const address = `${host}:${port}`;
    for (const given of [server.uri, { address, user: USER, password: PASSWORD }]) {
      await using connection = await Connection.open(given);
      deepEqual([connection.where, connection.user], [address, USER]);
    }
  });

  /** Runs `work` with a connection that is closed behind it. */
  async function connected<T>(
    work: (connection: Connection) => Promise<T>,
    uri = server.uri,
  ): Promise<T> {
    const connection = await Connection.open(parseUri(uri));
    try {
      return await work(connection);
    } finally {
      connection.close();
    }
  }

  for (const [name, source] of Object.entries(SOURCES)) {
    describe(`has ${name} as a stream, which`, () => {
      it('goes through a stage of the user into an archive, twice over one connection', () =>
        connected(async (connection) => {
          for (let time = 0; time < 2; time++) {
            const rows: Record<string, number> = {};
            const counting = (item: BackupItem): BackupItem => {
              if (item.kind !== 'tuples' || item.space.id < 512) return item;
              rows[item.space.name] = (rows[item.space.name] ?? 0) + item.count;
              return item;
            };
            const archive = await archiveOf(chain([source(connection), counting, archiveSink()]));
            const expected = { blobs: blobRows(MEGABYTES), few: 10 };
            deepEqual(rows, expected);
            deepEqual(await rowsIn(archive), expected);
          }
        }));

      it('is read at the pace of its slowest stage', () =>
        connected(async (connection) => {
          let batches = 0;
          const counting: Stage = (item) => {
            batches++;
            return item;
          };
          let taken = 0;
          const slow = async (item: BackupItem): Promise<BackupItem> => {
            await sleep(50);
            taken++;
            return item;
          };
          const stages = chain([source(connection), compose([counting]), slow], {
            highWaterMark: 1,
          });
          stages.resume();
          try {
            while (taken < 5) await sleep(10);
            ok(batches - taken < 30, `${batches} batches of more than 60, ${taken} taken`);
          } finally {
            stages.destroy();
          }
        }));

      it('ends with an abort, and its connection with it', () =>
        connected(async (connection) => {
          const abort = new AbortController();
          const { signal } = abort;
          const stages = chain([source(connection), (item: BackupItem) => item, archiveSink()]);
          const running = pipeline(stages, stalled(), { signal });
          await once(stages, 'data');
          abort.abort();
          await rejects(running, { name: 'AbortError' });
          await isReleased(server);
        }));

      it('ends with its own signal, and its connection with it', () =>
        connected(async (connection) => {
          const abort = new AbortController();
          const items = source(connection, { signal: abort.signal });
          await once(items, 'readable');
          abort.abort();
          await rejects(items.toArray(), { name: 'AbortError' });
          ok(connection.lost !== undefined);
          await isReleased(server);
        }));

      it('ends with the same error object that a stage throws', () =>
        connected(async (connection) => {
          const error = new Error('these are too large');
          const picky = (item: BackupItem): BackupItem => {
            if (item.kind === 'tuples' && item.space.name === 'blobs') throw error;
            return item;
          };
          const output = new Kept();
          const stages = chain([source(connection), picky, archiveSink()]);
          await rejects(pipeline(stages, output), (thrown) => thrown === error);
          await rejects(verify(Readable.from([output.bytes])), { kind: 'archive' });
          await isReleased(server);
        }));

      it('has the error of a connection that is lost', async () => {
        const proxy = await startProxy(server, { after: 3_000_000, fault: 'reset' });
        const uri = server.uri.replace(server.address, proxy.address);
        const lost = { name: 'TntarError', kind: 'failure', message: /^connection .* lost/ };
        await connected(async (connection) => {
          const stages = chain([source(connection), archiveSink()]);
          await rejects(pipeline(stages, new Kept()), lost);
          await rejects(source(connection).toArray(), lost);
        }, uri);
        await proxy.stop();
      });

      it('fails before its first item if the server refuses', async () => {
        await server.eval("box.schema.user.create('nobody', {password = 'n'})");
        await connected(async (connection) => {
          await rejects(once(source(connection), 'readable'), { kind: 'access' });
          equal(connection.lost, undefined);
        }, `nobody:n@${server.address}`);
        await server.eval("box.schema.user.drop('nobody')");
      });

      it('notices rows that a stage loses', () =>
        connected(async (connection) => {
          const losing = (item: BackupItem): BackupItem | undefined =>
            item.kind === 'tuples' && item.space.name === 'few' ? undefined : item;
          const stages = chain([source(connection), losing, archiveSink()]);
          await rejects(pipeline(stages, new Kept()), {
            kind: 'failure',
            message: /rows were lost/,
          });
        }));
    });
  }

  describe('reads an archive', () => {
    let archive: Buffer;
    before(async () => {
      archive = await connected((connection) =>
        archiveOf(snapshotSource(connection).pipe(archiveSink({ level: 3 }))),
      );
    });

    it('row by row', async () => {
      const names: unknown[] = [];
      for await (const item of archiveSource(Readable.from([archive]))) {
        if (item.kind !== 'tuples' || item.space.name !== 'few') continue;
        for (const raw of eachTuple(item.bytes)) names.push(new Tuple(raw).get(1));
      }
      deepEqual(
        names,
        Array.from({ length: 10 }, (_, i) => `row ${i + 1}`),
      );
    });

    it('only as far as the reader wants', async () => {
      let chunks = 0;
      const input = Readable.from(
        (async function* () {
          for (let pos = 0; pos < archive.length; pos += 65536) {
            chunks++;
            yield archive.subarray(pos, pos + 65536);
          }
        })(),
      );
      for await (const item of archiveSource(input)) if (item.kind === 'tuples') break;
      ok(input.destroyed && chunks < archive.length / 65536 / 2, `${chunks} chunks`);
    });

    it('up to its error', async () => {
      const cut = archiveSource(Readable.from([archive.subarray(0, archive.length / 2)]));
      const stages = chain([cut, compose([(item) => item])]);
      await rejects(pipeline(stages, archiveSink(), new Kept()), (error) => {
        ok(error instanceof TntarError);
        return error.kind === 'archive';
      });
    });

    it('through filters into another archive, which can be restored', async () => {
      const shout = applyFilter(
        (space, tuple) =>
          space.name === 'few' ? tuple.set(1, String(tuple.get(1)).toUpperCase()) : tuple,
        'shout',
      );
      const stages = chain([
        archiveSource(Readable.from([archive])),
        filterStage(chooseSpaces({ only: ['few'] })),
        filterStage(shout),
        filterStage(setEngine('vinyl')),
        archiveSink(),
      ]);
      const changed = await archiveOf(stages);
      deepEqual(await rowsIn(changed), { few: 10 });
      await withTarget(async (target) => {
        await restore(Readable.from([changed]), parseUri(target.uri));
        deepEqual(await target.eval('return {box.space.few.engine, box.space.few:get({3})[2]}'), [
          'vinyl',
          'ROW 3',
        ]);
      });
    });
  });

  describe('has a sink', () => {
    it('that takes rows from the source of another server, without an archive in between', () =>
      connected((connection) =>
        withTarget(async (target) => {
          const there = await Connection.open(parseUri(target.uri));
          try {
            const sink = serverSink(there);
            const few = filterStage(chooseSpaces({ only: ['few'] }));
            await pipeline(chain([snapshotSource(connection), few]), sink);
            const { made, confirmed, spaces } = sink.applied;
            deepEqual([made, confirmed, spaces.get('few')?.confirmed], [["space 'few'"], 10, 10]);
            equal(await target.eval('return box.space.few:count()'), 10);
          } finally {
            there.close();
          }
        }),
      ));

    it('that fails as a restore does, and writes nothing', () =>
      connected((connection) =>
        withTarget(async (target) => {
          await target.eval(`box.schema.space.create('few')`);
          const there = await Connection.open(parseUri(target.uri));
          try {
            const sink = serverSink(there, { existing: 'error' });
            const error = { kind: 'target', message: /space 'few' already exists/ };
            await rejects(pipeline(snapshotSource(connection), sink), error);
            equal(sink.applied.definitions, 0);
          } finally {
            there.close();
          }
        }),
      ));
  });

  describe('has promises', () => {
    it('of a copy, with events of progress', async () => {
      const report = new ReportEvents();
      const seen: number[] = [];
      const notes: string[] = [];
      report.on('progress', ({ rows }) => seen.push(rows));
      report.on('note', (line) => notes.push(line));
      const output = new Kept();
      const { rows } = await dump(parseUri(server.uri), output, { report });
      equal(rows, ROWS);
      equal(seen.at(-1), ROWS);
      ok(seen.length > MEGABYTES);
      ok(notes.some((line) => line.startsWith('reading from a snapshot')));
      await withTarget(async (target) => {
        await restore(Readable.from([output.bytes]), parseUri(target.uri), { report });
        deepEqual(await fingerprint(target), await fingerprint(server));
      });
      equal(seen.at(-1), ROWS);
    });

    it('that a signal rejects with its reason, at any point before the first write', async () => {
      const reason = new Error('nobody wants it any more');
      const isReason = (error: unknown): boolean => error === reason;
      const signal = AbortSignal.abort(reason);
      const target = parseUri(server.uri);
      await rejects(dump(target, new Kept(), { signal }), isReason);
      await rejects(verify(Readable.from([]), { signal }), isReason);
      await rejects(restore(Readable.from([]), target, { signal }), isReason);
      await rejects(previewRestore(Readable.from([]), target, { signal }), isReason);
      const blob = new Blob([readFixture('2.6.0-plain.tar.zst')]);
      const never = join(tmpdir(), `tntar-never-${process.pid}`);
      for (const stopped of [
        () => copy(target, target, { signal }),
        () => previewCopy(target, target, { signal }),
        () => list(blob, { signal }),
        () => cat(blob, new Kept(), { space: 'plain', signal }),
        () => diff({ archive: blob }, { server: target }, { signal }),
        () => extract(blob, never, { signal }),
        () => findDamage(blob, { signal }),
        () => salvage(blob, target, { signal }),
        () => previewSalvage(blob, target, { signal }),
      ]) {
        await rejects(stopped, isReason, String(stopped));
      }
      equal(existsSync(never), false);
      const abort = new AbortController();
      const report = new ReportEvents();
      report.once('progress', () => abort.abort(reason));
      const output = new Kept();
      await rejects(dump(target, output, { report, signal: abort.signal }), isReason);
      await rejects(verify(Readable.from([output.bytes])), { kind: 'archive' });
      await isReleased(server);
    });

    it('that a signal rejects with what was written if a restore has begun', async () => {
      const output = new Kept();
      await dump(parseUri(server.uri), output);
      await withTarget(async (target) => {
        const abort = new AbortController();
        const { signal } = abort;
        // never ends
        const input = new Readable({ read() {} });
        input.push(output.bytes.subarray(0, -1));
        const restored = restore(input, parseUri(target.uri), { signal });
        const isRejected = rejects(restored, { name: 'TntarError', message: /INCOMPLETE/ });
        while (await target.eval('return box.space.few == nil')) await sleep(20);
        abort.abort();
        await isRejected;
        await isReleased(target);
      });
    });

    it('that an invalid level rejects before any request', async () => {
      for (const level of [0, 20, 1.5, Number.NaN]) {
        const wrong = { kind: 'usage', message: /from 1 to 19/ };
        await rejects(dump({ host: '127.0.0.1', port: 1 }, new Kept(), { level }), wrong);
      }
    });
  });
});
