import { deepEqual } from 'node:assert/strict';
import { unsupported } from '../../../../lib/schema/convert/unsupported.js';
import { versionsOf } from '../../../../lib/schema/server/release.js';
import type { Plain } from '../../../support/msgpack.js';
import { catalogOf, indexRow, type SystemRows, spaceRow } from '../catalogs.js';

const SPACE = 280;
const INDEX = 288;
const FUNC = 296;
const USER = 304;
const PRIV = 312;
const TRIGGER = 328;
const CK = 364;
const FUNC_INDEX = 372;

function linesOf(rows: SystemRows, target: string, source = '3.9'): string[] {
  return unsupported(catalogOf(rows), versionsOf(source), versionsOf(target));
}

const withField = (field: Plain): SystemRows => ({
  [SPACE]: [spaceRow(512, 's', { format: [field] })],
});
const withFlags = (flags: Plain, engine = 'memtx'): SystemRows => ({
  [SPACE]: [spaceRow(512, 's', { flags, engine })],
});
const withIndex = (given: { type?: string; options?: Plain; parts?: Plain }): SystemRows => ({
  [SPACE]: [spaceRow(512, 's')],
  [INDEX]: [indexRow(512, 1, 'i', given)],
});

interface Given {
  language?: string;
  body?: string;
  parameters?: Plain;
  returns?: string;
  isSandboxed?: boolean;
  options?: Plain;
  trigger?: Plain;
}

function withFunction(given: Given, more: SystemRows = {}): SystemRows {
  const row: Plain[] = [
    ...[70, 1, 'f', 0, given.language ?? 'LUA', given.body ?? '', 'function'],
    ...[given.parameters ?? [], given.returns ?? 'any', 'none', 'none', true],
    ...[given.isSandboxed ?? true, true, ['LUA'], given.options ?? {}, '', '', ''],
    given.trigger ?? [],
  ];
  return { [FUNC]: [row], ...more };
}

const grant = (type: string, bits: number, grantee = 32): SystemRows => ({
  [USER]: [[32, 1, 'app', 'user', { 'chap-sha1': 'x' }, [], 0]],
  [PRIV]: [[1, grantee, type, 0, bits]],
});
const view = (sql: string): SystemRows => withFlags({ view: true, sql });

describe('features that an older server does not support', () => {
  const cases: [what: string, since: string, before: string, rows: SystemRows][] = [
    [
      `space 's': field 'at' has the type 'datetime'`,
      '2.10',
      '2.8',
      withField({ name: 'at', type: 'datetime' }),
    ],
    [
      `space 's': field 'a' has the type 'interval'`,
      '2.10',
      '2.8',
      withField({ name: 'a', type: 'interval' }),
    ],
    [
      `space 's': field 'a' has the type 'float32'`,
      '3.1',
      '3.0',
      withField({ name: 'a', type: 'float32' }),
    ],
    [
      `space 's': field 'a' has the type 'decimal64'`,
      '3.5',
      '3.4',
      withField({ name: 'a', type: 'decimal64' }),
    ],
    [
      `space 's': field 'a' has the option 'compression'`,
      '2.10',
      '2.8',
      withField({ name: 'a', compression: 'zstd' }),
    ],
    [
      `space 's': field 'a' has the option 'default_func'`,
      '3.0',
      '2.11',
      withField({ name: 'a', default_func: 70 }),
    ],
    [
      `space 's': field 'a' has the option 'scale'`,
      '3.5',
      '3.4',
      withField({ name: 'a', scale: 2 }),
    ],
    [
      `space 's': field 'a' has the option 'layout'`,
      '3.6',
      '3.5',
      withField({ name: 'a', layout: 'rle' }),
    ],
    [`space 's': field 'a' has a default`, '3.0', '2.11', withField({ name: 'a', default: 'x' })],
    [
      `space 's': field 'a': constraint 'c' is checked on every write`,
      '2.10',
      '2.8',
      withField({ name: 'a', constraint: { c: 70 } }),
    ],
    [
      `space 's': field 'a': foreign key 'k' is checked on every write`,
      '2.10',
      '2.8',
      withField({ name: 'a', foreign_key: { k: { field: 1 } } }),
    ],
    [
      `space 's': constraint 'c' is checked on every write`,
      '2.10',
      '2.8',
      withFlags({ constraint: { c: 70 } }),
    ],
    [
      `space 's': foreign key 'k' is checked on every write`,
      '2.10',
      '2.8',
      withFlags({ foreign_key: { k: { field: { 0: 1 } } } }),
    ],
    [`space 's' has the option 'upgrade'`, '2.10', '2.8', withFlags({ upgrade: {} })],
    [`space 's' has the option 'type'`, '3.0', '2.11', withFlags({ type: 'data-temporary' })],
    [
      `index 'i' of space 's' has the option 'hint'`,
      '2.6.1',
      '2.6.0',
      withIndex({ options: { hint: true } }),
    ],
    [
      `index 'i' of space 's' has the option 'covers'`,
      '3.4',
      '3.3',
      withIndex({ options: { covers: [2] } }),
    ],
    [
      `index 'i' of space 's' has the option 'aggregates'`,
      '3.5',
      '3.4',
      withIndex({ options: { aggregates: [] } }),
    ],
    [
      `index 'i' of space 's': part 2 has the type 'datetime'`,
      '2.10',
      '2.8',
      withIndex({
        parts: [
          [0, 'unsigned'],
          [1, 'datetime'],
        ],
      }),
    ],
    [
      `index 'i' of space 's': part 1 has the type 'int8'`,
      '3.1',
      '3.0',
      withIndex({ parts: [{ field: 0, type: 'int8' }] }),
    ],
    [
      `index 'i' of space 's': part 1 has the option 'exclude_null'`,
      '2.8.1',
      '2.8.0',
      withIndex({ parts: [{ field: 0, exclude_null: true }] }),
    ],
    [
      `index 'i' of space 's': part 1 has the option 'scale'`,
      '3.5',
      '3.4',
      withIndex({ parts: [{ field: 0, scale: 2 }] }),
    ],
    [
      `index 'i' of space 's': part 1 is in descending order`,
      '3.0',
      '2.11',
      withIndex({ parts: [{ field: 0, sort_order: 'desc' }] }),
    ],
    [
      `function 'f' is in SQL_EXPR`,
      '2.11',
      '2.10',
      withFunction({ language: 'SQL_EXPR', body: '"a" > 0' }),
    ],
    [
      `function 'f' has the option 'takes_raw_args'`,
      '2.10',
      '2.8',
      withFunction({ options: { takes_raw_args: true } }),
    ],
    [
      `function 'f': its result has the type 'datetime'`,
      '2.10',
      '2.8',
      withFunction({ returns: 'datetime' }),
    ],
    [
      `function 'f': a parameter has the type 'interval'`,
      '2.10',
      '2.8',
      withFunction({ parameters: ['string', 'interval'] }),
    ],
    [
      `function 'f' is a trigger`,
      '3.1',
      '3.0',
      withFunction({ trigger: ['box.ctl.on_recovery_state'] }),
    ],
    [
      `function 'f' is used by an index but not sandboxed`,
      '3.2',
      '3.1',
      withFunction({ isSandboxed: false }, { [FUNC_INDEX]: [[512, 1, 70]] }),
    ],
    [
      `user 'app' logs in by 'pap-sha256'`,
      '2.11',
      '2.10',
      { [USER]: [[32, 1, 'app', 'user', { 'pap-sha256': 'x' }, [], 0]] },
    ],
    [`a grant to 'app' is on lua_eval`, '3.0', '2.11', grant('lua_eval', 4)],
    [`a grant to 'guest' is on lua_call`, '3.0', '2.11', grant('lua_call', 4, 0)],
    [`a grant to 'app' includes the privilege to grant`, '3.6', '3.5', grant('space', 1 + 8192)],
    [`view 's': its SQL uses UUID`, '2.10', '2.8', view('SELECT CAST("a" AS UUID) FROM "t"')],
    [`view 's': its SQL uses [`, '2.10', '2.8', view('SELECT [1, 2] FROM "t"')],
    [`view 's': its SQL uses NOW()`, '2.10', '2.8', view('SELECT now(), NOW() FROM "t"')],
    [
      `trigger 'tr': its SQL uses {`,
      '2.10',
      '2.8',
      { [TRIGGER]: [['tr', 512, { sql: 'BEGIN SELECT {1: 2}; END' }]] },
    ],
    [
      `check 'ck' of space 512: its SQL uses UUID()`,
      '2.10',
      '2.8',
      { [CK]: [[512, 'ck', false, 'SQL', '"a" = UUID()', true]] },
    ],
  ];
  for (const [what, since, before, rows] of cases) {
    it(`include: ${what}, before ${since}`, () => {
      deepEqual(linesOf(rows, before), [`${what}, which needs ${since}`]);
      deepEqual(linesOf(rows, since), []);
    });
  }

  it('are listed completely', () => {
    const format = [
      { name: 'a', type: 'datetime', constraint: { c: 70, d: 71 } },
      { name: 'b', type: 'int8', default: 1 },
    ];
    const rows = {
      [SPACE]: [
        spaceRow(512, 's', { format }),
        ...(withFlags({ type: 'data-temporary' })[SPACE] ?? []),
      ],
    };
    deepEqual(linesOf(rows, '2.6'), [
      `space 's': field 'a' has the type 'datetime', which needs 2.10`,
      `space 's': field 'a': constraint 'c' is checked on every write, which needs 2.10`,
      `space 's': field 'a': constraint 'd' is checked on every write, which needs 2.10`,
      `space 's': field 'b' has the type 'int8', which needs 3.1`,
      `space 's': field 'b' has a default, which needs 3.0`,
      `space 's' has the option 'type', which needs 3.0`,
    ]);
  });

  describe('include unknown options, because servers refuse them:', () => {
    const strange: [what: string, rows: SystemRows][] = [
      [`space 's' has the engine 'memcs'`, withFlags({}, 'memcs')],
      [`space 's' has the option 'odd'`, withFlags({ odd: 1 })],
      [`space 's': field 'a' has the type 'odd'`, withField({ name: 'a', type: 'odd' })],
      [`index 'i' of space 's' has the type 'odd'`, withIndex({ type: 'odd' })],
      [`index 'i' of space 's' has the option 'odd'`, withIndex({ options: { odd: 1 } })],
      [`index 'i' of space 's': part 1 has the option 'odd'`, withIndex({ parts: [{ odd: 1 }] })],
      [`function 'f' is in WASM`, withFunction({ language: 'WASM' })],
      [`function 'f' has the option 'odd'`, withFunction({ options: { odd: 1 } })],
      [`user 'app' logs in by 'odd'`, { [USER]: [[32, 1, 'app', 'user', { odd: 'x' }]] }],
      [`a grant to 'app' is on odd`, grant('odd', 1)],
      ['a row of the system space 312 has 6 fields', { [PRIV]: [[1, 32, 'space', 512, 1, 'odd']] }],
    ];
    for (const [what, rows] of strange) {
      it(what, () => {
        deepEqual(linesOf(rows, '3.8'), [`${what}, which no supported server has`]);
        deepEqual(linesOf(rows, '3.9'), []);
      });
    }
  });

  it('do not include what every server has', () => {
    const rows: SystemRows = {
      ...withFunction({
        language: 'C',
        options: { is_multikey: true },
        parameters: ['STRING', 'num'],
      }),
      [SPACE]: [
        spaceRow(512, 's', {
          engine: 'vinyl',
          flags: { group_id: 1, temporary: false, is_sync: true },
          format: [
            {
              name: 'a',
              type: 'Unsigned',
              collation: 1,
              is_nullable: false,
              nullable_action: 'abort',
            },
            { name: 'b', type: 'str', compression: 'none' },
            { name: 'c' },
          ],
        }),
        spaceRow(513, 'v', {
          flags: { view: true, sql: 'SELECT uuid, "UUID", array AS map FROM now' },
        }),
      ],
      [INDEX]: [
        indexRow(512, 0, 'pk', {
          type: 'TREE',
          parts: [[0, 'num']],
          options: { unique: true, lsn: 5 },
        }),
        indexRow(512, 1, 'i', {
          parts: [{ field: 0, type: 'string', sort_order: 'asc', path: 'a' }],
        }),
      ],
      ...grant('universe', 0xffffffff),
    };
    deepEqual(linesOf(rows, '2.6'), []);
  });

  it('do not include custom keys in formats', () => {
    deepEqual(linesOf(withField({ name: 'a', comment: 'x', scale: 5 }), '2.6', '2.11'), []);
    deepEqual(linesOf(withField({ name: 'a', odd: 1 }), '2.6'), []);
  });

  it('are none if the server is not older', () => {
    const rows = withField({ name: 'a', type: 'odd', constraint: { c: 1 } });
    deepEqual(linesOf(rows, '3.9'), []);
    deepEqual(linesOf(rows, '4.0'), []);
  });

  it('are none if only the patch levels of the servers differ', () => {
    const rows = withField({ name: 'a', type: 'odd' });
    deepEqual(linesOf(rows, '2.11.5', '2.11.9'), []);
    deepEqual(linesOf(rows, '2.10.8', '2.11.9').length, 1);
  });

  it('are found in linear time', () => {
    const count = 15_000;
    const rows = {
      [SPACE]: Array.from({ length: count }, (_, i) =>
        spaceRow(512 + i, `s${i}`, { format: [{ name: 'a', type: 'datetime' }] }),
      ),
      [INDEX]: Array.from({ length: count }, (_, i) => indexRow(512 + i, 0, 'pk')),
    };
    deepEqual(linesOf(rows, '2.6').length, count);
  });
});
