import { deepEqual, equal, match } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Result, tntar } from '../support/cli.js';
import { imprint } from '../support/fingerprint.js';
import { type ServerOptions, startServer, type TestServer } from '../support/server.js';
import { dump, withTarget } from './fidelity/roundtrip.js';

const MIB = 1024 * 1024;
/** The least that all servers take. */
const SMALL = { cfg: { memtx_memory: 64 * MIB } };
const LARGE_ROWS = `
  for engine, name in pairs({memtx = 'big', vinyl = 'deep'}) do
    box.schema.space.create(name, {engine = engine}):create_index('primary')
    box.space[name]:insert({1, ('x'):rep(1500000)})
  end
`;
/** Some 45 MB in 45 rows, and what others on the target have. */
const MANY_ROWS = `
  box.schema.space.create('many'):create_index('primary')
  for i = 1, 45 do box.space.many:insert({i, ('x'):rep(1000000)}) end
`;

describe('a target that has no room', () => {
  let folder: string;
  const files = new Map<string, string>();
  let large: TestServer;
  let many: TestServer;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-capacity-'));
    const cfg = { memtx_max_tuple_size: 4 * MIB, vinyl_max_tuple_size: 4 * MIB };
    large = await startServer({ cfg, lua: LARGE_ROWS });
    many = await startServer({ lua: MANY_ROWS });
    for (const [name, server] of Object.entries({ large, many })) {
      const file = join(folder, `${name}.tar.zst`);
      writeFileSync(file, await dump(server));
      files.set(name, file);
    }
  });
  after(async () => {
    await Promise.all([large?.stop(), many?.stop()]);
    rmSync(folder, { recursive: true });
  });

  const restore = (target: TestServer, name: string, ...args: string[]): Promise<Result> =>
    tntar(['restore', target.uri, '-i', files.get(name)!, ...args]);

  /** Runs something that has to be refused before anything is written or dropped. */
  async function refused(
    run: (target: TestServer) => Promise<Result>,
    told: RegExp,
    options: ServerOptions = {},
  ): Promise<void> {
    await withTarget(async (target) => {
      const before = await imprint(target);
      const result = await run(target);
      equal(result.code, 4, result.stderr);
      match(result.stderr, told);
      match(result.stderr, /in box\.cfg of the target; nothing was written/);
      deepEqual(await imprint(target), before);
    }, options);
  }

  it('for a row is refused before the first write, and the error names the settings of both engines', () =>
    refused(
      (target) => restore(target, 'large'),
      /space 'big': a row has 1500\d{3} bytes.*memtx_max_tuple_size.*space 'deep'.*vinyl_max_tuple_size/,
    ));

  it('for a row is refused before a drop', () =>
    refused((target) => restore(target, 'large', '--existing', 'drop'), /memtx_max_tuple_size/, {
      lua: `for _, name in ipairs({'big', 'deep'}) do
        box.schema.space.create(name):create_index('primary')
        box.space[name]:insert({7})
      end`,
    }));

  it('for a row is refused by a dry run', () =>
    refused((target) => restore(target, 'large', '--dry-run'), /memtx_max_tuple_size/));

  it('for a row of memtx is refused by a copy', () =>
    refused(
      (target) => tntar(['copy', large.uri, target.uri, '--existing', 'drop']),
      /space 'big': a row has 1500\d{3} bytes.*memtx_max_tuple_size/,
      { lua: `box.schema.space.create('big'):create_index('primary') box.space.big:insert({7})` },
    ));

  it('for a row of vinyl gets a warning from a copy, which reads the rows only once', async () => {
    await withTarget(async (target) => {
      const { stderr } = await tntar(['copy', large.uri, target.uri, '--space', 'deep']);
      match(
        stderr,
        /warning: the source allows rows of vinyl of up to 4194304 bytes, .* 1048576 \(vinyl_max_/,
      );
      match(stderr, /\nhint: raise vinyl_max_tuple_size in box\.cfg of the target/);
    });
  });

  it('for a row from a pipe fails at this row, and the hint names the setting', async () => {
    await withTarget(async (target) => {
      const input = await dump(large);
      const { stderr } = await tntar(['restore', target.uri, '--space', 'big'], { input });
      match(stderr, /space 'big', row \[1\]: .* \(server error 110\); the restore is INCOMPLETE/);
      match(stderr, /hint: raise memtx_max_tuple_size in box\.cfg of the target; /);
    });
  });

  it('takes the row after its settings are raised', async () => {
    const cfg = { memtx_max_tuple_size: 2 * MIB, vinyl_max_tuple_size: 2 * MIB };
    await withTarget(
      async (target) => {
        const { code, stderr } = await restore(target, 'large');
        equal(code, 0, stderr);
      },
      { cfg },
    );
  });

  it('in memory is refused before the first write, and by a copy', async () => {
    const lua = `box.schema.space.create('other'):create_index('primary')
      for i = 1, 25 do box.space.other:insert({i, ('x'):rep(1000000)}) end`;
    const told =
      /rows of memtx need more than 45\d{6} bytes of memory, and the target has .* \(memtx_memory\)/;
    const options = { ...SMALL, lua };
    await refused((target) => restore(target, 'many'), told, options);
    await refused((target) => tntar(['copy', many.uri, target.uri]), told, options);
  });

  for (const existing of ['drop', 'truncate', 'replace']) {
    it(`in memory has room again with --existing ${existing}`, async () => {
      await withTarget(
        async (target) => {
          const { code, stderr } = await restore(target, 'many', '--existing', existing);
          equal(code, 0, stderr);
          equal(await target.eval('return box.space.many:len()'), 45);
        },
        { cfg: { memtx_memory: 128 * MIB }, lua: MANY_ROWS },
      );
    });
  }

  it('is filled without a check if the user may not read its settings', async () => {
    await withTarget(
      async (target) => {
        await target.eval(`
          box.schema.user.create('ann', {password = 'a'})
          box.schema.user.grant('ann', 'read,write,create', 'universe')`);
        const uri = target.uri.replace(/^.*@/, 'ann:a@');
        const { code, stderr } = await tntar(['restore', uri, '-i', files.get('many')!]);
        equal(code, 0, stderr);
      },
      { cfg: { memtx_memory: 128 * MIB } },
    );
  });
});
