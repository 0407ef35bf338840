import { deepEqual, equal } from 'node:assert/strict';
import { planRestore } from '../../../../lib/schema/plan/plan.js';
import { isWrite } from '../../../../lib/schema/plan/step.js';
import {
  FIELD_OPTIONS,
  FUNCTION_OPTIONS,
  INDEX_OPTIONS,
  PART_OPTIONS,
  SPACE_OPTIONS,
} from '../../../../lib/schema/server/capabilities.js';
import { systemFormat } from '../../../../lib/schema/server/formats.js';
import { type Release, versionsOf } from '../../../../lib/schema/server/release.js';
import { SYSTEM_SPACE_NAMES, SYSTEM_SPACES } from '../../../../lib/schema/server/system-spaces.js';
import { codeIn, codeOf, isLiteral, withoutCode } from '../../../../lib/schema/trust/code.js';
import { decode, type Value } from '../../../../lib/tuple/codec.js';
import { type Plain, pack } from '../../../support/msgpack.js';
import { catalogOf, EMPTY, indexRow, spaceRow } from '../catalogs.js';

const OLD: Release = [2, 6];
const NEW: Release = [3, 0];

const rowOf = (row: readonly Plain[]) => {
  const raw = pack(row);
  return { raw, fields: decode(raw) as Value[] };
};

describe('the code of a row', () => {
  const view = spaceRow(600, 'v', { flags: { view: true, sql: 'CREATE VIEW "v" AS SELECT 1' } });
  const defaulted = spaceRow(512, 's', {
    format: [
      { name: 'a', default: "LUA('return 1')" },
      { name: 'b', default: '5' },
    ],
  });
  for (const [title, spaceId, row, expected, release = OLD] of [
    ['of a function in Lua', 296, [66, 1, 'f', 0, 'LUA', 'function() end'], 'function() end'],
    ['of a function that is only a name', 296, [66, 1, 'f', 0, 'LUA', ''], undefined],
    ['of a view', 280, view, 'CREATE VIEW "v" AS SELECT 1'],
    ['of a table', 280, spaceRow(512, 's', { flags: { is_sync: true } }), undefined],
    ['of defaults', 280, defaulted, "default of field 'a': LUA('return 1')"],
    ['of defaults that are values', 280, defaulted, undefined, NEW],
    ['of a trigger', 328, ['t', 512, { sql: 'CREATE TRIGGER …' }], 'CREATE TRIGGER …'],
    ['of a check', 364, [512, 'ck', false, 'SQL', 'a > 0', true], 'a > 0'],
    ['of a user', 304, [32, 1, 'ann', 'user', {}], undefined],
  ] as [string, number, Plain[], string | undefined, Release?][]) {
    it(title, () => equal(codeOf(spaceId, rowOf(row), release), expected));
  }

  const CODE = "LUA('os.exit()')";
  type Place = [place: string, spaceId: number, row: Plain[]];

  const emptyRow = (spaceId: number): Plain[] =>
    systemFormat(spaceId).map(({ type }) => {
      if (type === 'map') return {};
      if (type === 'array') return [];
      return type === 'string' ? '' : 0;
    });
  const at = (spaceId: number, field: string): number =>
    systemFormat(spaceId).findIndex(({ name }) => name === field);

  /** Fields that are texts, or may be. */
  const fields = SYSTEM_SPACES.flatMap((spaceId) =>
    systemFormat(spaceId)
      .filter(({ type }) => type === 'string' || type === 'any')
      .map(({ name }): Place => {
        const row = emptyRow(spaceId).with(at(spaceId, name), CODE);
        return [`${SYSTEM_SPACE_NAMES.get(spaceId)}.${name}`, spaceId, row];
      }),
  );
  /** Options that are texts, or may be, in a map or in a list of maps. */
  const options = (
    [
      [280, 'flags', [...SPACE_OPTIONS.keys()]],
      [280, 'format', [...FIELD_OPTIONS.keys()]],
      [288, 'opts', [...INDEX_OPTIONS.keys()]],
      [288, 'parts', [...PART_OPTIONS.keys()]],
      [296, 'opts', [...FUNCTION_OPTIONS.keys()]],
      [328, 'opts', ['sql']],
    ] as const
  ).flatMap(([spaceId, field, keys]) =>
    keys.map((key): Place => {
      const isList = field === 'format' || field === 'parts';
      const option = isList ? [{ [key]: CODE }] : { [key]: CODE };
      const row = emptyRow(spaceId).with(at(spaceId, field), option);
      return [`${SYSTEM_SPACE_NAMES.get(spaceId)}.${field}.${key}`, spaceId, row];
    }),
  );

  const found = (release: Release): string[] =>
    [...fields, ...options]
      .filter(([, spaceId, row]) => codeIn(spaceId, rowOf(row), release).length > 0)
      .map(([place]) => place);

  it('is found in each field that a server of 2.x evaluates, and in no other', () => {
    deepEqual(found(OLD), [
      '_func.body',
      '_ck_constraint.code',
      '_space.flags.sql',
      '_space.flags.checks',
      '_space.format.default',
      '_trigger.opts.sql',
    ]);
  });

  it('is not found in a default of a server from 3.0 on, which is a value', () => {
    deepEqual(
      found(NEW),
      found(OLD).filter((place) => place !== '_space.format.default'),
    );
  });
});

describe('a default in SQL', () => {
  for (const text of [
    ...['5', '-5', '+ 5', '1.5', '.5', '1e10', '0xff', "'it''s'", "''", 'NULL', 'true', 'FALSE'],
    ..."x'00ff' (5) (('a')) UNKNOWN".split(' '),
  ]) {
    it(`is a literal: ${text}`, () => equal(isLiteral(text), true));
  }

  for (const text of [
    ...["LUA('return 1')", "'a' || LUA('return 1')", "'a'+'b'", '5 + 5', 'CURRENT_TIMESTAMP', ''],
    ...['a', '"a"', "('a') || ('b')", "'", '--5', '5; SELECT 1', '5 -- x', "x'0' || x'1'"],
  ]) {
    it(`is code: ${text}`, () => equal(isLiteral(text), false));
  }

  it('is classified at once, however long it is', () => {
    const start = performance.now();
    isLiteral(`'${"''".repeat(5_000_000)}'`);
    isLiteral(`${'('.repeat(20_000)}5${')'.repeat(20_000)}`);
    isLiteral('1'.repeat(5_000_000));
    equal(performance.now() - start < 5000, true);
  });
});

describe('a backup without code', () => {
  const backup = catalogOf({
    280: [
      spaceRow(512, 't', { format: [{ name: 'a', type: 'string', default: 'UPPER(1)' }] }),
      spaceRow(513, 'u', { format: [{ name: 'a', type: 'string', default: "'x'" }] }),
      spaceRow(600, 'v', { flags: { view: true, sql: 'CREATE VIEW v AS SELECT * FROM t' } }),
      spaceRow(601, 'w', { flags: { view: true, sql: 'CREATE VIEW w AS SELECT * FROM v' } }),
    ],
    288: [indexRow(512, 0, 'pk')],
    312: [[1, 0, 'space', 600, 1]],
    328: [['fired', 600, { sql: 'CREATE TRIGGER …' }]],
    364: [[512, 'positive', false, 'SQL', 'a > 0', true]],
  });

  it('keeps tables with their literals, and lists everything else', () => {
    const { backup: left, left: lines } = withoutCode(backup, catalogOf(EMPTY), OLD);
    deepEqual(
      left.rows(280).map(({ fields }) => [fields[2], fields[6]]),
      [
        ['t', [{ name: 'a', type: 'string' }]],
        ['u', [{ name: 'a', type: 'string', default: "'x'" }]],
      ],
    );
    deepEqual([left.rows(328), left.rows(364)], [[], []]);
    deepEqual(
      lines.map(({ line }) => line),
      [
        "default of field 'a' of space 't': it is code",
        "view 'v': it is code",
        "view 'w': it is code",
        "trigger 'fired' of view 'v': it is code",
        "check 'positive' of space 't': it is code",
      ],
    );
  });

  it('is the result of a restore without functions', () => {
    const versions = versionsOf('2.6.0');
    const plan = planRestore(backup, catalogOf(EMPTY), {
      releases: { source: versions, target: versions },
      without: { functions: true },
    });
    const steps = [...plan.before, ...plan.after, ...plan.grants];
    deepEqual(
      steps.filter((step) => isWrite(step) && step.code !== undefined),
      [],
    );
    equal(plan.omissions.includes("view 'v': it is code"), true);
  });
});
