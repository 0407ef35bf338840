import { deepEqual, doesNotThrow, equal } from 'node:assert/strict';
import { dataOnly } from '../../../lib/filters/data-only.js';
import { listedSpaces } from '../../../lib/filters/filter.js';
import type { Head } from '../../../lib/schema/catalog/preamble.js';
import { validate } from '../../../lib/schema/read/validate.js';
import { SYSTEM_SPACES } from '../../../lib/schema/server/system-spaces.js';
import { indexRow, type SystemRows, spaceRow } from '../schema/catalogs.js';
import { headOf } from './heads.js';

const FORMAT = [
  { name: 'id', type: 'unsigned', constraint: { positive: 60 }, is_nullable: false },
  { name: 'name', type: 'string', collation: 300, default: 'x', default_func: 60 },
];
const ROWS: SystemRows = {
  272: [['once', true]],
  276: [[300, 'mine', 1, 'ICU', 'en', {}]],
  280: [
    spaceRow(512, 'users', {
      format: FORMAT,
      flags: { group_id: 1, foreign_key: { up: { space: 513, field: { 0: 0 } } } },
    }),
    spaceRow(513, 'scratch', { flags: { temporary: true } }),
    spaceRow(514, 'names', { flags: { view: true, sql: 'SELECT 1' } }),
  ],
  284: [[1, 1, 'ids', 1, 1, 100, 1, 0, false]],
  285: [[1, 7]],
  288: [
    indexRow(512, 0, 'primary', { options: { unique: true, func: 0 } }),
    indexRow(512, 1, 'name', { parts: [{ field: 1, type: 'string', collation: 300 }] }),
    indexRow(512, 2, 'lower', { options: { func: 60 } }),
  ],
  296: [[60, 32, 'lower', 0, 'LUA']],
  304: [[32, 1, 'ann', 'user', { 'chap-sha1': 'secret' }]],
  312: [[1, 32, 'space', 512, 1]],
  328: [['fired', 512, { sql: 'CREATE TRIGGER' }]],
  340: [
    [512, 1, false, 0, ''],
    [514, 1, false, 0, ''],
  ],
  356: [['up', 512, 513, false, 'simple', 'no_action', 'no_action', [0], [0]]],
  364: [[512, 'positive', false, 'SQL', 'id > 0', true]],
  372: [[512, 2, 60]],
};

async function left(): Promise<Head> {
  const whole = headOf(ROWS);
  const revoked = [{ grantee: 0, objectType: 'universe', objectId: 0 }];
  return (await dataOnly().head({ ...whole, manifest: { ...whole.manifest, revoked } })).head;
}

describe('dataOnly', () => {
  it('keeps tables, keys and sequences, and removes users, grants and code', async () => {
    const { catalog } = await left();
    const kept = SYSTEM_SPACES.map((id) => [id, catalog.rows(id).length]);
    deepEqual(
      kept.filter(([, count]) => count !== 0),
      [
        [280, 2],
        [284, 1],
        [285, 1],
        [288, 2],
        [340, 1],
      ],
    );
  });

  it('leaves nothing in a space that refers to a function, a collation or another space', async () => {
    const { catalog } = await left();
    const [users] = catalog.rows(280);
    deepEqual(users?.fields.slice(5), [
      { group_id: 1 },
      [
        { name: 'id', type: 'unsigned', is_nullable: false },
        { name: 'name', type: 'string' },
      ],
    ]);
    deepEqual(
      catalog.rows(288).map(({ fields }) => fields[5]),
      [[{ field: 0, type: 'unsigned' }], [{ field: 1, type: 'string' }]],
    );
  });

  it('keeps rows without such references unchanged', async () => {
    const plain = headOf({
      280: [spaceRow(512, 'users', { format: [{ name: 'id', type: 'unsigned' }] })],
      288: [indexRow(512, 0, 'primary')],
    });
    const { head } = await dataOnly().head(plain);
    for (const id of [280, 288]) equal(head.catalog.rows(id)[0], plain.catalog.rows(id)[0]);
  });

  it('returns valid definitions of an archive, and says what it is', async () => {
    const head = await left();
    doesNotThrow(() => validate(listedSpaces(head), head.catalog));
    const { only, revoked } = head.manifest;
    deepEqual({ only, revoked }, { only: 'data', revoked: [] });
    equal(dataOnly().partial, 'rows only');
  });
});
