import { deepEqual } from 'node:assert/strict';
import { compareDefinitions, showDefinition } from '../../lib/diff/definitions.js';
import { silent } from '../../lib/report.js';
import { versionsOf } from '../../lib/schema/release.js';
import { catalogOf, indexRow, type SystemRows, spaceRow } from '../schema/catalogs.js';
import type { Plain } from '../support/msgpack.js';

const USERS = spaceRow(512, 'users', {
  format: [
    { name: 'id', type: 'unsigned' },
    { name: 'age', type: 'unsigned' },
  ],
});
const PRIMARY = indexRow(512, 0, 'pk');
const ANN: Plain[] = [32, 1, 'ann', 'user', { 'chap-sha1': 'secret of ann' }];
const GRANT: Plain[] = [1, 32, 'space', 512, 3];

function shown(left: SystemRows, right: SystemRows, releases?: [string, string]): string[] {
  const [a, b] = releases ?? ['2.11.5', '2.11.5'];
  const manifest = { revoked: [] };
  return compareDefinitions(
    { catalog: catalogOf(left), versions: versionsOf(a), manifest },
    { catalog: catalogOf(right), versions: versionsOf(b), manifest },
    silent,
  ).map(showDefinition);
}

describe('definitions that are compared', () => {
  for (const [title, left, right, expected] of [
    ['are the same as themselves', { 280: [USERS] }, { 280: [USERS] }, []],
    [
      'are the same under other ids',
      { 280: [USERS], 288: [PRIMARY], 304: [ANN], 312: [GRANT] },
      {
        280: [[600, ...USERS.slice(1)]],
        288: [[600, ...PRIMARY.slice(1)]],
        304: [[40, ...ANN.slice(1)]],
        312: [[1, 40, 'space', 600, 3]],
      },
      [],
    ],
    [
      'tell the engine and the fields of a space',
      { 280: [USERS] },
      {
        280: [
          spaceRow(512, 'users', {
            engine: 'vinyl',
            format: [
              { name: 'id', type: 'unsigned' },
              { name: 'age', type: 'integer', is_nullable: true },
            ],
          }),
        ],
      },
      [
        "~ space 'users': engine memtx -> vinyl; field 2 'age' type unsigned -> integer; field 2 'age' is_nullable none -> true",
      ],
    ],
    [
      'tell what is on one side only',
      { 280: [USERS], 288: [PRIMARY, indexRow(512, 1, 'age')] },
      { 280: [USERS, spaceRow(513, 'more')], 288: [PRIMARY] },
      ["- index 'age' of space 'users'", "+ space 'more'"],
    ],
    [
      'tell the parts of an index',
      { 280: [USERS], 288: [PRIMARY] },
      { 280: [USERS], 288: [indexRow(512, 0, 'pk', { parts: [[1, 'STR']] })] },
      ["~ index 'pk' of space 'users': parts field 1 unsigned -> field 2 str"],
    ],
    [
      'show no hash of a password',
      { 304: [ANN] },
      { 304: [[32, 1, 'ann', 'user', { 'chap-sha1': 'another' }]] },
      ["~ user 'ann': password differs"],
    ],
    [
      'tell privileges, whoever granted them',
      { 280: [USERS], 304: [ANN], 312: [GRANT, [1, 32, 'universe', 0, 24]] },
      { 280: [USERS], 304: [ANN], 312: [[32, 32, 'space', 512, 1]] },
      [
        "~ grant on space 'users' to user 'ann': privileges read,write -> read",
        "- grant of session,usage on universe to user 'ann'",
      ],
    ],
    [
      'tell values of sequences',
      { 284: [[1, 1, 'ids', 1, 1, 100, 1, 0, false]], 285: [[1, 7]] },
      { 284: [[9, 1, 'ids', 2, 1, 100, 1, 0, false]], 285: [[9, 8]] },
      ["~ sequence 'ids': step 1 -> 2; value 7 -> 8"],
    ],
    [
      'do not mind when a function was made, nor how vinyl numbers an index',
      { 280: [USERS], 288: [indexRow(512, 0, 'pk', { options: { unique: true, lsn: 5 } })] },
      { 280: [USERS], 288: [indexRow(512, 0, 'pk', { options: { lsn: 9, unique: true } })] },
      [],
    ],
    [
      'tell marks of applications',
      { 272: [['oncedone']] },
      { 272: [['oncemore']] },
      ["- mark 'oncedone'", "+ mark 'oncemore'"],
    ],
  ] as readonly [string, SystemRows, SystemRows, string[]][]) {
    it(title, () => {
      deepEqual(shown(left, right), expected);
    });
  }

  it('do not mind what 3.x says in another way', () => {
    const old = { 280: [spaceRow(512, 'cache', { flags: { temporary: true } })] };
    const late = { 280: [spaceRow(512, 'cache', { flags: { type: 'data-temporary' } })] };
    deepEqual(shown(old, late, ['2.6.0', '3.2.1']), []);
    deepEqual(shown(late, old, ['3.2.1', '2.6.0']), []);
  });
});
