import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { showUsed } from '../../../../lib/schema/describe/used.js';
import { planRestore, type RestorePlan } from '../../../../lib/schema/plan/plan.js';
import { isWrite, type Step } from '../../../../lib/schema/plan/step.js';
import { type Plain, pack } from '../../../support/msgpack.js';
import {
  BUILTIN_USERS,
  catalogOf,
  EMPTY,
  formatRow,
  indexRow,
  type SystemRows,
  spaceRow,
  valuesOf,
} from '../catalogs.js';

const CHECKED = {
  flags: { is_sync: true, foreign_key: { parent: { space: 512, field: { id: 'id' } } } },
  format: [
    { name: 'id', type: 'unsigned' },
    { name: 'price', type: 'number', constraint: { positive: 70 } },
  ],
};

/** Returns a function in the form of 3.x, with the events that call it. */
function triggerFunction(id: number, name: string, events: string[]): Plain[] {
  const rest = ['function', [], 'any', 'none', 'none', false, false, true, ['LUA'], {}, '', '', ''];
  return [id, 32, name, 0, 'LUA', 'function() end', ...rest, events];
}

/** A database with one of everything, in the forms of 2.x and 3.x together. */
const RICH: SystemRows = {
  272: [['onceinit']],
  276: [[300, 'german', 1, 'ICU', 'de', {}]],
  280: [
    spaceRow(512, 'customers'),
    spaceRow(513, 'orders', CHECKED),
    spaceRow(514, 'items', { engine: 'vinyl' }),
    spaceRow(515, 'report', { flags: { view: true, sql: 'CREATE VIEW …' } }),
    spaceRow(516, 'later report', { flags: { view: true, sql: 'CREATE VIEW …' } }),
    spaceRow(517, 'bare'),
    spaceRow(518, 'tree', {
      flags: { foreign_key: { self: { space: 518, field: { parent: 'id' } } } },
    }),
  ],
  284: [[1, 32, 'ids', 1, 1, 1000, 1, 0, false]],
  285: [[1, 41]],
  288: [
    indexRow(512, 0, 'pk'),
    indexRow(512, 1, 'name', { parts: [{ field: 1, type: 'string', collation: 300 }] }),
    indexRow(513, 0, 'pk'),
    indexRow(513, 1, 'price', { options: { unique: false } }),
    indexRow(514, 0, 'pk', { options: { unique: true, lsn: 77 } }),
    indexRow(514, 1, 'computed', { options: { unique: false, func: 71 } }),
    indexRow(518, 0, 'pk'),
  ],
  296: [
    [70, 32, 'positive', 0, 'LUA', 'function(x) return x > 0 end'],
    [71, 32, 'computed', 1, 'LUA', 'function(t) return {t[1]} end'],
    triggerFunction(72, 'guard', ['box.space.customers.before_replace']),
    triggerFunction(73, 'idle', []),
  ],
  304: [
    [32, 1, 'app', 'user', {}],
    [33, 32, 'readers', 'role', {}],
  ],
  312: [
    [1, 0, 'universe', 0, 31],
    [1, 32, 'role', 33, 4],
    [1, 33, 'space', 512, 1],
    [32, 33, 'function', 70, 4],
    [32, 33, 'function', 72, 4],
    [32, 33, 'sequence', 1, 1],
  ],
  328: [['on_insert', 512, { sql: 'CREATE TRIGGER …' }]],
  340: [[513, 1, true, 0, '']],
  356: [['fk', 514, 512, false, 'simple', 'no_action', 'no_action', [0], [0]]],
  364: [[514, 'ck', false, 'SQL', 'id > 0', true]],
  372: [[514, 1, 71]],
};

const DATA = 'the data';

/** Returns the steps in order. A second step for the same object is marked. */
function order({ before, after, grants, triggers }: RestorePlan): string[] {
  const seen = new Set<string>();
  const names: string[] = [];
  const steps = [...before, undefined, ...after, ...grants, ...triggers];
  for (const what of steps.map((step) => step?.what ?? DATA)) {
    names.push(seen.has(what) ? `${what} again` : what);
    seen.add(what);
  }
  return names;
}

const all = ({ before, after, grants, triggers }: RestorePlan): Step[] => [
  ...before,
  ...after,
  ...grants,
  ...triggers,
];

describe('the plan of a restore', () => {
  const plan = planRestore(catalogOf(RICH), catalogOf(EMPTY));
  const names = order(plan);
  const at = (what: string): number => {
    const index = names.indexOf(what);
    ok(index >= 0, `${what} is not in the plan`);
    return index;
  };

  for (const [thing, ...needed] of [
    [DATA, "index 'pk' of space 'customers'", "index 'pk' of space 'orders'"],
    [DATA, "index 'pk' of space 'items'", "index 'pk' of space 'tree'"],
    ["space 'customers'", "user 'app'"],
    ["function 'positive' (LUA)", "user 'app'"],
    // On 3.x it would act on restored rows, definitions and grants.
    ["function 'guard' (LUA, on box.space.customers.before_replace)", "user 'app'", DATA],
    [
      "function 'guard' (LUA, on box.space.customers.before_replace)",
      "index 'name' of space 'customers'",
      "mark 'onceinit'",
      "grant of role 'readers' to user 'app'",
    ],
    [
      "grant of execute on function 'guard' to role 'readers'",
      "function 'guard' (LUA, on box.space.customers.before_replace)",
    ],
    [DATA, "function 'idle' (LUA)"],
    ["sequence 'ids'", "user 'app'"],
    ["index 'pk' of space 'customers'", "space 'customers'"],
    ["index 'pk' of space 'items'", "space 'items'"],
    ["index 'name' of space 'customers'", "collation 'german'", "index 'pk' of space 'customers'"],
    ["index 'price' of space 'orders'", "index 'pk' of space 'orders'", DATA],
    [
      "index 'computed' of space 'items'",
      "function 'computed' (LUA, which runs as user 'app')",
      DATA,
    ],
    ["functional index 1 of space 'items'", "index 'computed' of space 'items'"],
    ["space 'orders' again", "function 'positive' (LUA)", "index 'pk' of space 'customers'", DATA],
    ["space 'tree' again", "index 'pk' of space 'tree'", DATA],
    // 2.x requires it before the rows that it checks, and after the index that it refers to.
    ["foreign key 'fk' of space 'items'", "space 'items'", "index 'pk' of space 'items'"],
    ["foreign key 'fk' of space 'items'", "index 'name' of space 'customers'"],
    [DATA, "foreign key 'fk' of space 'items'", "check 'ck' of space 'items'"],
    ["check 'ck' of space 'items'", "space 'items'"],
    ["sequence 'ids' of space 'orders'", "sequence 'ids'", "index 'pk' of space 'orders'"],
    ["view 'report'", "space 'customers'"],
    ["view 'later report'", "view 'report'"],
    ["trigger 'on_insert' of space 'customers'", "space 'customers'", "view 'report'"],
    // A refusal of SQL by the target comes before the rows.
    [DATA, "view 'report'", "view 'later report'", "trigger 'on_insert' of space 'customers'"],
    ["value of sequence 'ids'", "sequence 'ids'", "sequence 'ids' of space 'orders'", DATA],
    ["grant of role 'readers' to user 'app'", "role 'readers'", "view 'later report'", DATA],
    [
      "grant of read on space 'customers' to role 'readers'",
      "function 'positive' (LUA)",
      "sequence 'ids'",
      "space 'customers'",
      DATA,
    ],
    [
      "grant of read,write,execute,session,usage on universe to user 'guest'",
      "trigger 'on_insert' of space 'customers'",
      DATA,
    ],
    // Grants come last, so that an interrupted restore has granted nothing.
    [
      "grant of read,write,execute,session,usage on universe to user 'guest'",
      "mark 'onceinit'",
      "value of sequence 'ids'",
      DATA,
    ],
  ] as [string, ...string[]][]) {
    it(`writes ${thing} after ${needed.join(' and ')}`, () => {
      for (const each of needed) ok(at(each) < at(thing), `${each} comes later`);
    });
  }

  it('writes each row of the backup once, except for tables that are completed later', () => {
    const expected = Object.entries(RICH).flatMap(([id, rows]) =>
      rows.map((row) => [Number(id), row[0], row[1]]),
    );
    const twice = [513, 518].map((id) => [280, id, 1]);
    const got = all(plan).map((step) => [step.spaceId, ...valuesOf(step).slice(0, 2)]);
    const sorted = (list: unknown[]): string[] => list.map((each) => JSON.stringify(each)).sort();
    const normal = (list: unknown[][]) => list.map((each) => each.filter((v) => v !== undefined));
    deepEqual(sorted(normal(got)), sorted(normal([...expected, ...twice])));
  });

  it('writes a table without everything that is checked on insert, and completes it after the rows', () => {
    const [stripped] = plan.before.filter(({ what }) => what === "space 'orders'");
    const [full] = plan.after.filter(({ what }) => what === "space 'orders'");
    deepEqual(valuesOf(stripped!).slice(5), [
      {},
      [
        { name: 'id', type: 'unsigned' },
        { name: 'price', type: 'number' },
      ],
    ]);
    equal(stripped!.verb, 'insert');
    ok(full!.verb === 'replace' && full!.row.equals(pack(RICH[280]![1]!)));
  });

  it('writes a table without checks once, to the byte', () => {
    const steps = all(plan).filter(({ what }) => what === "space 'customers'");
    deepEqual(
      steps.map(({ verb }) => verb),
      ['insert'],
    );
    deepEqual(
      steps.filter(isWrite).map(({ row }) => row),
      [pack(RICH[280]![0]!)],
    );
  });

  it('drops the lsn of a vinyl index', () => {
    const step = plan.before.find(({ what }) => what === "index 'pk' of space 'items'");
    deepEqual(valuesOf(step!)[4], { unique: true });
  });

  it('inserts rows that must not exist, and replaces rows that a server may have written itself', () => {
    const verbs = new Map<number, Set<string>>();
    for (const { spaceId, verb } of all(plan)) {
      verbs.set(spaceId, (verbs.get(spaceId) ?? new Set()).add(verb));
    }
    for (const id of [276, 284, 288, 296, 304, 328, 340, 356, 364, 372]) {
      deepEqual([...(verbs.get(id) ?? [])], ['insert'], String(id));
    }
    for (const id of [272, 285, 312])
      deepEqual([...(verbs.get(id) ?? [])], ['replace'], String(id));
  });

  it('is empty for an empty backup', () => {
    deepEqual(order(planRestore(catalogOf({}), catalogOf({}))), [DATA]);
  });

  it("contains no built-in objects of the backup's server", () => {
    const shipped: SystemRows = {
      272: [['version', 2, 6, 0]],
      280: [spaceRow(280, '_space')],
      288: [indexRow(280, 0, 'primary')],
      296: [[65, 1, 'LUA', 1, 'LUA', '']],
      304: [[1, 1, 'admin', 'user', {}]],
      312: [[1, 0, 'universe', 0, 24]],
    };
    deepEqual(order(planRestore(catalogOf(shipped), catalogOf({}))), [DATA]);
  });
});

describe('on a target that is not empty', () => {
  it('leaves out a row that is identical there', () => {
    const target = catalogOf({ 276: RICH[276]!, 304: [RICH[304]![0]!], 312: [RICH[312]![0]!] });
    const names = order(planRestore(catalogOf(RICH), target));
    for (const what of [
      "collation 'german'",
      "user 'app'",
      "grant of read,write,execute,session,usage on universe to user 'guest'",
    ]) {
      equal(names.includes(what), false, what);
    }
    for (const what of ["role 'readers'", "grant of read on space 'customers' to role 'readers'"]) {
      equal(names.includes(what), true, what);
    }
  });

  it('uses and counts users, roles, functions and collations that are the same', () => {
    const lua = (id: number): Plain[] => [id, 1, `f${id}`, 0, 'LUA', 'function() end'];
    const rows = { 276: RICH[276]!, 304: RICH[304]!, 296: [66, 67].map(lua) };
    const same = { ...rows, 304: [...BUILTIN_USERS, ...RICH[304]!] };
    const { used, omissions } = planRestore(catalogOf(rows), catalogOf(same));
    deepEqual(omissions, []);
    deepEqual(
      used.map(({ what }) => what),
      ["function 'f66'", "function 'f67'", "user 'app'", "role 'readers'", "collation 'german'"],
    );
    deepEqual(showUsed(used), [
      'existing objects are used: 2 functions, 1 user, 1 role, 1 collation',
    ]);
    deepEqual(showUsed(planRestore(catalogOf(rows), catalogOf(EMPTY)).used), []);
  });

  it('does not leave out a row that differs in a byte', () => {
    const other: Plain[] = [300, 'german', 1, 'ICU', 'de', { strength: 'primary' }];
    const names = order(planRestore(catalogOf(RICH), catalogOf({ 276: [other] })));
    ok(names.includes("collation 'german'"));
  });
});

describe('an object that exists on the target', () => {
  const GRANT: Plain[] = [1, 0, 'space', 280, 1];
  const target = (rows: SystemRows): SystemRows => ({
    272: [['version', 2, 11, 1], ...(rows[272] ?? [])],
    280: [spaceRow(280, '_space')],
    304: [...BUILTIN_USERS, ...(rows[304] ?? [])],
    ...Object.fromEntries(Object.entries(rows).filter(([id]) => !['272', '304'].includes(id))),
  });
  const notes = (backup: SystemRows, rows: SystemRows): string[] =>
    planRestore(catalogOf(backup), catalogOf(target(rows))).notes;

  it('is listed if it is replaced: grants and marks', () => {
    deepEqual(notes({ 312: [GRANT] }, { 312: [[1, 0, 'space', 280, 3]] }), [
      "grant of read on space '_space' to user 'guest': it replaces grant of read,write on space '_space' to user 'guest'",
    ]);
    deepEqual(notes({ 272: [['app', 3]] }, { 272: [['app', 7]] }), [
      "mark 'app': it replaces mark 'app'",
    ]);
  });

  it('is not listed if it is built in', () => {
    deepEqual(notes({ 312: [[1, 0, 'universe', 0, 8]] }, { 312: [[1, 0, 'universe', 0, 24]] }), []);
  });

  it('is listed if it is kept, for users and roles that differ only in their grants', () => {
    const role: Plain[] = [32, 1, 'clerk', 'role', {}];
    deepEqual(notes({ 304: [role] }, { 304: [role], 312: [[1, 32, 'role', 31, 4], GRANT] }), [
      "grant of role 'super' to role 'clerk' already exists on the target and is kept",
    ]);
  });

  it('is a conflict if it is a trigger with the same name', () => {
    const trigger: Plain[] = ['watch', 512, { sql: 'CREATE TRIGGER …' }];
    const backup: SystemRows = { 280: [spaceRow(512, 's')], 328: [trigger] };
    const { conflicts } = planRestore(catalogOf(backup), catalogOf(target({ 328: [trigger] })));
    deepEqual(conflicts, ["trigger 'watch' already exists"]);
  });
});

describe('a restore of users and roles', () => {
  const users = (count: number, first: number): Plain[][] =>
    Array.from({ length: count }, (_, i) => [first + i, 1, `user${first + i}`, 'user', {}]);
  const conflicts = (there: number, come: number): string[] => {
    const target = catalogOf({ 304: [...BUILTIN_USERS, ...users(there, 100)] });
    return planRestore(catalogOf({ 304: users(come, 50) }), target).conflicts;
  };

  it('refuses more than 32 users and roles', () => {
    deepEqual(conflicts(7, 20), []);
    deepEqual(conflicts(8, 20), ["33 users and roles exceed the server's limit of 32"]);
  });

  it('ignores the limit if the backup has none', () => deepEqual(conflicts(27, 0), []));
});

describe('on a target of a newer version', () => {
  const target = catalogOf({
    280: [
      formatRow(
        304,
        '_user',
        ['id', 'unsigned'],
        ['owner', 'unsigned'],
        ['name', 'string'],
        ['type', 'string'],
        ['auth', 'map'],
        ['auth_history', 'array'],
        ['last_modified', 'unsigned'],
      ),
    ],
    304: [[32, 1, 'app', 'user', {}, [], 0]],
  });

  it('completes rows to its format, and leaves them out if they exist there', () => {
    const plan = planRestore(catalogOf(RICH), target);
    const users = all(plan).filter(({ spaceId }) => spaceId === 304);
    deepEqual(users.map(valuesOf), [[33, 32, 'readers', 'role', {}, [], 0]]);
  });
});

describe("a grant that was revoked on the backup's server", () => {
  const REVOKED = [
    { grantee: 0, objectType: 'universe', objectId: 0 },
    { grantee: 2, objectType: 'space', objectId: 281 },
  ];
  const SCHEMA = { 272: [['version', 2, 6, 0]] };
  const GRANTS: SystemRows = {
    ...SCHEMA,
    312: [
      [1, 0, 'universe', 0, 24],
      [1, 0, 'role', 2, 4],
      [1, 2, 'space', 281, 1],
      [1, 2, 'space', 305, 1],
    ],
  };
  const deletions = (target: SystemRows): Step[] =>
    all(planRestore(catalogOf(RICH), catalogOf(target), { revoked: REVOKED })).filter(
      ({ verb }) => verb === 'delete',
    );

  it('is revoked on the target, by the key of its row', () => {
    deepEqual(
      deletions(GRANTS).map((step) => [step.spaceId, valuesOf(step)]),
      [
        [312, [0, 'universe', 0]],
        [312, [2, 'space', 281]],
      ],
    );
  });

  it('is revoked after the rows, and after all grants', () => {
    const { before, after, grants } = planRestore(catalogOf(RICH), catalogOf(GRANTS), {
      revoked: REVOKED,
    });
    equal(
      [...before, ...after].some(({ verb }) => verb === 'delete'),
      false,
    );
    const lastGrant = grants.findLastIndex(
      ({ spaceId, verb }) => spaceId === 312 && verb !== 'delete',
    );
    ok(lastGrant >= 0);
    ok(grants.findIndex(({ verb }) => verb === 'delete') > lastGrant);
  });

  it('is damage if no server has it built in', () => {
    const revoked = [{ grantee: 32, objectType: 'universe', objectId: 0 }];
    throws(() => planRestore(catalogOf({}), catalogOf(GRANTS), { revoked }), { kind: 'archive' });
  });

  it('is revoked before super loses privileges', () => {
    const shrunk = {
      312: [
        [1, 31, 'universe', 0, 1],
        [1, 32, 'universe', 0, 24],
      ],
    };
    const users = { 304: [...BUILTIN_USERS, [32, 1, 'ann', 'user', {}]] };
    const target = catalogOf({ ...GRANTS, ...users });
    const { grants } = planRestore(catalogOf({ ...shrunk, ...users }), target, {
      revoked: REVOKED,
    });
    deepEqual(
      grants.map((step) => [step.verb, valuesOf(step)]),
      [
        ['replace', [1, 32, 'universe', 0, 24]],
        ['delete', [0, 'universe', 0]],
        ['delete', [2, 'space', 281]],
        ['replace', [1, 31, 'universe', 0, 1]],
      ],
    );
  });

  it('is kept and reported with --no-privileges', () => {
    const options = { without: { privileges: true } };
    const omissions = (revoked: typeof REVOKED): string[] =>
      planRestore(catalogOf({ 312: RICH[312]! }), catalogOf(GRANTS), { ...options, revoked })
        .omissions;
    const taken = ', and the privileges that were revoked from built-in users and roles';
    deepEqual(omissions(REVOKED), [`6 grants${taken}`]);
    deepEqual(omissions([]), ['6 grants']);
  });

  it('is left out if the target does not have it either', () => {
    deepEqual(deletions({}), []);
    deepEqual(deletions({ ...SCHEMA, 312: [[1, 2, 'space', 305, 1]] }), []);
  });
});

describe('the counter of space ids', () => {
  const steps = (backup: SystemRows, target: SystemRows): Step[] =>
    all(planRestore(catalogOf(backup), catalogOf(target))).filter(
      ({ what }) => what === 'the counter of space ids',
    );
  const SPACES = { 280: [spaceRow(600, 'b'), spaceRow(512, 'a')] };

  it('is raised at the very end if it is lower on the target', () => {
    for (const max of [511, 512, 599]) {
      const target = {
        272: [
          ['version', 2, 6, 0],
          ['max_id', max],
        ],
      };
      deepEqual(
        steps(SPACES, target).map((step) => [step.spaceId, step.verb, valuesOf(step)]),
        [[272, 'replace', ['max_id', 600]]],
      );
      const { after } = planRestore(catalogOf({ ...RICH, ...SPACES }), catalogOf(target));
      equal(after.at(-1)?.what, 'the counter of space ids');
    }
  });

  it('is set where most ids are free, also on the target', () => {
    const last = 2 ** 31 - 1;
    const target = { 280: [spaceRow(520, 'there')], 272: [['max_id', 511]] };
    const maxId = (...spaces: number[]): unknown =>
      steps({ 280: spaces.map((id) => spaceRow(id, `s${id}`)) }, target).map(valuesOf);
    deepEqual(maxId(last), [['max_id', 520]]);
    deepEqual(maxId(512, 1_000_000, last), [['max_id', 1_000_000]]);
    deepEqual(maxId(600, 2 ** 30 + 1000), [['max_id', 600]]);
    deepEqual(maxId(600, 2 ** 30 + 100), [['max_id', 2 ** 30 + 100]]);
  });

  it('is not changed if it is high enough, if there is none, and without spaces', () => {
    deepEqual(steps(SPACES, { 272: [['max_id', 600]] }), []);
    deepEqual(steps(SPACES, { 272: [['max_id', 2 ** 31 - 1]] }), []);
    deepEqual(steps(SPACES, { 272: [['version', 3, 2, 1]] }), []);
    deepEqual(steps(SPACES, {}), []);
    deepEqual(steps({ 304: RICH[304]! }, { 272: [['max_id', 511]] }), []);
  });
});
