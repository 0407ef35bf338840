import { deepEqual, equal, match } from 'node:assert/strict';
import { planRestore, type RestorePlan } from '../../../../lib/schema/plan/plan.js';
import { versionsOf } from '../../../../lib/schema/server/release.js';
import type { Plain } from '../../../support/msgpack.js';
import { catalogOf, indexRow, type SystemRows, spaceRow, valuesOf } from '../catalogs.js';

/** The definition of a space `till`. */
interface Till {
  id?: number;
  fieldCount?: number;
  format?: Plain;
  flags?: Plain;
  parts?: Plain;
}

function till({ id = 512, fieldCount = 0, parts, ...given }: Till): SystemRows {
  const space = spaceRow(id, 'till', given);
  space[4] = fieldCount;
  return { 280: [space], 288: [indexRow(id, 0, 'pk', parts === undefined ? {} : { parts })] };
}

function planOf(backup: SystemRows, target: SystemRows, release = '3.2.1'): RestorePlan {
  const versions = versionsOf(release);
  const releases = { source: versions, target: versions };
  return planRestore(catalogOf(backup), catalogOf(target), { only: 'data', releases });
}

const field = (name: string, type: string, more: Record<string, Plain> = {}): Plain => ({
  name,
  type,
  ...more,
});
const ID = field('id', 'unsigned');
const NULLABLE = { is_nullable: true };

describe('the plan of a restore of rows alone', () => {
  it('finds spaces by name, whatever their ids are, and creates nothing', () => {
    const { ids, before, after, grants, conflicts, notes } = planOf(till({}), till({ id: 700 }));
    equal(ids.find('space', 512), 700);
    deepEqual(
      { before, after, grants, conflicts, notes },
      {
        before: [],
        after: [],
        grants: [],
        conflicts: [],
        notes: [],
      },
    );
  });

  it('refuses a space that does not exist or cannot hold rows', () => {
    deepEqual(planOf(till({}), {}).conflicts, [
      "rows cannot be loaded into 'till': it does not exist",
    ]);
    const view = till({ flags: { view: true } });
    match(String(planOf(till({}), view).conflicts), /'till': a view/);
  });

  describe('refuses what no row can satisfy:', () => {
    const refused = (backup: Till, target: Till, ...reasons: string[]): void => {
      deepEqual(
        planOf(till(backup), till(target)).conflicts,
        reasons.map((reason) => `rows cannot be loaded into 'till': ${reason}`),
      );
    };

    it('a different number of fields', () => {
      refused(
        { fieldCount: 2 },
        { fieldCount: 3 },
        'its rows have 2 fields, and the target requires 3',
      );
      refused(
        { format: [ID, field('sum', 'number'), field('at', 'any')] },
        { fieldCount: 2 },
        'its rows have 3 fields or more, and the target requires 2',
      );
    });

    it('a required field that its rows do not have', () => {
      const format = [ID, field('sum', 'number')];
      refused({ fieldCount: 1 }, { format }, "field 2 'sum' is required on the target");
    });

    it('a different type of the primary key', () => {
      refused(
        { parts: [{ field: 0, type: 'string' }] },
        {},
        'field 1 is string in the backup and unsigned on the target',
      );
      refused(
        {
          parts: [
            [0, 'STR'],
            [1, 'unsigned'],
          ],
        },
        { parts: [{ field: 1, type: 'string' }] },
        'field 2 is unsigned in the backup and string on the target',
      );
    });

    it('a different type of a field', () => {
      refused(
        { format: [ID, field('sum', 'number')] },
        { format: [ID, field('total', 'string')] },
        "field 2 'total' is number in the backup and string on the target",
      );
    });

    it('all of these at once', () => {
      refused(
        { fieldCount: 2, format: [ID, field('sum', 'number')] },
        { fieldCount: 3, format: [field('id', 'uuid'), field('sum', 'map')], parts: [] },
        'its rows have 2 fields, and the target requires 3',
        "field 1 'id' is unsigned in the backup and uuid on the target",
        "field 2 'sum' is number in the backup and map on the target",
      );
    });
  });

  describe('notes what some rows may not satisfy:', () => {
    const noted = (backup: Till, target: Till, reason: string, release?: string): void => {
      const { conflicts, notes } = planOf(till(backup), till(target), release);
      deepEqual([conflicts, notes], [[], [`some rows may be refused by 'till': ${reason}`]]);
    };

    it('a narrower type', () => {
      noted(
        { format: [ID, field('sum', 'number')] },
        { format: [ID, field('sum', 'unsigned')] },
        "field 2 'sum' is number in the backup and unsigned on the target",
      );
      noted(
        { format: [ID, field('sum', 'unsigned')] },
        { format: [ID, field('sum', 'uint8')] },
        "field 2 'sum' is unsigned in the backup and uint8 on the target",
      );
    });

    it('a different type if all values may be null', () => {
      noted(
        { format: [ID, field('sum', 'number', NULLABLE)] },
        { format: [ID, field('sum', 'string', NULLABLE)] },
        "field 2 'sum' is number in the backup and string on the target",
      );
    });

    it('a required field', () => {
      for (const format of [[ID, field('sum', 'number', NULLABLE)], [ID], []]) {
        noted(
          { format },
          { format: [ID, field('sum', 'number')] },
          "field 2 'sum' must not be null on the target",
        );
      }
    });

    it('a number of fields if the backup has none', () => {
      noted({ format: [ID] }, { fieldCount: 3 }, 'the target requires rows of 3 fields');
    });

    it('a default, from 3.0 on, if rows may lack its field', () => {
      const target = { format: [ID, field('sum', 'number', { ...NULLABLE, default: 0 })] };
      noted(
        { format: [ID, field('sum', 'number', NULLABLE)] },
        target,
        "field 2 'sum' has a default on the target, and a row that the default would change stops the restore",
      );
      const filled = { format: [ID, field('sum', 'number')] };
      deepEqual(planOf(till(filled), till(target)).notes, []);
      deepEqual(planOf(till({}), till(target), '2.11.5').notes, []);
    });
  });

  it('says nothing if all rows fit', () => {
    for (const [backup, target] of [
      [{}, {}],
      [{ fieldCount: 2 }, {}],
      [{ format: [ID, field('sum', 'unsigned')] }, { format: [ID, field('n', 'NUMBER')] }],
      [{ format: [ID, field('sum', 'map')] }, { format: [ID, field('sum', 'any', NULLABLE)] }],
      [{ parts: [[0, 'unsigned']] }, { parts: [{ field: 0, type: 'scalar' }] }],
      [{}, { parts: [{ field: 0, type: 'string', path: 'id' }] }],
    ] satisfies [Till, Till][]) {
      const { conflicts, notes } = planOf(till(backup), till(target));
      deepEqual([conflicts, notes], [[], []]);
    }
  });

  it("treats the parts of a functional index as parts of the function's result", () => {
    const target = till({});
    const parts = [{ field: 0, type: 'string' }];
    const index = indexRow(512, 1, 'by_name', { options: { func: 70 }, parts });
    const { conflicts } = planOf(till({}), { ...target, 288: [...target[288]!, index] });
    deepEqual(conflicts, []);
  });

  describe('with foreign keys of the target', () => {
    const key = (space?: number): Plain => ({
      foreign_key: { owner: { ...(space === undefined ? {} : { space }), field: 'id' } },
    });
    const conflictsOf = (flags: Plain, format: Plain = []): string[] => {
      const spaces = [spaceRow(512, 'till', { flags, format }), spaceRow(513, 'shop')];
      const indexes = [indexRow(512, 0, 'pk'), indexRow(513, 0, 'pk')];
      const backup = [spaceRow(600, 'till'), spaceRow(601, 'shop')];
      const keys = [indexRow(600, 0, 'pk'), indexRow(601, 0, 'pk')];
      const other = [spaceRow(514, 'other'), indexRow(514, 0, 'pk')] as const;
      return planOf(
        { 280: backup, 288: keys },
        { 280: [...spaces, other[0]], 288: [...indexes, other[1]] },
      ).conflicts;
    };
    const told = (parent: string): string[] => [
      `rows cannot be loaded into 'till': its foreign key 'owner' refers to ${parent}, and rows may be loaded before the rows that they refer to`,
    ];

    it('refuses one to another space that gets rows', () => {
      deepEqual(conflictsOf(key(513)), told("'shop'"));
      deepEqual(conflictsOf({}, [{ ...(key(513) as object), name: 'id' }]), told("'shop'"));
    });

    it('refuses one to the space itself', () => {
      for (const space of [undefined, 0, 512]) deepEqual(conflictsOf(key(space)), told('itself'));
    });

    it('accepts one to a space that gets no rows', () => deepEqual(conflictsOf(key(514)), []));
  });

  describe('for existing sequences', () => {
    const sequence = (id: number, step = 1): Plain[] => {
      return [id, 1, 'ids', step, -100, 1000, 1, 0, false];
    };
    const plan = (value: number, now?: number, step?: number): RestorePlan =>
      planOf(
        { 284: [sequence(1)], 285: [[1, value]] },
        { 284: [sequence(9, step)], ...(now === undefined ? {} : { 285: [[9, now]] }) },
      );
    const moved = ({ after }: RestorePlan): unknown[] => after.map(valuesOf);

    it('moves values on, and never back', () => {
      deepEqual(moved(plan(41)), [[9, 41]]);
      deepEqual(moved(plan(41, 40)), [[9, 41]]);
      deepEqual(moved(plan(41, 41)), []);
      deepEqual(moved(plan(41, 42)), []);
      deepEqual(moved(plan(41, 42, -1)), [[9, 41]]);
      deepEqual(moved(plan(41, 40, -1)), []);
    });

    it('keeps values within their bounds, and reports the others', () => {
      for (const value of [1001, -101]) {
        const found = plan(value);
        deepEqual(moved(found), []);
        equal(
          found.omissions.at(-1),
          `value of sequence 'ids': ${value} is outside its bounds on the target, -100 to 1000`,
        );
      }
    });

    it('does the same with values at the end of the backup', () => {
      const found = plan(41, 40);
      const late = found.lateValues([{ id: 1, value: '42' }]);
      deepEqual([late.steps.map(valuesOf), late.omissions], [[[9, 42]], []]);
      const { steps, omissions } = found.lateValues([{ id: 1, value: '2000' }]);
      deepEqual(steps, []);
      match(String(omissions), /^value of sequence 'ids': 2000 is outside/);
    });
  });
});
