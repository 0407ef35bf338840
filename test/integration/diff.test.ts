import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DiffResult } from '../../lib/pipelines/diff-options.js';
import { type Result, tntar } from '../support/cli.js';
import { pack } from '../support/msgpack.js';
import { startServer, type TestServer } from '../support/server.js';
import { isAtLeast, putRaw } from './fidelity/roundtrip.js';

/** A space of each kind that rows are paired in another way in. */
const SPACES = `
  for _, engine in pairs({'memtx', 'vinyl'}) do
    local tree = box.schema.space.create(engine, {engine = engine})
    tree:create_index('pk', {parts = {{2, 'string'}, {1, 'unsigned'}}})
    for i = 1, 3000 do tree:insert{i, 'group ' .. i % 7, ('x'):rep(i % 100), i} end
  end
  local hash = box.schema.space.create('hash')
  hash:create_index('pk', {type = 'hash', parts = {{1, 'string'}}})
  for i = 1, 3000 do hash:insert{'key ' .. i, i} end
  local words = box.schema.space.create('words')
  words:create_index('pk', {parts = {{1, 'string', collation = 'unicode_ci'}}})
  for i = 1, 3000 do words:insert{(i % 2 == 0 and 'Word ' or 'word ') .. i, i} end
  local inside = box.schema.space.create('inside')
  inside:create_index('pk', {parts = {{2, 'integer', path = 'deep.id'}}})
  for i = -500, 500 do inside:insert{'row', {deep = {id = i}}, i} end
  local numbers = box.schema.space.create('numbers')
  numbers:create_index('pk', {parts = {{1, 'number'}}})
  for i = -500, 500 do numbers:insert{i % 3 == 0 and i or i / 8 + 0.001, i} end
  box.schema.space.create('empty'):create_index('pk')`;

const CHANGE = `
  for _, name in pairs({'memtx', 'vinyl'}) do
    box.space[name]:delete{'group 3', 10} box.space[name]:delete{'group 0', 7}
    box.space[name]:replace{3001, 'group 9', 'new', 1}
    box.space[name]:update({'group 5', 12}, {{'=', 4, 'another'}})
  end
  box.space.hash:delete{'key 7'} box.space.hash:insert{'more', 1} box.space.hash:replace{'key 8', 'another'}
  box.space.words:delete{'word 7'} box.space.words:insert{'zzz', 1} box.space.words:replace{'word 9', 'another'}
  box.space.inside:delete{-499} box.space.inside:insert{'row', {deep = {id = 501}}, 1}
  box.space.inside:replace{'row', {deep = {id = 5}}, 'another'}
  box.space.numbers:delete{3} box.space.numbers:insert{1000.5, 1} box.space.numbers:replace{0, 'another'}
  box.space.empty:insert{1}`;

/** A line about the rows of a space, of each that has not the same on both sides. */
const CHANGED: Record<string, [removed: number, added: number, changed: number, equal: number]> = {
  memtx: [2, 1, 1, 2997],
  vinyl: [2, 1, 1, 2997],
  hash: [1, 1, 1, 2998],
  words: [1, 1, 1, 2998],
  inside: [1, 1, 1, 999],
  numbers: [1, 1, 1, 999],
  empty: [0, 1, 0, 0],
};

/**
 * Rows whose keys a client wrote in several ways. Some servers take an int64 of 2^59 and more for something
 * greater than it is.
 *
 * @param isChanged - true for rows of which some are missing, and some have another text
 */
function oddRows(isChanged: boolean): Buffer[] {
  const keys = Array.from({ length: 300 }, (_, key) => key);
  const kept = isChanged ? keys.filter((key) => key % 50 !== 7) : keys;
  return kept.map((key) => {
    const long = Buffer.alloc(9, key % 2 === 0 ? 0xcf : 0xd3);
    long.writeBigUInt64BE(BigInt(key) + (key % 4 === 0 ? 0n : 2n ** 59n), 1);
    const text = isChanged && key % 10 === 0 ? 'another' : 'same';
    return Buffer.concat([Buffer.of(0x92), key % 3 === 0 ? pack(key) : long, pack(text)]);
  });
}

describe('tntar diff', () => {
  let folder: string;
  let server: TestServer;
  const file = (name: string): string => join(folder, name);
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-diff-'));
    server = await startServer({ lua: SPACES });
    for (const source of ['snapshot', 'select']) {
      const args = ['dump', server.uri, '-q', '--source', source, '-o', file(`${source}.tar.zst`)];
      equal((await tntar(args)).code, 0);
    }
    await server.eval(CHANGE);
    equal((await tntar(['dump', server.uri, '-q', '-o', file('changed.tar.zst')])).code, 0);
  });
  after(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function counts(...args: string[]): Promise<typeof CHANGED> {
    const { code, stdout, stderr } = await tntar(['diff', ...args, '--json', '-q']);
    equal(code, 1, stderr);
    const { spaces, isEqual } = JSON.parse(String(stdout)) as DiffResult;
    equal(isEqual, false);
    return Object.fromEntries(
      spaces.map(({ name, removed, added, changed, equal: same }) => [
        name,
        [removed, added, changed, same],
      ]),
    );
  }

  const isEqual = ({ code, stdout, stderr }: Result): void => {
    equal(code, 0, `${stdout}${stderr}`);
    match(String(stdout), /^equal: [\d,]+ rows?\n$/);
  };

  it('finds no difference between archives that were read in two ways', async () => {
    isEqual(await tntar(['diff', file('snapshot.tar.zst'), file('select.tar.zst')]));
  });

  it('finds no difference between an archive and its server', async () => {
    isEqual(await tntar(['diff', file('changed.tar.zst'), server.uri]));
    isEqual(await tntar(['diff', server.uri, file('changed.tar.zst')]));
  });

  it('counts removed, added and changed rows in every kind of space', async () => {
    deepEqual(await counts(file('snapshot.tar.zst'), server.uri), CHANGED);
    deepEqual(await counts(file('select.tar.zst'), server.uri), CHANGED);
    deepEqual(await counts(file('select.tar.zst'), file('changed.tar.zst'), '--sort'), CHANGED);
  });

  it('swaps added and removed rows if the sides are swapped', async () => {
    const turned = Object.entries(CHANGED).map(([name, [removed, added, ...rest]]) => [
      name,
      [added, removed, ...rest],
    ]);
    deepEqual(await counts(server.uri, file('snapshot.tar.zst')), Object.fromEntries(turned));
  });

  it('shows rows', async () => {
    const args = [
      'diff',
      file('snapshot.tar.zst'),
      server.uri,
      '--space',
      'inside',
      '--rows',
      '-q',
    ];
    const { code, stdout } = await tntar(args);
    equal(code, 1);
    deepEqual(String(stdout).split('\n'), [
      "rows of 'inside':",
      '- ["row",{"deep":{"id":-499}},-499]',
      '- ["row",{"deep":{"id":5}},5]',
      '+ ["row",{"deep":{"id":5}},"another"]',
      '+ ["row",{"deep":{"id":501}},1]',
      "~ rows of 'inside': 1 removed, 1 added, 1 changed, 999 equal",
      'different: 0 definitions, rows of 1 space',
      '',
    ]);
  });

  it('compares rows with those of a side that was restored under another engine and other ids', async () => {
    const target = await startServer({
      lua: `for i = 1, 9 do box.schema.space.create('x' .. i) end`,
    });
    try {
      const from = file('snapshot.tar.zst');
      const args = [
        'restore',
        target.uri,
        '-i',
        from,
        '-q',
        '--engine',
        'vinyl',
        '--exclude',
        'hash',
      ];
      equal((await tntar(args)).code, 0);
      const { code, stdout, stderr } = await tntar(['diff', from, target.uri, '--exclude', 'x*']);
      equal(code, 1, stderr);
      const lines = String(stdout).split('\n');
      for (const name of ['memtx', 'words', 'numbers']) {
        ok(lines.includes(`~ space '${name}': engine memtx -> vinyl`), String(stdout));
      }
      ok(lines.includes("- space 'hash'"));
      ok(lines.includes("~ rows of 'hash': 3,000 removed, 0 added, 0 changed, 0 equal"));
      equal(lines.filter((line) => line.includes('rows of')).length, 2);
    } finally {
      await target.stop();
    }
  });

  it('leaves no temporary file', async () => {
    const place = mkdtempSync(join(folder, 'tmp-'));
    const args = ['diff', file('snapshot.tar.zst'), server.uri, '--sort', '-q'];
    equal((await tntar(args, { env: { TMPDIR: place } })).code, 1);
    deepEqual(readdirSync(place), []);
  });

  it('names the damaged side', async () => {
    writeFileSync(file('damaged.tar.zst'), 'this is no archive');
    const { code, stdout, stderr } = await tntar(['diff', server.uri, file('damaged.tar.zst')]);
    deepEqual([code, String(stdout)], [3, '']);
    match(stderr, /^tntar: B \(.*damaged\.tar\.zst\): /m);
  });

  it('pairs rows whose keys the server may keep in no order', async () => {
    const lua = `box.schema.space.create('odd'):create_index('pk', {parts = {{1, 'integer'}}})`;
    const [a, b] = await Promise.all([startServer({ lua }), startServer({ lua })]);
    try {
      for (const [i, each] of [a, b].entries()) {
        await putRaw(each, 'odd', oddRows(i === 1));
      }
      deepEqual(await counts(a.uri, b.uri), { odd: [6, 0, 30, 264] });
    } finally {
      await Promise.all([a.stop(), b.stop()]);
    }
  });

  it('pairs rows with large integers in fields of type double, which some servers round', async function () {
    if (!isAtLeast(server, '2.11.1')) return this.skip();
    const lua = (left: string): string => `
      local space = box.schema.space.create('large')
      space:create_index('pk', {parts = {{1, 'double'}, {2, 'string'}}})
      for i = 1, 300 do
        space:insert{2^53 + 4ULL * i, 'second of what is one double'}
        if ${left} then space:insert{2^53 + 4ULL * i + 1, 'first'} end
      end`;
    const [a, b] = await Promise.all(
      ['true', 'i % 10 > 0'].map((left) => startServer({ lua: lua(left) })),
    );
    try {
      deepEqual(await counts(a!.uri, b!.uri), { large: [30, 0, 0, 570] });
    } finally {
      await Promise.all([a!.stop(), b!.stop()]);
    }
  });

  it('reads keys in descending order', async function () {
    if (!isAtLeast(server, '3.0')) return this.skip();
    const lua = (last: number): string => `
      local space = box.schema.space.create('down')
      space:create_index('pk', {parts = {{1, 'unsigned', sort_order = 'desc'}, {2, 'string'}}})
      for i = 1, ${last} do space:insert{i % 100, 'row ' .. i} end`;
    const [a, b] = await Promise.all([1000, 1001].map((last) => startServer({ lua: lua(last) })));
    try {
      deepEqual(await counts(a!.uri, b!.uri), { down: [0, 1, 0, 1000] });
    } finally {
      await Promise.all([a!.stop(), b!.stop()]);
    }
  });
});
