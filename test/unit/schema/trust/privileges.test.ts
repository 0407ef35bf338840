import { equal } from 'node:assert/strict';
import { Privileges } from '../../../../lib/schema/trust/privileges.js';
import type { Plain } from '../../../support/msgpack.js';
import { catalogOf } from '../catalogs.js';

const READ = 1;
const WRITE = 2;
const EXECUTE = 4;
const USAGE = 16;
const CREATE = 32;
const EVERYTHING = 0xffff;

const ANN = 32;
const BOB = 33;
const CLERK = 40;
const BOSS = 41;

const USERS: Plain[][] = [
  [0, 1, 'guest', 'user', {}],
  [1, 1, 'admin', 'user', {}],
  [2, 1, 'public', 'role', {}],
  [31, 1, 'super', 'role', {}],
  [ANN, 1, 'ann', 'user', {}],
  [BOB, 1, 'bob', 'user', {}],
  [CLERK, 1, 'clerk', 'role', {}],
  [BOSS, 1, 'boss', 'role', {}],
];
const MAY_LOG_IN: Plain[] = [1, ANN, 'universe', 0, 8 | USAGE];

/** Returns the privileges of ann, who may log in and has these grants. */
function privilegesOf(...grants: Plain[][]): Privileges {
  return new Privileges(catalogOf({ 304: USERS, 312: [MAY_LOG_IN, ...grants] }), 'ann');
}

describe('privileges', () => {
  const OF_ANN: Record<string, [grants: Plain[][], bits: number]> = {
    'on one space, by its id': [[[1, ANN, 'space', 512, READ]], READ],
    'on all spaces': [[[1, ANN, 'space', '', READ | WRITE]], READ | WRITE],
    'on the universe': [[[1, ANN, 'universe', 0, READ]], READ],
    'from all of these together': [
      [
        [1, ANN, 'space', 512, READ],
        [1, ANN, 'space', '', WRITE],
        [1, ANN, 'universe', 0, CREATE],
      ],
      READ | WRITE | CREATE,
    ],
    'from a role': [
      [
        [1, ANN, 'role', CLERK, EXECUTE],
        [1, CLERK, 'space', 512, READ],
      ],
      READ,
    ],
    'from a role in a role, and from both': [
      [
        [1, ANN, 'role', BOSS, EXECUTE],
        [1, BOSS, 'space', 512, WRITE],
        [1, BOSS, 'role', CLERK, EXECUTE],
        [1, CLERK, 'space', 512, READ],
      ],
      READ | WRITE,
    ],
    'from roles that have each other': [
      [
        [1, ANN, 'role', BOSS, EXECUTE],
        [1, BOSS, 'role', CLERK, EXECUTE],
        [1, CLERK, 'role', BOSS, EXECUTE],
        [1, CLERK, 'space', 512, READ],
      ],
      READ,
    ],
    'from public if the role is granted': [
      [
        [1, ANN, 'role', 2, EXECUTE],
        [1, 2, 'space', 512, READ],
      ],
      READ,
    ],
    'not from public if the role was revoked': [[[1, 2, 'space', 512, READ]], 0],
    'not from a role that may only be dropped': [
      [
        [1, ANN, 'role', CLERK, 64],
        [1, CLERK, 'space', 512, READ],
      ],
      0,
    ],
    'not from a grant on all roles': [
      [
        [1, ANN, 'role', '', EXECUTE | CREATE],
        [1, 0, 'space', 512, READ],
      ],
      0,
    ],
    'not from another space, type or user': [
      [
        [1, ANN, 'space', 513, READ],
        [1, ANN, 'sequence', 512, READ],
        [1, BOB, 'space', 512, READ],
      ],
      0,
    ],
  };
  for (const [where, [grants, bits]] of Object.entries(OF_ANN)) {
    it(`come ${where}`, () => {
      equal(privilegesOf(...grants).on('space', { id: 512, owner: 1 }), USAGE | 8 | bits);
    });
  }

  it("include everything except create on the user's own objects", () => {
    const own = privilegesOf().on('space', { id: 512, owner: ANN });
    equal(own & (READ | WRITE | CREATE), READ | WRITE);
  });

  it('are none without usage, even for an owner', () => {
    const catalog = catalogOf({ 304: USERS, 312: [[1, ANN, 'space', '', READ]] });
    equal(new Privileges(catalog, 'ann').on('space', { id: 512, owner: ANN }), 0);
  });

  it('are the bits that the server stores, of all that a row can hold', () => {
    equal(privilegesOf([1, ANN, 'universe', 0, 0xffffffff]).on('universe'), EVERYTHING);
  });

  it('are those of the user, not of a role with the same name', () => {
    const catalog = catalogOf({ 304: USERS, 312: [[1, CLERK, 'universe', 0, READ | USAGE]] });
    equal(new Privileges(catalog, 'clerk').on('universe'), 0);
  });

  it('are found in linear time', () => {
    const grants: Plain[][] = [];
    for (let role = 100; role < 20_000; role++) {
      grants.push([1, role, 'role', role + 1, EXECUTE], [1, role, 'space', role, READ]);
    }
    const privileges = privilegesOf([1, ANN, 'role', 100, EXECUTE], ...grants);
    equal(privileges.on('space', { id: 19_999 }) & READ, READ);
  });
});
