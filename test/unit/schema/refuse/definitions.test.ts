import { deepEqual, equal } from 'node:assert/strict';
import { planRestore } from '../../../../lib/schema/plan/plan.js';
import { versionsOf } from '../../../../lib/schema/server/release.js';
import type { Value } from '../../../../lib/tuple/codec.js';
import type { Plain } from '../../../support/msgpack.js';
import {
  BUILTIN_USERS,
  catalogOf,
  EMPTY,
  indexRow,
  type SystemRows,
  spaceRow,
  valuesOf,
} from '../catalogs.js';

const ROLES: Plain[][] = [
  [40, 1, 'ra', 'role', {}],
  [41, 1, 'rb', 'role', {}],
];
const SPACE: SystemRows = { 280: [spaceRow(512, 's')], 288: [indexRow(512, 0, 'pk')] };

function plan(backup: SystemRows, target: SystemRows = EMPTY, version = '2.6.0') {
  const versions = versionsOf(version);
  const releases = { source: versions, target: versions };
  return planRestore(catalogOf(backup), catalogOf(target), { releases });
}

describe('refusedDefinitions', () => {
  it('accepts a database that a server can have', () => {
    deepEqual(plan({ ...SPACE, 304: ROLES, 312: [[1, 40, 'role', 41, 4]] }).refused, []);
  });

  it('refuses a role that contains itself through others', () => {
    const grants: Plain[][] = [
      [1, 40, 'role', 41, 4],
      [1, 41, 'role', 40, 4],
    ];
    deepEqual(plan({ 304: ROLES, 312: grants }).refused, [
      "grant of role 'ra' to role 'rb': roles would contain each other",
    ]);
  });

  it('refuses a role that contains itself through a grant of the target', () => {
    const target = {
      304: [...BUILTIN_USERS, [50, 1, 'rb', 'role', {}], [51, 1, 'ra', 'role', {}]],
      312: [[1, 50, 'role', 51, 4]],
    };
    const { refused } = planRestore(
      catalogOf({ 304: ROLES, 312: [[1, 40, 'role', 41, 4]] }),
      catalogOf(target),
      { without: { users: true } },
    );
    deepEqual(refused, ["grant of role 'rb' to role 'ra': roles would contain each other"]);
  });

  it('refuses a user with an empty hash only on servers of 2.11 and newer', () => {
    const users = { 304: [[40, 1, 'ann', 'user', { 'chap-sha1': '' }]] };
    deepEqual(plan(users, EMPTY, '2.8.4').refused, []);
    deepEqual(plan(users, EMPTY, '2.11.0').refused, ["user 'ann': its password is not a hash"]);
  });

  it('refuses a password that is not a string, whatever its method is', () => {
    for (const method of ['chap-sha1', 'CHAP-SHA1', 'chap-sha1x']) {
      const users = { 304: [[40, 1, 'ann', 'user', { [method]: 5 }]] };
      deepEqual(plan(users).refused, ["user 'ann': its password is not a hash"], method);
    }
  });

  it('refuses a type of object with the name of a property of every JavaScript object', () => {
    for (const type of ['constructor', '__proto__', 'toString']) {
      const { refused } = plan({ 304: ROLES, 312: [[1, 40, type, 512, 1]] });
      equal(refused.length, 1, type);
    }
  });

  it('refuses a circle of views, which cannot be created one after the other', () => {
    const view = (id: number, name: string, sql: string): Plain[] =>
      spaceRow(id, name, { flags: { view: true, sql } });
    const circle = {
      280: [
        view(600, 'A', 'CREATE VIEW a AS SELECT 1 FROM t, b'),
        view(601, 'B', 'CREATE VIEW b AS SELECT 1 FROM (SELECT 2 FROM "C")'),
        view(602, 'C', 'CREATE VIEW c AS SELECT 1 FROM a'),
      ],
    };
    equal(plan(circle).refused.length, 1);
    const alias = view(600, 'A', 'CREATE VIEW a AS SELECT a.x FROM t AS a');
    const own = view(601, 'B', 'CREATE VIEW b AS WITH b AS (SELECT 1) SELECT * FROM b');
    deepEqual(plan({ 280: [alias, own] }).refused, []);
  });

  it('does not search names that a newer server may know', () => {
    const odd = {
      280: [spaceRow(512, 's', { format: [{ name: 'a', type: 'quaternion' }] })],
      288: [indexRow(512, 0, 'pk')],
    };
    equal(plan(odd, EMPTY, '3.2.1').refused.length, 1);
    deepEqual(plan(odd, EMPTY, '4.0.0').refused, []);
  });
});

describe('the grantor of a grant', () => {
  const grantorsOf = (version: string, owner: number): Value[] => {
    const space = spaceRow(512, 's').with(1, owner);
    const users = [
      [40, 1, 'ann', 'user', {}],
      [41, 1, 'bob', 'user', {}],
    ];
    const backup = { 280: [space], 288: [indexRow(512, 0, 'pk')], 304: users };
    const { grants } = plan({ ...backup, 312: [[40, 41, 'space', 512, 1]] }, EMPTY, version);
    return grants.map((step) => valuesOf(step)[0]!);
  };

  it('is kept if the grantor owns the object', () => deepEqual(grantorsOf('2.6.0', 40), [40]));

  it('becomes admin if another user owns the object, because servers before 3.6 refuse the grant', () => {
    deepEqual(grantorsOf('2.6.0', 41), [1]);
    deepEqual(grantorsOf('3.6.0', 41), [40]);
  });
});
