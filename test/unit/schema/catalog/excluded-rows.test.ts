import { deepEqual, equal } from 'node:assert/strict';
import type { PlanOptions } from '../../../../lib/schema/plan/options.js';
import { planRestore, type RestorePlan } from '../../../../lib/schema/plan/plan.js';
import { versionsOf } from '../../../../lib/schema/server/release.js';
import type { Plain } from '../../../support/msgpack.js';
import { catalogOf, EMPTY, indexRow, type SystemRows, spaceRow } from '../catalogs.js';

const toParent = (id: number): Plain => ({
  foreign_key: { of_parent: { space: id, field: { 1: 0 } } },
});

/** Returns a space `parent`, and a space `child` with rows that refer to it. */
function family(parentId = 512, childId = 513): SystemRows {
  return {
    ...EMPTY,
    280: [spaceRow(parentId, 'parent'), spaceRow(childId, 'child', { flags: toParent(parentId) })],
    288: [indexRow(parentId, 0, 'pk'), indexRow(childId, 0, 'pk')],
  };
}

function planOf(
  target: SystemRows,
  excluded: number[],
  { backup = family(), ...options }: PlanOptions & { backup?: SystemRows } = {},
): RestorePlan {
  const releases = {
    source: versionsOf('3.2.0'),
    target: versionsOf('3.2.0'),
  } as PlanOptions['releases'];
  return planRestore(catalogOf(backup), catalogOf(target), {
    ...(releases && { releases }),
    ...options,
    excluded: new Set(excluded),
  });
}

const KEY = "foreign key 'of_parent' of 'child' refers to 'parent'";

describe('the plan of a restore of spaces with excluded rows', () => {
  it('creates the spaces, and says that they stay empty', () => {
    const { destinations, omissions, conflicts, brokenKeys } = planOf(EMPTY, [513]);
    // Otherwise nothing would be checked.
    deepEqual([...destinations.keys()], [512, 513]);
    deepEqual(omissions, ["rows of space 'child': they are excluded"]);
    deepEqual([conflicts, brokenKeys], [[], []]);
  });

  it('changes no row of the target if such a space is kept', () => {
    for (const existing of ['replace', 'truncate', 'skip'] as const) {
      const plan = planOf(family(700, 701), [513], { existing });
      const filled = existing === 'skip' ? [] : [512];
      deepEqual([...plan.destinations.keys()], filled, existing);
      equal(
        plan.omissions.includes(
          "rows of space 'child': they are excluded; the rows on the target are kept",
        ),
        true,
      );
      deepEqual(plan.losses, []);
      equal(
        plan.before.some(({ verb, what }) => verb === 'truncate' && what.includes('child')),
        false,
      );
    }
  });

  it('does not empty a space that kept rows of the target refer to', () => {
    deepEqual(planOf(family(700, 701), [513], { existing: 'truncate' }).conflicts, [
      "space 'parent' cannot be emptied: foreign key 'of_parent' of 'child' refers to it",
    ]);
  });

  it('lists rows that a drop removes and that are not restored', () => {
    const { losses, destinations } = planOf(family(700, 701), [513], { existing: 'drop' });
    deepEqual(losses, [
      "space 'child' is recreated without rows, because the rows of the backup are excluded",
    ]);
    deepEqual([...destinations.keys()], [512, 513]);
  });

  it('refuses rows whose foreign key the server would refuse after they are loaded', () => {
    deepEqual(planOf(EMPTY, [512]).brokenKeys, [KEY]);
    deepEqual(planOf(family(700, 701), [512], { existing: 'drop' }).brokenKeys, [KEY]);
    for (const excluded of [[513], [512, 513], []]) {
      deepEqual(planOf(EMPTY, excluded).brokenKeys, [], String(excluded));
    }
    deepEqual(planOf(EMPTY, [512], { only: 'schema' }).brokenKeys, []);
  });

  it('does not refuse a foreign key of a space without rows to restore', () => {
    const backup = family();
    const [parent] = backup[280]!;
    const flags = { ...(toParent(512) as object), temporary: true } as Plain;
    const temporary = { ...backup, 280: [parent!, spaceRow(513, 'child', { flags })] };
    deepEqual(planOf(EMPTY, [512], { backup: temporary }).brokenKeys, []);
  });

  it('warns about a foreign key of the target that loaded rows must satisfy', () => {
    const line = `some rows may be refused by 'child': ${KEY}, and rows of 'parent' are excluded`;
    for (const options of [{ existing: 'replace' }, { only: 'data' }] as PlanOptions[]) {
      const { notes, brokenKeys, conflicts } = planOf(family(700, 701), [512], options);
      deepEqual([brokenKeys, conflicts], [[], []]);
      equal(notes.includes(line), true, String(notes));
    }
  });

  it('fills a new space whose parent is kept, and says what may be missing there', () => {
    const target = { ...EMPTY, 280: [spaceRow(700, 'parent')], 288: [indexRow(700, 0, 'pk')] };
    const { notes, brokenKeys } = planOf(target, [512], { existing: 'replace' });
    deepEqual(brokenKeys, []);
    equal(
      notes.some((note) => note.startsWith(`${KEY}, which is kept`)),
      true,
      String(notes),
    );
  });

  it('does not require such spaces on the target if only rows are restored', () => {
    const { 280: [parent] = [], 288: [index] = [] } = family();
    const target = { ...EMPTY, 280: [parent!], 288: [index!] };
    const { conflicts, destinations } = planOf(target, [513], { only: 'data' });
    deepEqual(conflicts, []);
    deepEqual([...destinations.keys()], [512]);
  });

  it('accepts a foreign key that only SQL checks', () => {
    const backup: SystemRows = {
      ...EMPTY,
      280: [spaceRow(512, 'parent'), spaceRow(513, 'child')],
      288: [indexRow(512, 0, 'pk'), indexRow(513, 0, 'pk')],
      356: [['of_parent', 513, 512, false, 'simple', 'no_action', 'no_action', [1], [0]]],
    };
    const releases = { source: versionsOf('2.6.0'), target: versionsOf('2.6.0') };
    const { notes, brokenKeys } = planOf(EMPTY, [512], {
      backup,
      releases,
    });
    deepEqual(brokenKeys, []);
    deepEqual(notes, [
      `${KEY}; rows of 'parent' are excluded, so SQL may find references to missing rows`,
    ]);
  });
});
