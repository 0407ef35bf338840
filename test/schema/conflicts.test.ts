import { deepEqual } from 'node:assert/strict';
import { findConflicts } from '../../lib/schema/conflicts.js';
import { catalogOf, type SystemRows, spaceRow } from './catalogs.js';

const USER = [32, 1, 'app', 'user', { 'chap-sha1': 'x' }];
const FUNC = [66, 1, 'mine', 1, 'LUA', ''];
const SEQUENCE = [1, 1, 'ids', 1];
const COLLATION = [300, 'german', 1, 'ICU'];
/** What every server has. */
const SHIPPED: SystemRows = {
  280: [spaceRow(280, '_space'), spaceRow(304, '_user')],
  296: [
    [1, 1, 'box.schema.user.info', 1, 'LUA', ''],
    [2, 1, 'TRIM', 1, 'SQL_BUILTIN', ''],
  ],
  304: [[1, 1, 'admin', 'user', {}]],
};

describe('findConflicts', () => {
  for (const [title, backup, target, expected] of [
    ['nothing in an empty server', { 280: [spaceRow(512, 's')], 304: [USER], 296: [FUNC] }, {}, []],
    ['nothing in what both servers shipped', SHIPPED, {}, []],
    [
      'nothing in other names under other ids',
      { 280: [spaceRow(512, 's')] },
      { 280: [spaceRow(513, 't')] },
      [],
    ],
    [
      'nothing in things of other kinds',
      { 280: [spaceRow(512, 'x')] },
      { 304: [[512, 1, 'x', 'user', {}]] },
      [],
    ],
    ['nothing in an empty backup', {}, { 280: [spaceRow(512, 's')] }, []],
    [
      'nothing in what is there to the byte',
      { 304: [USER], 296: [FUNC], 284: [SEQUENCE], 276: [COLLATION] },
      { 304: [USER], 296: [FUNC], 284: [SEQUENCE], 276: [COLLATION] },
      [],
    ],
    [
      'a space of the same name',
      { 280: [spaceRow(512, 's')] },
      { 280: [spaceRow(513, 's')] },
      ["space 's' exists"],
    ],
    [
      'a space with the same id',
      { 280: [spaceRow(512, 's')] },
      { 280: [spaceRow(512, 't')] },
      ["space 's': its id 512 belongs to 't'"],
    ],
    [
      'a space that is there to the byte, for its rows would mix',
      { 280: [spaceRow(512, 's')] },
      { 280: [spaceRow(512, 's')] },
      ["space 's' exists"],
    ],
    [
      'a user of another password',
      { 304: [USER] },
      { 304: [[32, 1, 'app', 'user', {}]] },
      ["user or role 'app' exists"],
    ],
    [
      'a role where a user is',
      { 304: [USER] },
      { 304: [[40, 1, 'app', 'role', {}]] },
      ["user or role 'app' exists"],
    ],
    [
      'ids that the target gave to others, of each kind',
      { 304: [USER], 296: [FUNC], 284: [SEQUENCE], 276: [COLLATION] },
      {
        304: [[32, 1, 'other', 'user', {}]],
        296: [[66, 1, 'theirs', 1, 'LUA', '']],
        284: [[1, 1, 'numbers', 1]],
        276: [[300, 'french', 1, 'ICU']],
      },
      [
        "user or role 'app': its id 32 belongs to 'other'",
        "function 'mine': its id 66 belongs to 'theirs'",
        "sequence 'ids': its id 1 belongs to 'numbers'",
        "collation 'german': its id 300 belongs to 'french'",
      ],
    ],
    [
      'an id that the target gave to a function which it ships',
      { 296: [FUNC] },
      { 296: [[66, 1, 'TRIM', 1, 'SQL_BUILTIN', '']] },
      ["function 'mine': its id 66 belongs to 'TRIM'"],
    ],
    [
      'a name once, though its id is taken by another',
      { 280: [spaceRow(512, 's')] },
      { 280: [spaceRow(513, 's'), spaceRow(512, 't')] },
      ["space 's' exists"],
    ],
    [
      'every space that is in the way',
      { 280: [spaceRow(512, 'a'), spaceRow(513, 'b'), spaceRow(514, 'c')] },
      { 280: [spaceRow(512, 'a'), spaceRow(513, 'x')] },
      ["space 'a' exists", "space 'b': its id 513 belongs to 'x'"],
    ],
  ] as [string, SystemRows, SystemRows, string[]][]) {
    it(`finds ${title}`, () => {
      const everywhere = { ...SHIPPED };
      for (const [id, rows] of Object.entries(target)) {
        Object.assign(everywhere, { [id]: [...(SHIPPED[Number(id)] ?? []), ...rows] });
      }
      deepEqual(findConflicts(catalogOf(backup), catalogOf(everywhere)), expected);
    });
  }
});
