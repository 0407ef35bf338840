import { doesNotThrow, ok, throws } from 'node:assert/strict';
import type { ManifestSpace } from '../../../../lib/backup/manifest.js';
import { checkNesting, MAX_NESTING, validate } from '../../../../lib/schema/read/validate.js';
import { bin, ext, float64, type Plain, pack } from '../../../support/msgpack.js';
import { catalogOf, indexRow, type SystemRows, spaceRow } from '../catalogs.js';

const SCHEMA = 272;
const COLLATION = 276;
const SPACE = 280;
const SEQUENCE = 284;
const SEQUENCE_DATA = 285;
const INDEX = 288;
const FUNC = 296;
const USER = 304;
const PRIV = 312;
const TRIGGER = 328;
const SPACE_SEQUENCE = 340;
const FK = 356;
const CK = 364;
const FUNC_INDEX = 372;

const FUNCTION: Plain[] = [
  ...[66, 1, 'f', 0, 'LUA', '', 'function', ['any'], 'any', 'none', 'none', false, false, true],
  ...[['LUA'], {}, '', '', '', ['box.ctl.on_election']],
];
const FOREIGN_KEY: Plain[] = ['k', 512, 513, false, 'simple', 'cascade', 'no_action', [0], [1]];

/** Returns the list of spaces of the manifest for these rows. */
function listed(rows: SystemRows): ManifestSpace[] {
  return catalogOf(rows).spaces.map(({ id, name, engine, primaryKey }) => ({
    ...{ id, name, engine, format: [] },
    rowsFrom: primaryKey === undefined ? 'none' : 'snapshot',
  }));
}

function flagged(flags: Plain): Plain[] {
  return spaceRow(512, 's', { flags });
}

function formatted(...format: Plain[]): Plain[] {
  return spaceRow(512, 's', { format });
}

function indexed(...parts: Plain[]): Plain[] {
  return indexRow(512, 0, 'pk', { parts });
}

/** Returns `row` with another value in one of its fields. */
function but(row: readonly Plain[], fieldNo: number, value: Plain): Plain[] {
  return row.map((field, i) => (i === fieldNo ? value : field));
}

describe('rows of system spaces as servers write them', () => {
  for (const [title, spaceId, ...rows] of [
    ['a mark of an application', SCHEMA, ['once', 1], ['onceelse'], ['\u0000', null]],
    ['a collation', COLLATION, [300, 'c', 1, 'ICU', 'de', {}]],
    ['names with any characters', SPACE, spaceRow(512, "'\n\u001b[2J\u{1f600}")],
    ['the largest id', SPACE, spaceRow(0x7fffffff, 's')],
    ['a temporary space of 3.x', SPACE, spaceRow(2 ** 30, 's', { flags: { type: 'temporary' } })],
    ['more fields of a newer server', SPACE, [...spaceRow(512, 's'), 'new', [1]]],
    [
      'custom keys in a format',
      SPACE,
      formatted({ name: 'a', note: [{}] }, null, 'b', [1], ext(9, Buffer.of(1))),
    ],
    ['constraints', SPACE, flagged({ constraint: { c: 66 }, foreign_key: { k: { field: {} } } })],
    ['custom keys of 2.6', SPACE, formatted({ constraint: 1, foreign_key: 7 })],
    ['an unknown option', SPACE, flagged({ odd: [1] })],
    ['a sequence', SEQUENCE, [1, 1, 's', -1, -(2n ** 63n), 2n ** 63n - 1n, -1, 0, false]],
    ['the last value of one', SEQUENCE_DATA, [1, 2n ** 63n - 1n], [2, -(2n ** 63n)]],
    ['parts of 1.x', INDEX, indexed([0, 'unsigned'], [1, 'str'])],
    ['paths', INDEX, indexed({ field: 1, type: 'string', path: ".a['b'][1]" })],
    ['paths to many', INDEX, indexRow(512, 1, 'i', { parts: [{ field: 1, path: '[*].a' }] })],
    ['options', INDEX, indexRow(512, 1, 'i', { options: { lsn: 5, func: 0, bloom_fpr: 0.05 } })],
    ['indexes of one name', INDEX, indexRow(512, 0, 'pk'), indexRow(513, 0, 'pk')],
    ['a function of 1.6', FUNC, [66, 1, 'f']],
    ['a function of 1.7', FUNC, [66, 1, 'f', 0, 'C']],
    ['a function of 3.x', FUNC, FUNCTION],
    ['a user of 1.6', USER, [33, 1, 'u', 'user']],
    ['a user without a password', USER, [33, 1, 'u', 'user', []], [34, 1, 'v', 'user', null]],
    ['a user of 3.x', USER, [33, 1, 'u', 'user', { 'chap-sha1': '' }, [], 1700000000]],
    ['a user of a large id', USER, [2 ** 31, 1, 'u', 'user', {}]],
    ['grants on an id', PRIV, [1, 33, 'space', 512, 3], [1, 33, 'function', 512, 0xffffffff]],
    ['grants on all', PRIV, [1, 33, 'space', '', 3], [1, 33, 'universe', 0, 3]],
    ['a grant on a name', PRIV, [1, 33, 'lua_call', '512', 3], [1, 33, 'lua_call', 512, 3]],
    ['a trigger', TRIGGER, ['t', 512, { sql: 'CREATE TRIGGER' }]],
    ['a sequence of a space', SPACE_SEQUENCE, [512, 1, false], [513, 1, true, 0, '']],
    ['a foreign key', FK, FOREIGN_KEY, but(FOREIGN_KEY, 1, 514)],
    ['a check', CK, [512, 'c', false, 'SQL', 'a > 0', true], [512, 'd', false, 'SQL', 'b > 0']],
    ['a functional index', FUNC_INDEX, [512, 1, 66]],
  ] as [string, number, ...Plain[][]][]) {
    it(`are accepted: ${title}`, () => {
      const list = { [spaceId]: rows };
      doesNotThrow(() => validate(listed(list), catalogOf(list)));
    });
  }
});

describe('rows of system spaces that no server can have', () => {
  const cases: [title: string, spaceId: number, row: Plain[], message: RegExp][] = [
    ['nothing in a row', SCHEMA, [], /_schema: row \[\]: it has 0 fields/],
    ['a mark of a number', SCHEMA, [5, 1], /_schema: row \[5\]: field 1 is not a string/],
    ['a mark of binary', SCHEMA, [bin(Buffer.of(1)), 1], /_schema: .* field 1/],
    [
      'a collation of no name',
      COLLATION,
      [300, null, 1, 'ICU', 'de', {}],
      /_collation: .* field 2/,
    ],
    ['a collation of no options', COLLATION, [300, 'c', 1, 'ICU', 'de'], /_collation: .* 5 fields/],
    ['a short space', SPACE, [512, 1, 's'], /_space: row \[512\]: it has 3 fields, and at least 7/],
    ['a space of a text as id', SPACE, but(spaceRow(1, 's'), 0, '512'), /row \["512"\]: field 1 /],
    ['a space of no owner', SPACE, but(spaceRow(512, 's'), 1, null), /field 2 is not an id/],
    ['a space of a number as engine', SPACE, but(spaceRow(512, 's'), 3, 1), /field 4 .* string/],
    ['flags of text', SPACE, flagged('view'), /_space: row \[512\]: field 6 is not a map/],
    ['SQL of a number', SPACE, flagged({ view: true, sql: 5 }), /field 6/],
    ['SQL of nothing', SPACE, flagged({ view: true, sql: null }), /field 6/],
    ['constraints of a list', SPACE, flagged({ constraint: [1] }), /field 6/],
    ['foreign keys of a number', SPACE, flagged({ foreign_key: 7 }), /field 6/],
    ['a foreign key of a number', SPACE, flagged({ foreign_key: { k: 7 } }), /field 6/],
    ['a parent of text', SPACE, flagged({ foreign_key: { k: { space: 'p' } } }), /field 6/],
    ['a format of a number', SPACE, but(spaceRow(512, 's'), 6, 5), /field 7 is not an array/],
    ['a field of a number as name', SPACE, formatted({ name: 5 }), /field 7/],
    ['a field of a map as type', SPACE, formatted({ name: 'a', type: { toString: 1 } }), /field 7/],
    ['a collation of a map', SPACE, formatted({ name: 'a', collation: { valueOf: 1 } }), /field 7/],
    ['half a step', SEQUENCE, [1, 1, 's', 0.5, 1, 2, 1, 0, false], /_sequence: .* field 4/],
    ['a short sequence', SEQUENCE, [1, 1, 's'], /_sequence: row \[1\]: it has 3 fields/],
    ['half a value', SEQUENCE_DATA, [1, 1.5], /_sequence_data: row \[1\]: field 2 is not a whole/],
    ['a value as double', SEQUENCE_DATA, [1, float64(1)], /_sequence_data: .* field 2/],
    ['no value', SEQUENCE_DATA, [1, null], /_sequence_data: .* field 2/],
    ['an index of no parts', INDEX, but(indexed(), 5, null), /_index: row \[512,0\]: field 6 /],
    ['a part of nothing', INDEX, indexed(null), /_index: .* field 6 is not an array of parts/],
    ['an empty part', INDEX, indexed([]), /field 6/],
    ['a part of no field', INDEX, indexed({ type: 'string' }), /field 6/],
    ['a part of a negative field', INDEX, indexed({ field: -1 }), /field 6/],
    ['a part of a type that is a map', INDEX, indexed([0, { toString: 1 }]), /field 6/],
    ['a path of a number', INDEX, indexed({ field: 0, path: 5 }), /field 6/],
    ['a path to nowhere', INDEX, indexed({ field: 0, path: '[[[[' }), /\[512,0\]: .*path/],
    ['options of text', INDEX, but(indexed(), 4, 'unique'), /field 5/],
    ['a function of a map', INDEX, but(indexed(), 4, { func: { toString: 1 } }), /field 5/],
    ['a function in a number', FUNC, [66, 1, 'f', 0, 5], /_func: row \[66\]: field 5/],
    ['a body of nothing', FUNC, but(FUNCTION, 5, null), /_func: .* field 6/],
    ['a parameter of a map', FUNC, but(FUNCTION, 7, [{ toString: 1 }]), /_func: .* field 8/],
    ['a boolean of a number', FUNC, but(FUNCTION, 12, 1), /_func: .* field 13 is not true/],
    ['a negative user', USER, [-3, 1, 'u', 'user', {}], /_user: row \[-3\]: field 1 is not an id/],
    ['half a user', USER, [33.5, 1, 'u', 'user', {}], /_user: row \[33.5\]: field 1/],
    ['a user as double', USER, [float64(33), 1, 'u', 'user', {}], /_user: .* field 1/],
    ['a user beyond 32 bits', USER, [2 ** 32, 1, 'u', 'user', {}], /_user: .* field 1/],
    ['a user of no type', USER, [33, 1, 'u'], /_user: row \[33\]: it has 3 fields/],
    ['a password of text', USER, [33, 1, 'u', 'user', 'secret'], /_user: .* field 5/],
    ['a grant to nobody', PRIV, [1, null, 'universe', 0, 4], /_priv: .* field 2 is not an id/],
    ['a grant by nobody', PRIV, [null, 33, 'universe', 0, 4], /_priv: .* field 1/],
    ['a grant on nothing', PRIV, [1, 33, 'space', null, 4], /_priv: .* field 4 is not an id or/],
    ['a grant of text', PRIV, [1, 33, 'space', 512, 'x'], /_priv: .* field 5 is not a set of bits/],
    ['a short grant', PRIV, [1, 33, 'space', 512], /_priv: row \[33,"space",512\]: it has 4/],
    ['a trigger of text', TRIGGER, ['t', 512, 'CREATE TRIGGER'], /_trigger: row \["t"\]: field 3/],
    ['a trigger on text', TRIGGER, ['t', 's', {}], /_trigger: .* field 2/],
    ['a sequence of no space', SPACE_SEQUENCE, [null, 1, false], /_space_sequence: .* field 1/],
    ['columns of a number', FK, but(FOREIGN_KEY, 7, 5), /_fk_constraint: row \["k",512\]: field 8/],
    ['columns of text', FK, but(FOREIGN_KEY, 8, ['a']), /_fk_constraint: .* field 9/],
    ['columns alone', FK, but(FOREIGN_KEY, 8, [0, 1]), /_fk_constraint: .* different lengths/],
    [
      'a short foreign key',
      FK,
      FOREIGN_KEY.slice(0, 7),
      /_fk_constraint: .* 7 fields, and at least 9/,
    ],
    ['a check of no code', CK, [512, 'c', false, 'SQL', null], /_ck_constraint: .* field 5/],
    [
      'a functional index of text',
      FUNC_INDEX,
      [512, 1, 'f'],
      /_func_index: row \[512,1\]: field 3/,
    ],
  ];
  for (const [title, spaceId, row, message] of cases) {
    it(`are refused: ${title}`, () => {
      throws(() => validate([], catalogOf({ [spaceId]: [row] })), {
        ...{ name: 'TntarError', kind: 'archive', message },
      });
    });
  }

  for (const [title, spaceId, first, second, message] of [
    ['a mark', SCHEMA, ['a', 1], ['a', 2], /_schema: row \["a"\]: \["a"\] occurs twice/],
    ['a space', SPACE, spaceRow(512, 'a'), spaceRow(512, 'b'), /\[512\] occurs twice/],
    ['the name of a space', SPACE, spaceRow(512, 'a'), spaceRow(513, 'a'), /\["a"\] occurs twice/],
    ['a user', USER, [33, 1, 'a', 'user'], [33, 1, 'b', 'user'], /_user: .* \[33\] occurs twice/],
    ['a user and a role', USER, [33, 1, 'a', 'user'], [34, 1, 'a', 'role'], /\["a"\] occurs twice/],
    ['a function', FUNC, [66, 1, 'a'], [66, 1, 'b'], /_func: .* \[66\] occurs twice/],
    ['an index', INDEX, indexRow(512, 0, 'a'), indexRow(512, 0, 'b'), /\[512,0\] occurs twice/],
    [
      'a name in a space',
      INDEX,
      indexRow(512, 0, 'a'),
      indexRow(512, 1, 'a'),
      /\[512,"a"\] occurs twice/,
    ],
    ['a grant', PRIV, [1, 33, 'space', 512, 1], [0, 33, 'space', 512, 2], /_priv: .* occurs twice/],
    [
      'an id in two encodings',
      SEQUENCE_DATA,
      [1, 1],
      [Buffer.of(0xcd, 0, 1), 2],
      /_sequence_data: .* \[1\] occurs twice/,
    ],
  ] as [string, number, Plain[], Plain[], RegExp][]) {
    it(`are refused: ${title} that occurs twice`, () => {
      throws(() => validate([], catalogOf({ [spaceId]: [first, second] })), {
        ...{ name: 'TntarError', kind: 'archive', message },
      });
    });
  }
});

describe('the manifest and _space', () => {
  const rows = {
    [SPACE]: [spaceRow(512, 'a'), spaceRow(513, 'b')],
    [INDEX]: [indexRow(512, 0, 'pk')],
  };
  const [a, b] = listed(rows) as [ManifestSpace, ManifestSpace];

  it('may agree', () => {
    doesNotThrow(() => validate([a, b], catalogOf(rows)));
  });

  for (const [title, spaces, message] of [
    ['the id', [{ ...a, id: 514 }, b], /manifest.json: space 514 \('a'\) is not in _space/],
    [
      'the name',
      [{ ...a, name: 'harmless' }, b],
      /space 512 is named 'harmless' here, but 'a' in _space/,
    ],
    ['the engine', [{ ...a, engine: 'vinyl' }, b], /the engine vinyl here, but memtx in _space/],
    ['a space that is not listed', [b], /_space: space 512 \('a'\) is not in the manifest/],
    ['rows without a key', [a, { ...b, rowsFrom: 'snapshot' }], /space 513 .* no primary index/],
  ] as [string, ManifestSpace[], RegExp][]) {
    it(`may not differ in ${title}`, () => {
      throws(() => validate(spaces, catalogOf(rows)), {
        ...{ name: 'TntarError', kind: 'archive', message },
      });
    });
  }
});

describe('the nesting of a row', () => {
  /** Returns a row of `depth` nested arrays or maps. */
  function nested(depth: number, header: Buffer): Buffer {
    const inner = Array.from({ length: depth - 1 }, () => header);
    return Buffer.concat([Buffer.of(0x91), ...inner, Buffer.of(0xc0)]);
  }

  for (const [what, header] of [
    ['arrays', Buffer.of(0x91)],
    ['maps', Buffer.of(0x81, 0x01)],
  ] as const) {
    it(`in ${what} is decoded up to the limit, and refused beyond`, () => {
      const deepest = nested(MAX_NESTING, header);
      doesNotThrow(() => checkNesting(USER, deepest));
      doesNotThrow(() => catalogOf({}).add(USER, deepest));
      for (const depth of [MAX_NESTING + 1, 1_000_000]) {
        throws(() => checkNesting(USER, nested(depth, header)), {
          kind: 'archive',
          message: '_user: a row nests deeper than 1000 levels',
        });
      }
    });
  }

  it('does not count values side by side', () => {
    const wide = Array.from({ length: 3000 }, (_, i) => [[], {}, [i, [{ a: [] }]], 'text']);
    doesNotThrow(() => checkNesting(SPACE, pack(wide)));
  });
});

describe('many rows of system spaces', () => {
  it('are checked in linear time', function () {
    this.timeout(60_000);
    const count = 10_000;
    const make = (row: (i: number) => Plain[]): Plain[][] =>
      Array.from({ length: count }, (_, i) => row(i));
    const rows = {
      [SPACE]: [spaceRow(512, 's')],
      [INDEX]: make((i) => indexRow(512, i, `i${i}`)),
      [FUNC]: make((i) => [...but(but(FUNCTION, 0, 66 + i), 2, `f${i}`)]),
      [USER]: make((i) => [33 + i, 1, `u${i}`, 'user', {}]),
      [PRIV]: make((i) => [1, 33 + i, 'function', 66 + i, 4]),
    };
    const catalog = catalogOf(rows);
    // CPU time is measured, because other processes may use the processor.
    const before = process.cpuUsage();
    validate(listed({ [SPACE]: rows[SPACE], [INDEX]: rows[INDEX].slice(0, 1) }), catalog);
    ok(process.cpuUsage(before).user < 40e6);
  });
});
