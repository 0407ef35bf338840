import { deepEqual, ok } from 'node:assert/strict';
import type { Existing, PlanOptions } from '../../../../lib/schema/plan/options.js';
import { planRestore, type RestorePlan } from '../../../../lib/schema/plan/plan.js';
import type { Plain } from '../../../support/msgpack.js';
import {
  BUILTIN_USERS,
  catalogOf,
  indexRow,
  type SystemRows,
  spaceRow,
  valuesOf,
} from '../catalogs.js';

/** Two tables, one with a sequence of its own, and a view. */
const BACKUP: SystemRows = {
  280: [
    spaceRow(512, 'users'),
    spaceRow(513, 'log'),
    spaceRow(514, 'names', { flags: { view: true, sql: 'SELECT "id" FROM "users"' } }),
  ],
  284: [[1, 1, 'users_seq', 1, 1, 1000, 1, 0, false]],
  285: [[1, 41]],
  288: [indexRow(512, 0, 'pk'), indexRow(512, 1, 'name'), indexRow(513, 0, 'pk')],
  304: [[32, 1, 'ann', 'user', {}]],
  312: [[1, 32, 'space', 512, 1]],
  340: [[512, 1, true, 0, '']],
};
/** A target with two of them under other ids, and a space with an id of the backup's. */
const TARGET: SystemRows = {
  280: [
    spaceRow(513, 'other'),
    spaceRow(600, 'users'),
    spaceRow(601, 'names', { flags: { view: true, sql: 'SELECT "id" FROM "users"' } }),
  ],
  284: [[7, 1, 'users_seq', 1, 1, 1000, 1, 0, false]],
  285: [[7, 100]],
  288: [indexRow(600, 0, 'main'), indexRow(600, 1, 'mine')],
  304: BUILTIN_USERS,
  340: [[600, 7, true, 0, '']],
};

function plan(existing: Existing, target = TARGET, options: PlanOptions = {}): RestorePlan {
  return planRestore(catalogOf(BACKUP), catalogOf(target), { ...options, existing });
}

const shown = ({ drops, before, after, grants }: RestorePlan): string[] =>
  [...drops, ...before, ...after, ...grants].map(({ verb, what }) => `${verb} ${what}`);

const destinations = (found: RestorePlan): unknown[] =>
  [...found.destinations.values()].map(({ id, name, onConflict, keepsRows, primaryIndex }) => [
    id,
    name,
    onConflict,
    keepsRows,
    primaryIndex,
  ]);

describe('a plan for existing spaces', () => {
  const NEW = ["insert user 'ann'", "insert space 'log'", "insert index 'pk' of space 'log'"];

  it('refuses spaces, views and sequences by default', () => {
    deepEqual(plan('error').conflicts, [
      "space 'users' already exists",
      "view 'names' already exists",
      "sequence 'users_seq' already exists",
    ]);
  });

  it('creates only missing objects with skip', () => {
    const found = plan('skip');
    deepEqual(found.conflicts, []);
    deepEqual(shown(found), NEW);
    // The id 513 is taken.
    deepEqual(destinations(found), [[602, 'log', 'error', false, undefined]]);
  });

  it('replaces rows of the target with replace, and only moves sequences on', () => {
    const found = plan('replace');
    deepEqual(shown(found), NEW);
    deepEqual(destinations(found), [
      [600, 'users', 'replace', true, 'main'],
      [602, 'log', 'error', false, undefined],
    ]);
    const behind = plan('replace', { ...TARGET, 285: [[7, 5]] });
    deepEqual(shown(behind), [...NEW, "replace value of sequence 'users_seq'"]);
    deepEqual(shown(plan('skip', { ...TARGET, 285: [[7, 5]] })), NEW);
  });

  it('empties spaces after all other definitions with truncate', () => {
    const found = plan('truncate');
    deepEqual(shown(found), [...NEW, "truncate space 'users'"]);
    deepEqual(destinations(found), [
      [600, 'users', 'error', false, 'main'],
      [602, 'log', 'error', false, undefined],
    ]);
  });

  it('says why a sequence value at the end of the backup is left out', () => {
    for (const existing of ['replace', 'truncate'] as const) {
      const { steps, omissions } = plan(existing).lateValues([{ id: 1, value: '2000' }]);
      deepEqual(steps, []);
      deepEqual(omissions, [
        "value of sequence 'users_seq': 2000 is outside its bounds on the target, 1 to 1000",
      ]);
    }
  });

  it('keeps the marks of the target, lists those that differ, and adds the others', () => {
    const marks: Plain[][] = [['vshard_version', 0, 1, 41, 0], ['oncesame'], ['oncenew', { a: 1 }]];
    const own: Plain[][] = [['vshard_version', 0, 1, 16, 0], ['oncesame']];
    const found = (existing: Existing) =>
      planRestore(catalogOf({ ...BACKUP, 272: marks }), catalogOf({ ...TARGET, 272: own }), {
        existing,
      });
    const steps = (plan: RestorePlan) =>
      plan.after.filter(({ spaceId }) => spaceId === 272).map(valuesOf);
    for (const existing of ['skip', 'replace', 'truncate', 'drop'] as const) {
      deepEqual(steps(found(existing)), [['oncenew', { a: 1 }]]);
      const line =
        "mark 'vshard_version': it already exists on the target, and the target's is kept";
      ok(found(existing).omissions.includes(line), existing);
    }
    deepEqual(steps(found('error')), [marks[0], marks[2]]);
  });

  it('leaves out a sequence that only an existing space would use', () => {
    const { 284: _, 285: __, 340: ___, ...without } = TARGET;
    deepEqual(shown(plan('replace', without)), NEW);
  });

  it('drops views before tables, drops indexes from the last on, and recreates everything', () => {
    const found = plan('drop');
    deepEqual(found.conflicts, []);
    deepEqual(
      found.drops.map(({ what }) => what),
      [
        "counter of view 'names'",
        "view 'names'",
        "sequence 'users_seq' of space 'users'",
        "index 'mine' of space 'users'",
        "index 'main' of space 'users'",
        "counter of space 'users'",
        "space 'users'",
        "value of sequence 'users_seq'",
        "sequence 'users_seq'",
      ],
    );
    deepEqual(destinations(found), [
      [512, 'users', 'error', false, undefined],
      [515, 'log', 'error', false, undefined],
    ]);
  });

  it('refuses to drop a space that other objects depend on', () => {
    const others = [
      spaceRow(602, 'more', { flags: { view: true, sql: 'SELECT "id" FROM "users"' } }),
      spaceRow(603, 'child', { flags: { foreign_key: { up: { space: 600, field: {} } } } }),
    ];
    const target = {
      ...TARGET,
      280: [...TARGET[280]!, ...others],
      356: [['sql', 513, 600]],
    };
    deepEqual(plan('drop', target).conflicts, [
      "space 'users' cannot be dropped: foreign key 'up' of 'child' refers to it",
      "space 'users' cannot be dropped: foreign key 'sql' of 'other' refers to it",
      "space 'users' cannot be dropped: view 'more' uses it",
    ]);
  });

  it('lists grants that are dropped with a space, unless they are granted again', () => {
    const target = {
      ...TARGET,
      304: [...BUILTIN_USERS, [32, 1, 'ann', 'user', {}], [33, 1, 'bob', 'user', {}]],
      312: [
        [1, 32, 'space', 600, 1],
        [1, 33, 'space', 600, 3],
      ],
    };
    const ofBob =
      "grant of read,write on space 'users' to user 'bob' exists on the target and is dropped with its object";
    const ofAnn =
      "grant of read on space 'users' to user 'ann' exists on the target and is dropped with its object";
    deepEqual(plan('drop', target).losses, [ofBob]);
    deepEqual(plan('drop', target, { without: { privileges: true } }).losses, [ofAnn, ofBob]);
  });

  it('moves on a sequence that a new space needs, also with skip', () => {
    const backup = { ...BACKUP, 340: [[513, 1, false, 0, '']] };
    const behind = { ...TARGET, 285: [[7, 5]] };
    const found = planRestore(catalogOf(backup), catalogOf(behind), { existing: 'skip' });
    deepEqual(shown(found), [
      ...NEW,
      "insert sequence 'users_seq' of space 'log'",
      "replace value of sequence 'users_seq'",
    ]);
  });

  it('keeps grants on kept sequences', () => {
    const backup = { ...BACKUP, 312: [[1, 32, 'sequence', 1, 1]] };
    const found = planRestore(catalogOf(backup), catalogOf(TARGET), { existing: 'truncate' });
    deepEqual(shown(found), [...NEW, "truncate space 'users'"]);
  });

  it('lists the parts that a kept space lacks', () => {
    const { 340: _, ...target } = TARGET;
    const line =
      "space 'users' is kept without these parts of the backup: index 'pk'; index 'name'; a sequence";
    deepEqual(plan('skip', target).notes, [line]);
  });

  it('lists all parts that an interrupted restore may not have created', () => {
    const flags = { is_sync: true, constraint: { total: 20 } };
    const format = [
      { name: 'id', type: 'unsigned', constraint: { positive: 21 }, default: 1 },
      { name: 'up', type: 'unsigned', foreign_key: { parent: { space: 513, field: 'id' } } },
    ];
    const backup = {
      ...BACKUP,
      280: [spaceRow(512, 'users', { flags, format }), spaceRow(513, 'log')],
      328: [['note', 512, { sql: 'CREATE TRIGGER' }]],
      356: [['of_sql', 512, 513, false, 'simple', 'cascade', 'cascade', [0], [0]]],
      364: [[512, 'positive', false, 'SQL', '"id" > 0', true]],
      372: [[512, 1, 22]],
    };
    const { notes } = planRestore(catalogOf(backup), catalogOf(TARGET), { existing: 'truncate' });
    deepEqual(
      notes.filter((line) => line.includes('is kept without')),
      [
        "space 'users' is kept without these parts of the backup: index 'pk'; index 'name'; foreign key 'of_sql'; check 'positive'; trigger 'note'; the function of index 'name'; is_sync; constraint 'total'; constraint 'positive' of field 'id'; default of field 'id'; foreign key 'parent'",
      ],
    );
    const same = { ...backup, 304: BUILTIN_USERS };
    deepEqual(planRestore(catalogOf(backup), catalogOf(same), { existing: 'skip' }).notes, []);
  });

  it('refuses a built-in space and a space that is lost at a restart', () => {
    const fleeting = spaceRow(600, 'users', { flags: { type: 'temporary' } });
    for (const there of [fleeting, spaceRow(400, 'users')]) {
      for (const existing of ['skip', 'replace', 'truncate'] as const) {
        const { conflicts } = plan(existing, { 280: [there], 304: BUILTIN_USERS });
        const reason = "space 'users' already exists as a built-in or temporary object";
        deepEqual(conflicts, [reason]);
      }
    }
  });

  it('lists foreign keys of new spaces that refer to kept spaces', () => {
    const child = spaceRow(513, 'log', {
      flags: { foreign_key: { up: { space: 512, field: { 0: 0 } } } },
    });
    const backup = { ...BACKUP, 280: [BACKUP[280]![0]!, child] };
    const { notes } = planRestore(catalogOf(backup), catalogOf(TARGET), { existing: 'skip' });
    deepEqual(
      notes.filter((line) => line.startsWith('foreign key')),
      [
        "foreign key 'up' of 'log' refers to 'users', which is kept: if an index or rows are missing there, the restore fails after loading the rows",
      ],
    );
  });
});
