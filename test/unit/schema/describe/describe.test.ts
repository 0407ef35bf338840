import { equal } from 'node:assert/strict';
import { Describer } from '../../../../lib/schema/describe/describe.js';
import { decode, type Value } from '../../../../lib/tuple/codec.js';
import { type Plain, pack } from '../../../support/msgpack.js';
import { BUILTIN_USERS, catalogOf, spaceRow } from '../catalogs.js';

const VIEW = spaceRow(513, 'v', { flags: { view: true, sql: 'CREATE VIEW "v" AS SELECT 1' } });
const BACKUP = catalogOf({
  276: [[300, 'german', 1]],
  280: [spaceRow(512, 's'), VIEW],
  284: [[1, 1, 'ids']],
  296: [[66, 32, 'f', 1, 'LUA', 'function() end']],
  304: [
    [32, 1, 'ann', 'user', {}],
    [33, 1, 'clerk', 'role', {}],
  ],
});
const TARGET = catalogOf({
  280: [spaceRow(280, '_space'), spaceRow(512, 'theirs')],
  304: [...BUILTIN_USERS, [32, 1, 'their user', 'user', {}]],
});

function rowOf(row: readonly Plain[]): { raw: Buffer; fields: Value[] } {
  const raw = pack(row);
  return { raw, fields: decode(raw) as Value[] };
}

describe('Describer', () => {
  const describer = new Describer(BACKUP, TARGET);
  for (const [spaceId, row, expected] of [
    [272, ['oncemine'], "mark 'oncemine'"],
    [276, [300, 'german', 1], "collation 'german'"],
    [280, spaceRow(512, 's'), "space 's'"],
    [280, VIEW, "view 'v'"],
    [284, [1, 1, 'ids'], "sequence 'ids'"],
    [285, [1, 7], "value of sequence 'ids'"],
    [288, [512, 1, 'by_name'], "index 'by_name' of space 's'"],
    [288, [999, 1, 'by_name'], "index 'by_name' of space 999"],
    [296, [66, 32, 'f', 0, 'C', ''], "function 'f' (C)"],
    [296, [66, 32, 'f', 1, 'LUA', ''], "function 'f' (LUA, which runs as user 'ann')"],
    [304, [33, 1, 'clerk', 'role', {}], "role 'clerk'"],
    [312, [1, 32, 'space', 512, 3], "grant of read,write on space 's' to user 'ann'"],
    [312, [1, 2, 'space', 280, 1], "grant of read on space '_space' to role 'public'"],
    [312, [1, 32, 'space', '', 1], "grant of read on every space to user 'ann'"],
    [312, [1, 33, 'universe', 0, 24], "grant of session,usage on universe to role 'clerk'"],
    [312, [1, 0, 'role', 33, 4], "grant of role 'clerk' to user 'guest'"],
    [312, [1, 32, 'role', '', 32], "grant of create on every role to user 'ann'"],
    [312, [1, 32, 'role', 33, 68], "grant of execute,drop on role 'clerk' to user 'ann'"],
    [312, [1, 33, 'user', 32, 128], "grant of alter on user 'ann' to role 'clerk'"],
    [312, [1, 33, 'function', 66, 68], "grant of execute,drop on function 'f' to role 'clerk'"],
    [
      312,
      [1, 33, 'lua_call', 'box.info', 4],
      "grant of execute on lua_call 'box.info' to role 'clerk'",
    ],
    [312, [1, 99, 'sequence', 1, 16384], "grant of metagrant on sequence 'ids' to user 99"],
    [328, ['t', 512, {}], "trigger 't' of space 's'"],
    [340, [512, 1, true], "sequence 'ids' of space 's'"],
    [356, ['fk', 512, 513], "foreign key 'fk' of space 's'"],
    [364, [512, 'ck'], "check 'ck' of space 's'"],
    [372, [512, 1, 66], "functional index 1 of space 's'"],
  ] as [number, Plain[], string][]) {
    it(`describes a row as ${expected}`, () => equal(describer.row(spaceId, rowOf(row)), expected));
  }

  for (const [grant, expected] of [
    [[1, 0, 'role', 2, 4], "user 'guest' on role 'public'"],
    [[1, 2, 'space', 280, 1], "role 'public' on space '_space'"],
    [[1, 0, 'universe', 0, 24], "user 'guest' on universe"],
  ] as [Value[], string][]) {
    it(`describes a built-in grant to ${expected}`, () =>
      equal(describer.shippedGrant(grant), `built-in grant to ${expected}`));
  }
});
