import { deepEqual, ok } from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { TntarError } from '../../lib/base/errors.js';
import { maskFields } from '../../lib/filters/mask.js';
import { parseMask } from '../../lib/filters/mask-spec.js';
import { parseUri } from '../../lib/iproto/uri.js';
import { dump } from '../../lib/pipelines/dump.js';
import { restore } from '../../lib/pipelines/restore.js';
import { startTarget } from '../integration/fidelity/roundtrip.js';
import { startServer, type TestServer } from '../support/server.js';
import { holds } from './runs.js';

/** In Lua; most have a twin of another type, which an index takes for the same. */
const NUMBERS = [
  ...['0', '2', '-7', '9007199254740993ULL', '18446744073709551615ULL', '-9223372036854775807LL'],
  ...['2.5', '0.1', '-0.5', 'double(2)', 'double(-7)', 'double(2^63)', 'float(2.5)', '1e300'],
  ...["decimal('2.00')", "decimal('2.5')", "decimal('-7')", "decimal('0.1')", "decimal('1e20')"],
];
const OTHERS = [
  ...["''", "'ann'", "'Ann'", "'\\xff'", "'2'", 'box.NULL'],
  "uuid('64d22e4d-ac92-4a23-899a-e59f34af5479')",
];
/** Without a hash. */
const HASHLESS = ['true', 'false', "{a = 'x'}", "{'x'}", "{{a = 'x'}}"];
const listOf = (from: readonly string[]): fc.Arbitrary<string[]> =>
  fc.shuffledSubarray([...from], { minLength: 1 });
const values = fc.oneof(
  { weight: 3, arbitrary: listOf(NUMBERS) },
  { weight: 2, arbitrary: listOf([...NUMBERS, ...OTHERS]) },
  { weight: 1, arbitrary: listOf([...NUMBERS, ...OTHERS, ...HASHLESS]) },
);
const TYPES = [
  ...[
    'any',
    'scalar',
    'number',
    'any',
    'scalar',
    'number',
    'unsigned',
    'integer',
    'double',
    'decimal',
    'string',
    'boolean',
  ],
  ...['uuid', 'map', 'array'],
];
const MASKS = [
  'hash',
  'null',
  ...['5', '-1', '1.5', 'x', 'true', ''].map((text) => `fixed:${text}`),
];

/** Makes the space with those values that it takes; false where the server refuses the space. */
const MAKE = `
  local type, is_nullable, index, values = ...
  local ffi = require('ffi')
  local known = {decimal = require('decimal').new, uuid = require('uuid').fromstr, box = box,
      double = function(n) return ffi.cast('double', n) end,
      float = function(n) return ffi.cast('float', n) end}
  if box.space.m then box.space.m:drop() end
  local is_made = pcall(function()
    local space = box.schema.space.create('m',
        {format = {{'id', 'unsigned'}, {name = 'v', type = type, is_nullable = is_nullable}}})
    space:create_index('pk')
    if next(index) ~= nil then
      local part = {2, index.type, path = index.path, is_nullable = index.is_nullable}
      space:create_index('v', {unique = index.unique, parts = {part}})
    end
  end)
  if not is_made then return false end
  for i, value in ipairs(values) do
    pcall(box.space.m.insert, box.space.m, {i, setfenv(assert(loadstring('return ' .. value)), known)()})
  end
  return true`;

/** The bytes of each value by id, and for each pair whether an index takes both for the same. */
const LOOK = `
  local bytes, same = {}, {}
  local key = require('key_def').new({{fieldno = 2, type = 'scalar', is_nullable = true}})
  local rows = box.space.m:select()
  for _, a in ipairs(rows) do
    bytes[tostring(a[1])] = require('msgpack').encode(a:totable(2, 2)):hex()
    for _, b in ipairs(rows) do
      local ok, order = pcall(key.compare, key, a, b)
      table.insert(same, ok and order == 0)
    end
  end
  return {bytes = bytes, same = same}`;
interface Look {
  bytes: Record<string, string>;
  same: boolean[];
}
/** An array of one null. */
const NULL = '91c0';

const index = fc.option(
  fc.record({
    type: fc.constantFrom(...TYPES.filter((type) => type !== 'any' && type !== 'map')),
    path: fc.oneof(
      { weight: 9, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom('a', '[1]', '[*].a') },
    ),
    is_nullable: fc.boolean(),
    unique: fc.boolean(),
  }),
  { nil: {}, freq: 2 },
);

describe('any mask', () => {
  let source: TestServer;
  let target: TestServer;
  before(async () => {
    [source, target] = await Promise.all([startServer(), startTarget()]);
  });
  after(async () => {
    await Promise.all([source, target].map((server) => server?.stop()));
  });

  async function masked(mask: string): Promise<Buffer | undefined> {
    const output = new PassThrough();
    const bytes = buffer(output);
    bytes.catch(() => {});
    try {
      const filters = [maskFields([parseMask(`m.v=${mask}`)])];
      await dump(parseUri(source.uri), output, { filters });
      return await bytes;
    } catch (error) {
      const isRefused = error instanceof TntarError && /^mask|has no hash/.test(error.message);
      if (isRefused) return undefined;
      throw error;
    }
  }

  const seen = { hash: 0, fixed: 0, null: 0, refused: 0 };
  holds(
    'is refused, or leaves no original value, can be restored, and keeps different keys of an index different',
    60,
    fc.asyncProperty(
      fc.constantFrom(...TYPES),
      fc.boolean(),
      index,
      values,
      fc.constantFrom('hash', 'hash', 'hash', ...MASKS),
      async (type, isNullable, given, list, mask) => {
        fc.pre(await source.eval<boolean>(MAKE, type, isNullable, given, list));
        const before = await source.eval<Look>(LOOK);
        const archive = await masked(mask);
        if (archive === undefined) {
          seen.refused++;
          return;
        }
        await restore(PassThrough.from([archive]), parseUri(target.uri), { existing: 'drop' });
        const after = await target.eval<Look>(LOOK);
        const ids = Object.keys(before.bytes);
        deepEqual(Object.keys(after.bytes), ids);
        for (const id of ids) {
          const [old, now] = [before.bytes[id], after.bytes[id]];
          if (old === NULL) deepEqual(now, NULL);
          else if (mask === 'null') deepEqual(now, NULL);
          else if (mask === 'hash') ok(now !== old, `row ${id} still has ${now}`);
        }
        if (mask === 'hash') deepEqual(after.same, before.same);
        const kind = mask.split(':', 1)[0] as keyof typeof seen;
        seen[kind]++;
      },
    ),
    (tries) => {
      ok(tries < 50 || (seen.hash > 0 && seen.fixed > 0), JSON.stringify(seen));
    },
  );
});
