import { deepEqual } from 'node:assert/strict';
import { KINDS, type Kind } from '../../../../lib/schema/catalog/id-map.js';
import { matchObjects } from '../../../../lib/schema/plan/match-objects.js';
import type { Plain } from '../../../support/msgpack.js';
import { BUILTIN_USERS, catalogOf, type SystemRows, spaceRow } from '../catalogs.js';

const USER = [32, 1, 'app', 'user', { 'chap-sha1': 'x' }];
const FUNC = [66, 1, 'mine', 1, 'LUA', ''];
const SEQUENCE = [1, 1, 'ids', 1];
const COLLATION = [300, 'german', 1, 'ICU'];
/** Built-in objects. */
const SHIPPED: SystemRows = {
  280: [spaceRow(280, '_space'), spaceRow(304, '_user')],
  296: [
    [1, 1, 'box.schema.user.info', 1, 'LUA', ''],
    [2, 1, 'TRIM', 1, 'SQL_BUILTIN', ''],
  ],
  304: BUILTIN_USERS,
};

function withShipped(rows: SystemRows): SystemRows {
  const all: Record<number, readonly (readonly Plain[])[]> = { ...SHIPPED };
  for (const [id, added] of Object.entries(rows)) {
    all[Number(id)] = [...(SHIPPED[Number(id)] ?? []), ...added];
  }
  return all;
}

const ALL: ReadonlySet<Kind> = new Set(KINDS);
const identified = (backup: SystemRows, target: SystemRows, made = ALL) =>
  matchObjects(catalogOf(backup), catalogOf(withShipped(target)), made);

describe('matchObjects', () => {
  for (const [title, backup, target, expected] of [
    ['nothing in an empty server', { 280: [spaceRow(512, 's')], 304: [USER], 296: [FUNC] }, {}, []],
    ['nothing in objects that are built into both servers', SHIPPED, {}, []],
    ['nothing in an empty backup', {}, { 280: [spaceRow(512, 's')] }, []],
    [
      'nothing in objects of other kinds',
      { 280: [spaceRow(512, 'x')] },
      { 304: [[512, 1, 'x', 'user', {}]] },
      [],
    ],
    [
      'nothing in ids that are taken',
      { 280: [spaceRow(512, 's')], 304: [USER], 296: [FUNC], 284: [SEQUENCE], 276: [COLLATION] },
      {
        280: [spaceRow(512, 't')],
        304: [[32, 1, 'other', 'user', {}]],
        296: [[66, 1, 'theirs', 1, 'LUA', '']],
        284: [[1, 1, 'numbers', 1]],
        276: [[300, 'french', 1, 'ICU']],
      },
      [],
    ],
    [
      'nothing in users, functions and collations that are the same, whatever their ids',
      { 304: [USER], 296: [FUNC], 276: [COLLATION] },
      {
        304: [[40, 1, 'app', 'user', { 'chap-sha1': 'x' }]],
        296: [[70, 1, 'mine', 1, 'LUA', '']],
        276: [[310, 'german', 1, 'ICU']],
      },
      [],
    ],
    [
      'a space of the same name, because their rows would mix',
      { 280: [spaceRow(512, 's')] },
      { 280: [spaceRow(512, 's')] },
      ["space 's' already exists"],
    ],
    [
      'a sequence of the same name, because their numbers would mix',
      { 284: [SEQUENCE] },
      { 284: [SEQUENCE] },
      ["sequence 'ids' already exists"],
    ],
    [
      'a user with another password',
      { 304: [USER] },
      { 304: [[32, 1, 'app', 'user', {}]] },
      ["user 'app' already exists with a different definition"],
    ],
    [
      'a role with the name of a user',
      { 304: [USER] },
      { 304: [[40, 1, 'app', 'role', { 'chap-sha1': 'x' }]] },
      ["user 'app' already exists with a different definition"],
    ],
    [
      'a function with another owner, although the ids of the owners are equal',
      { 304: [USER], 296: [[66, 32, 'mine', 1, 'LUA', '']] },
      { 304: [[32, 1, 'other', 'user', {}]], 296: [[66, 32, 'mine', 1, 'LUA', '']] },
      ["function 'mine' already exists with a different definition"],
    ],
    [
      'all conflicts',
      { 280: [spaceRow(512, 'a'), spaceRow(513, 'b'), spaceRow(514, 'c')], 276: [COLLATION] },
      { 280: [spaceRow(512, 'c'), spaceRow(900, 'a')], 276: [[300, 'german', 1, 'other']] },
      [
        "space 'a' already exists",
        "space 'c' already exists",
        "collation 'german' already exists with a different definition",
      ],
    ],
  ] as [string, SystemRows, SystemRows, string[]][]) {
    it(`finds ${title}`, () => {
      deepEqual(identified(backup, target).conflicts, expected);
    });
  }

  it('ignores when a user or a function was changed', () => {
    const user = (time: number): Plain[] => [32, 1, 'app', 'user', {}, [], time];
    const rest = ['function', [], 'any', 'none', 'none', false, false, true, ['LUA'], {}, ''];
    const func = (time: string): Plain[] => [66, 1, 'f', 0, 'LUA', '', ...rest, time, time, []];
    const rows = (time: number): SystemRows => ({ 304: [user(time)], 296: [func(`${time}`)] });
    const { conflicts, present } = identified(rows(1), rows(2));
    deepEqual(conflicts, []);
    deepEqual(
      [...present].map(({ fields }) => fields[2]),
      ['app', 'f'],
    );
  });

  it('keeps a free id, and assigns an unused one if the id is taken', () => {
    const { ids } = identified(
      { 304: [USER, [33, 1, 'b', 'user', {}], [50, 1, 'c', 'role', {}]] },
      {
        304: [
          [32, 1, 'x', 'user', {}],
          [40, 1, 'y', 'user', {}],
          [60, 1, 'z', 'user', {}],
        ],
      },
    );
    deepEqual(
      [32, 33, 50].map((id) => ids.find('user', id)),
      [61, 33, 50],
    );
  });

  it('assigns an id other than that of a built-in function of the target', () => {
    const { ids } = identified({ 296: [[2, 1, 'mine', 1, 'LUA', '']] }, {});
    deepEqual(ids.find('function', 2), 3);
  });

  it('never assigns the id of a space that is lost at a restart', () => {
    const { ids } = identified(
      { 280: [spaceRow(512, 'a')] },
      { 280: [spaceRow(512, 'x'), spaceRow(2 ** 30 + 5, 'temporary')] },
    );
    deepEqual(ids.find('space', 512), 513);
  });

  it('finds objects that are not created by name only', () => {
    const { ids, conflicts } = identified(
      { 304: [USER, [33, 1, 'b', 'user', {}]] },
      {
        304: [
          [33, 1, 'x', 'user', {}],
          [40, 1, 'app', 'user', { other: 'password' }],
        ],
      },
      new Set<Kind>(['space']),
    );
    deepEqual(
      [32, 33, 0, 1, 31].map((id) => ids.find('user', id)),
      [40, undefined, 0, 1, 31],
    );
    deepEqual(conflicts, []);
  });

  it('finds built-in objects by id, if the target has them', () => {
    const { ids } = identified({}, {});
    deepEqual(
      [280, 304, 281].map((id) => ids.find('space', id)),
      [280, 304, undefined],
    );
    deepEqual(
      [1, 2, 66].map((id) => ids.find('function', id)),
      [1, 2, undefined],
    );
  });

  it('leaves out a function that runs as a missing user', () => {
    const backup: SystemRows = {
      304: [USER],
      296: [
        [66, 32, 'asOwner', 1, 'LUA', ''],
        [67, 32, 'asCaller', 0, 'LUA', ''],
      ],
    };
    const made = new Set<Kind>(KINDS.filter((kind) => kind !== 'user'));
    const { ids } = identified(backup, {}, made);
    deepEqual(
      [66, 67].map((id) => ids.find('function', id)),
      [undefined, 67],
    );
    deepEqual(identified(backup, { 304: [USER] }, made).ids.find('function', 66), 66);
  });

  it('does not confuse a built-in object of the target with an object of the backup that is not created', () => {
    const { ids } = identified(
      { 296: [[2, 1, 'mine', 0, 'LUA', '']] },
      {},
      new Set<Kind>(['user']),
    );
    deepEqual(ids.find('function', 2), undefined);
  });

  it('does not confuse a role with a user of the same name', () => {
    const role: SystemRows = { 304: [[40, 1, 'app', 'role', {}]] };
    deepEqual(identified({ 304: [USER] }, role, new Set()).ids.find('user', 32), undefined);
  });

  it('fills gaps if the last id is taken', () => {
    const target: SystemRows = { 296: [FUNC, [32000, 1, 'last', 1, 'LUA', '']] };
    const { ids } = identified({ 296: [[66, 1, 'other', 0, 'LUA', '']] }, target);
    deepEqual(ids.find('function', 66), 3);
  });

  it('accepts only a number as an id', () => {
    const { ids } = identified({ 304: [USER] }, {});
    for (const id of [null, undefined, '32', '', true]) deepEqual(ids.find('user', id), undefined);
  });

  it('assigns another id to a space whose id the target refuses', () => {
    const last = 2 ** 31 - 1;
    const backup = catalogOf({ 280: [spaceRow(512, 'a'), spaceRow(last, 'b')] });
    const idOn = (lastSpace: number): number | undefined =>
      matchObjects(backup, catalogOf(SHIPPED), ALL, { lastSpace }).ids.find('space', last);
    deepEqual([idOn(last), idOn(last - 1)], [last, 513]);
  });

  it('does not confuse a built-in object of the target with an object that it does not get', () => {
    const backup = { 296: [[2, 1, 'mine', 1, 'LUA', '']] };
    const without = new Set(KINDS.filter((kind) => kind !== 'function'));
    deepEqual(identified(backup, {}, without).ids.find('function', 2), undefined);
    deepEqual(identified(backup, {}).ids.find('function', 2), 3);
  });
});
