import { deepEqual } from 'node:assert/strict';
import type { Releases } from '../../../../lib/schema/plan/options.js';
import { planRestore, type RestorePlan } from '../../../../lib/schema/plan/plan.js';
import { versionsOf } from '../../../../lib/schema/server/release.js';
import type { Plain } from '../../../support/msgpack.js';
import { BUILTIN_USERS, catalogOf, type SystemRows, valuesOf } from '../catalogs.js';

const CONFIG = { origins: { config: true } };
const PASSWORD = { 'chap-sha1': 'x' };

/** Returns a user in the form of 2.11, or of 3.6 and newer if a configuration manages it. */
function user(id: number, name: string, options?: Plain): Plain[] {
  return [id, 1, name, 'user', PASSWORD, [], 5, ...(options === undefined ? [] : [options])];
}

/** Returns a grant on the universe, by hand and by a configuration. */
function grant(grantee: number, bits: number, origins?: Plain): Plain[] {
  return [1, grantee, 'universe', 0, bits, ...(origins === undefined ? [] : [{ origins }])];
}

const LATE: Releases = { source: versionsOf('3.9.0'), target: versionsOf('3.9.0') };

function plan(backup: SystemRows, target: SystemRows, releases = LATE): RestorePlan {
  const there = { ...target, 304: [...BUILTIN_USERS, ...(target[304] ?? [])] };
  return planRestore(catalogOf(backup), catalogOf(there), { releases });
}

const grants = (found: RestorePlan): unknown[] => found.grants.map(valuesOf);

describe('users that a configuration manages', () => {
  it('are equal to users that somebody created, on either side', () => {
    for (const [ours, theirs] of [
      [undefined, CONFIG],
      [CONFIG, undefined],
      [CONFIG, { origins: { config: true, '': true } }],
    ]) {
      const { conflicts, used } = plan(
        { 304: [user(32, 'app', ours)] },
        { 304: [user(40, 'app', theirs)] },
      );
      deepEqual(conflicts, []);
      deepEqual(used, [{ type: 'user', what: "user 'app'" }]);
    }
  });

  it('are a conflict if their passwords differ', () => {
    const { conflicts } = plan(
      { 304: [user(32, 'app')] },
      { 304: [[40, 1, 'app', 'user', { 'chap-sha1': 'y' }, [], 5, CONFIG]] },
    );
    deepEqual(conflicts, ["user 'app' already exists with a different definition"]);
  });

  it('are listed if the configuration of the target would drop them', () => {
    const backup = { 304: [user(32, 'app', CONFIG), user(33, 'ours', CONFIG), user(34, 'lua')] };
    const { notes } = plan(backup, { 304: [user(40, 'app', CONFIG)] });
    deepEqual(notes, [
      "user 'ours': managed by the configuration of the source; add to the configuration of the target, or the next reload there drops it",
    ]);
    deepEqual(plan(backup, {}).notes, []);
  });

  it('become ordinary users on servers that do not record origins', () => {
    const backup = {
      304: [user(32, 'app', CONFIG)],
      312: [grant(32, 28, { config: 4, '': 24 })],
    };
    const rows = (releases: Releases): unknown[] => {
      const { before, grants: given, unsupported } = plan(backup, {}, releases);
      deepEqual(unsupported, []);
      return [...before, ...given].map(valuesOf);
    };
    deepEqual(rows(LATE), [...backup[304], ...backup[312]]);
    deepEqual(rows({ source: versionsOf('3.9.0'), target: versionsOf('3.2.0') }), [
      user(32, 'app'),
      ...backup[312],
    ]);
    deepEqual(rows({ source: versionsOf('3.9.0'), target: versionsOf('2.11.0') }), [
      user(32, 'app'),
      grant(32, 28),
    ]);
    const { notes } = plan(
      backup,
      {},
      { source: versionsOf('3.9.0'), target: versionsOf('2.11.0') },
    );
    deepEqual(notes, [
      "user 'app': managed by the configuration of the source; servers before 3.6 do not record that",
    ]);
  });
});

describe('grants that a configuration manages', () => {
  const THEIRS = { 304: [user(32, 'app')] };
  const between = (ours: Plain[], theirs: Plain[]): RestorePlan =>
    plan({ ...THEIRS, 312: [ours] }, { ...THEIRS, 312: [theirs] });

  it('are kept if the backup permits the same', () => {
    for (const [ours, theirs] of [
      [grant(32, 5), grant(32, 5, { config: 5 })],
      [grant(32, 5, { config: 5 }), grant(32, 5)],
      [grant(32, 5, { config: 4, '': 1 }), grant(32, 5, { config: 1, '': 4 })],
    ] as const) {
      const found = between(ours, theirs);
      deepEqual([grants(found), found.notes], [[], []]);
    }
  });

  it('are kept with those of the backup, which replace only what was granted by hand', () => {
    const found = between(grant(32, 3), grant(32, 12, { config: 4, '': 8 }));
    deepEqual(grants(found), [grant(32, 7, { '': 3, config: 4 })]);
    const add = between(grant(32, 3), grant(32, 4, { config: 4 }));
    deepEqual(grants(add), [grant(32, 7, { '': 3, config: 4 })]);
    const all = between(grant(32, 0xffffffff), grant(32, 4, { config: 4 }));
    deepEqual(grants(all), [grant(32, 0xffffffff, { '': 0xffffffff, config: 4 })]);
  });

  it("are restored if the target's configuration has none", () => {
    const found = between(grant(32, 3, { config: 3 }), grant(32, 8));
    deepEqual(grants(found), [grant(32, 3, { config: 3 })]);
  });
});
