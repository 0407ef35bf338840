import { deepEqual, equal } from 'node:assert/strict';
import { renumberCollations } from '../../../../lib/schema/convert/old-collations.js';
import type { Plain } from '../../../support/msgpack.js';
import { catalogOf, indexRow, type SystemRows, spaceRow } from '../catalogs.js';

const version = (...numbers: number[]): Plain[] => ['version', ...numbers];
const SHIPPED: Plain[][] = [
  [1, 'unicode', 1, 'ICU', '', {}],
  [2, 'unicode_ci', 1, 'ICU', '', { strength: 'primary' }],
];
const OWN: Plain[] = [3, 'own', 1, 'ICU', 'ru_RU', {}];
const ROWS: SystemRows = {
  276: [...SHIPPED, OWN, [300, 'far', 1, 'ICU', '', {}]],
  280: [
    spaceRow(512, 's', { format: [{ name: 'a', type: 'string', collation: 3 }, { name: 'b' }] }),
  ],
  288: [
    indexRow(512, 0, 'pk', { parts: [{ field: 0, type: 'string', collation: 3 }] }),
    indexRow(512, 1, 'ci', { parts: [{ field: 0, type: 'string', collation: 2 }] }),
  ],
  312: [
    [1, 32, 'collation', 3, 1],
    [1, 32, 'space', 3, 1],
  ],
};

describe('collations of users with ids of built-in collations', () => {
  const catalog = renumberCollations(catalogOf({ ...ROWS, 272: [version(1, 10, 2)] }));
  const fieldsOf = (id: number): unknown[][] => catalog.rows(id).map(({ fields }) => fields);

  it('get ids after all others', () => {
    deepEqual(fieldsOf(276), [...SHIPPED, [301, ...OWN.slice(1)], [300, 'far', 1, 'ICU', '', {}]]);
    deepEqual(
      catalog.userRows(276).map(({ fields }) => fields[0]),
      [301, 300],
    );
  });

  it('get the new ids in formats, indexes and grants as well', () => {
    deepEqual(fieldsOf(280)[0]?.[6], [
      { name: 'a', type: 'string', collation: 301 },
      { name: 'b' },
    ]);
    const parts = fieldsOf(288).map((fields) => fields[5]);
    deepEqual(parts, [
      [{ field: 0, type: 'string', collation: 301 }],
      [{ field: 0, type: 'string', collation: 2 }],
    ]);
    deepEqual(
      fieldsOf(312).map((fields) => fields[3]),
      [301, 3],
    );
  });

  it('are kept if the database has no built-in collations with their ids', () => {
    const modern = catalogOf({ ...ROWS, 272: [version(2, 11, 5)] });
    equal(renumberCollations(modern), modern);
  });
});
