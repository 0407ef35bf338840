import { deepEqual, equal } from 'node:assert/strict';
import type { PlanOptions } from '../../../../lib/schema/plan/options.js';
import { planRestore, type RestorePlan } from '../../../../lib/schema/plan/plan.js';
import { versionsOf } from '../../../../lib/schema/server/release.js';
import type { Plain } from '../../../support/msgpack.js';
import { catalogOf, EMPTY, indexRow, type SystemRows, spaceRow } from '../catalogs.js';

const toParent = (id: number): Plain => ({
  foreign_key: { of_parent: { space: id, field: { 1: 0 } } },
});

/** A space `parent`, and a space `child` whose rows refer to those of it. */
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

describe('the plan of a restore of spaces whose rows are excluded', () => {
  it('makes them, and says that they stay empty', () => {
    const { destinations, omissions, conflicts, brokenKeys } = planOf(EMPTY, [513]);
    // so that it is checked that they are
    deepEqual([...destinations.keys()], [512, 513]);
    deepEqual(omissions, ["rows of space 'child': they are excluded"]);
    deepEqual([conflicts, brokenKeys], [[], []]);
  });

  it('touches no row of the target where such a space stays', () => {
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

  it('does not empty a space to which rows of the target refer that stay', () => {
    deepEqual(planOf(family(700, 701), [513], { existing: 'truncate' }).conflicts, [
      "space 'parent' cannot be emptied: foreign key 'of_parent' of 'child' refers to it",
    ]);
  });

  it('names the rows that a drop takes, and that do not come back', () => {
    const { losses, destinations } = planOf(family(700, 701), [513], { existing: 'drop' });
    deepEqual(losses, [
      "space 'child' is recreated without rows, because the rows of the backup are excluded",
    ]);
    deepEqual([...destinations.keys()], [512, 513]);
  });

  it('refuses rows whose foreign key the server would refuse when they are there', () => {
    deepEqual(planOf(EMPTY, [512]).brokenKeys, [KEY]);
    deepEqual(planOf(family(700, 701), [512], { existing: 'drop' }).brokenKeys, [KEY]);
    for (const excluded of [[513], [512, 513], []]) {
      deepEqual(planOf(EMPTY, excluded).brokenKeys, [], String(excluded));
    }
    deepEqual(planOf(EMPTY, [512], { only: 'schema' }).brokenKeys, []);
  });

  it('refuses no foreign key of a space that has no rows to restore', () => {
    const backup = family();
    const [parent] = backup[280]!;
    const flags = { ...(toParent(512) as object), temporary: true } as Plain;
    const temporary = { ...backup, 280: [parent!, spaceRow(513, 'child', { flags })] };
    deepEqual(planOf(EMPTY, [512], { backup: temporary }).brokenKeys, []);
  });

  it('warns of a foreign key of the target that rows meet there', () => {
    const line = `some rows may be refused by 'child': ${KEY}, and rows of 'parent' are excluded`;
    for (const options of [{ existing: 'replace' }, { only: 'data' }] as PlanOptions[]) {
      const { notes, brokenKeys, conflicts } = planOf(family(700, 701), [512], options);
      deepEqual([brokenKeys, conflicts], [[], []]);
      equal(notes.includes(line), true, String(notes));
    }
  });

  it('fills a new space whose parent stays, and says what may be missing there', () => {
    const target = { ...EMPTY, 280: [spaceRow(700, 'parent')], 288: [indexRow(700, 0, 'pk')] };
    const { notes, brokenKeys } = planOf(target, [512], { existing: 'replace' });
    deepEqual(brokenKeys, []);
    equal(
      notes.some((note) => note.startsWith(`${KEY}, which is kept`)),
      true,
      String(notes),
    );
  });

  it('asks for no space of theirs where rows alone are restored', () => {
    const { 280: [parent] = [], 288: [index] = [] } = family();
    const target = { ...EMPTY, 280: [parent!], 288: [index!] };
    const { conflicts, destinations } = planOf(target, [513], { only: 'data' });
    deepEqual(conflicts, []);
    deepEqual([...destinations.keys()], [512]);
  });

  it('takes a foreign key that only SQL looks at for no obstacle', () => {
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
