import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { eachTuple, type TupleBatch } from '../../lib/backup/batch.js';
import { type BackupItem, Counter } from '../../lib/backup/item.js';
import { archiveSink } from '../../lib/sinks/archive.js';
import { archiveSource } from '../../lib/sources/archive.js';
import type { Result } from '../support/cli.js';
import { fingerprint } from '../support/fingerprint.js';
import { raw } from '../support/hostile-data.js';
import { startServer, type TestServer } from '../support/server.js';
import { dump, tryRestore, withTarget } from './fidelity/roundtrip.js';

const ROWS = 3000;

const SOURCE = `
  box.schema.sequence.create('counter', {start = 77})
  box.sequence.counter:next()
  local space = box.schema.space.create('shelf', {format = {{'id', 'unsigned'}, {'name', 'string'}}})
  space:create_index('primary')
  space:create_index('by_name', {parts = {'name'}})
  box.begin()
  for i = 1, ${ROWS} do space:insert({i, 'row ' .. i}) end
  box.commit()
  box.schema.user.create('ann', {password = 'a'})
  box.schema.user.grant('ann', 'read', 'space', 'shelf')
  box.schema.user.grant('guest', 'read', 'space', 'shelf')
`;

/** Lua that runs \`lua\` on a space as soon as a restore has made it, before its rows come. */
const whenMade = (name: string, lua: string): string => `
  local fiber = require('fiber')
  fiber.create(function()
      while not (box.space['${name}'] and box.space['${name}'].index[0]) do
          fiber.sleep(0)
      end
      local space = box.space['${name}']
      ${lua}
  end)
`;

/** An archive with other rows in one space, and all sums right. */
async function forge(
  archive: Buffer,
  name: string,
  change: (tuples: Buffer[]) => Buffer[],
): Promise<Buffer> {
  async function* forged(): AsyncGenerator<BackupItem> {
    const counter = new Counter();
    for await (const item of archiveSource(Readable.from([archive]))) {
      if (item.kind === 'end') yield { ...item, counts: counter.counts };
      else if (item.kind === 'start') yield item;
      else {
        const tuples = [...eachTuple(item.bytes)];
        const bytes = Buffer.concat(item.space.name === name ? change(tuples) : tuples);
        const batch: TupleBatch = { ...item, count: [...eachTuple(bytes)].length, bytes };
        counter.add(batch);
        yield batch;
      }
    }
  }
  const chunks: Buffer[] = [];
  await pipeline(Readable.from(forged()), archiveSink({ level: 1 }), async (output) => {
    for await (const chunk of output) chunks.push(chunk);
  });
  return Buffer.concat(chunks);
}

describe('restore that fails half-way', () => {
  let source: TestServer;
  let archive: Buffer;
  before(async () => {
    source = await startServer({ lua: SOURCE });
    archive = await dump(source);
  });
  after(() => source.stop());

  /** Restores, which has to fail, and to have opened nothing up. */
  async function fails(
    what: { lua?: string; cfg?: Record<string, unknown>; archive?: Buffer } = {},
  ): Promise<Result> {
    const { lua, cfg = {} } = what;
    return withTarget(
      async (target) => {
        if (lua) await target.eval(lua);
        const { _priv: before } = await fingerprint(target, { system: true });
        const result = await tryRestore(target, what.archive ?? archive);
        equal(result.code, 1, result.stderr);
        match(result.stderr, /INCOMPLETE/);
        equal(result.stderr.trimEnd().split('\n').length, 2, result.stderr);
        const { _priv, _sequence_data } = await fingerprint(target, { system: true });
        deepEqual(_priv, before);
        equal(_sequence_data?.rows, 0);
        // and once more is no way out
        equal((await tryRestore(target, archive)).code, 4);
        return result;
      },
      { cfg },
    );
  }

  it('names space and key of a row that a trigger of the target refuses', async () => {
    const { stderr } = await fails({
      lua: whenMade(
        'shelf',
        `space:before_replace(function(old, new)
            if new[1] == 2000 then error('not this one') end
        end)`,
      ),
    });
    match(stderr, /space 'shelf', row \[2000\]: .*not this one/);
  });

  it('names space and key of a row that occurs twice', async () => {
    const twice = await forge(archive, 'shelf', (tuples) => [...tuples, tuples[41]!]);
    match((await fails({ archive: twice })).stderr, /space 'shelf', row \[42\]: Duplicate key/);
  });

  it('names space and key of a row that the format refuses', async () => {
    const wrong = await forge(archive, 'shelf', (tuples) => [
      ...tuples,
      raw.array16(raw.uint16(50_000), raw.uint16(1)),
    ]);
    match((await fails({ archive: wrong })).stderr, /space 'shelf', row \[50000\]: .*type/);
  });

  it('names the index that gets two rows with the same key', async () => {
    const same = await forge(archive, 'shelf', (tuples) => [
      ...tuples,
      raw.array16(raw.uint16(50_000), raw.str('row 7')),
    ]);
    const { stderr } = await fails({ archive: same });
    match(stderr, /index 'by_name' of space 'shelf': Duplicate key/);
  });

  it('names the space that exceeds the memory of the target', async () => {
    const large = await startServer({
      lua: `${SOURCE}
        for i = 10000, 10200 do space:insert({i, ('x'):rep(500000) .. i}) end`,
    });
    try {
      const { stderr } = await fails({
        cfg: { memtx_memory: 64 * 1024 * 1024 },
        archive: await dump(large),
      });
      match(stderr, /space 'shelf', row \[10\d+\]: Failed to allocate/);
    } finally {
      await large.stop();
    }
  });

  it('reports that a trigger of the target drops rows', async () => {
    const { stderr } = await fails({
      lua: whenMade(
        'shelf',
        `space:before_replace(function(old, new)
            if new[1] % 2 == 0 then return nil end
        end)`,
      ),
    });
    match(stderr, /space 'shelf'/);
  });

  it('reports that a trigger of the target adds rows', async () => {
    const { stderr } = await fails({
      lua: whenMade(
        'shelf',
        `space:on_replace(function(old, new)
            if new[1] == 1000 then space:insert({99999, 'one more'}) end
        end)`,
      ),
    });
    match(stderr, new RegExp(`space 'shelf': .*${ROWS}.*${ROWS + 1}`));
  });

  it('reports that a trigger of the target changes rows', async () => {
    const { stderr } = await fails({
      lua: whenMade(
        'shelf',
        `space:before_replace(function(old, new)
            return new:update({{'=', 2, new[2] .. ' changed'}})
        end)`,
      ),
    });
    match(stderr, /space 'shelf'/);
  });

  describe('shows the key of the refused row', () => {
    /** Parts and value of a key, as Lua. */
    const KEYS: Record<string, [part: string, value: string]> = {
      'a string that is no UTF-8': [`{1, 'string'}`, `'\\255\\254'`],
      'control characters': [`{1, 'string'}`, `'a\\27[2J\\nb\\0'`],
      'a long string': [`{1, 'string'}`, `('x'):rep(100000)`],
      'a decimal': [`{1, 'decimal'}`, `require('decimal').new('1.50')`],
      'a uuid': [`{1, 'uuid'}`, `require('uuid').new()`],
      'a double': [`{1, 'double'}`, '1.5'],
      infinity: [`{1, 'number'}`, '1 / 0'],
      'the largest integer': [`{1, 'unsigned'}`, '18446744073709551615ULL'],
    };
    let keys: Buffer;
    before(async () => {
      const server = await startServer();
      for (const [name, [part, value]] of Object.entries(KEYS)) {
        await server.eval(`
          box.schema.space.create('${name}'):create_index('primary', {parts = {${part}}})
          box.space['${name}']:insert({${value}})
        `);
      }
      keys = await dump(server);
      await server.stop();
    });

    for (const name of Object.keys(KEYS)) {
      it(name, async () => {
        await withTarget(async (target) => {
          await target.eval(
            whenMade(name, `space:before_replace(function() error('refused') end)`),
          );
          const { code, stderr } = await tryRestore(target, keys);
          equal(code, 1, stderr);
          match(stderr, new RegExp(`space '${name}', row \\[.*refused`));
          equal(stderr.trimEnd().split('\n').length, 2, stderr);
          ok(!stderr.includes('\x1b'));
          ok(stderr.length < 1000);
        });
      });
    }
  });
});
