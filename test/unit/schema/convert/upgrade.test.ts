import { deepEqual, equal } from 'node:assert/strict';
import type { Catalog } from '../../../../lib/schema/catalog/catalog.js';
import { convert } from '../../../../lib/schema/convert/convert.js';
import { schemaVersion, versionsOf } from '../../../../lib/schema/server/release.js';
import type { Plain } from '../../../support/msgpack.js';
import { catalogOf, indexRow, type SystemRows, spaceRow } from '../catalogs.js';

const [COLLATION, SPACE, INDEX, FUNC, USER, PRIV] = [276, 280, 288, 296, 304, 312] as const;
const [SPACE_SEQUENCE, CK] = [340, 364] as const;

/** Converts rows of a schema that a server of 2.11 has not upgraded, for a new server of 2.11. */
function upgraded(rows: SystemRows, schema: string): Catalog {
  const source = { ...versionsOf('2.11.5'), schema: schemaVersion(schema) };
  return convert(catalogOf(rows), source, versionsOf('2.11.5')).backup;
}

const fieldsOf = (catalog: Catalog, spaceId: number): unknown[] =>
  catalog.rows(spaceId).map(({ fields }) => fields);

describe('definitions of a schema that was not upgraded', () => {
  const ANN: Plain[] = [32, 1, 'ann', 'user', {}];
  const READERS: Plain[] = [33, 1, 'readers', 'role', {}];

  it('are not changed if the schema is as new as that of 2.6', () => {
    const rows = catalogOf({ [USER]: [ANN], [PRIV]: [[1, 32, 'universe', 0, 3]] });
    const source = { ...versionsOf('2.6.0'), schema: schemaVersion('2.3.1') };
    equal(convert(rows, source, versionsOf('2.6.0')).backup, rows);
  });

  it('let users log in and create, as everybody could before 1.7.7', () => {
    const grants: Plain[][] = [
      [1, 33, 'universe', 0, 1],
      [1, 0, 'universe', 0, 3],
    ];
    const catalog = upgraded({ [USER]: [ANN, READERS], [PRIV]: grants }, '1.7.6');
    const [SESSION_USAGE, CREATE, DROP, ALTER] = [24, 32, 64, 128];
    deepEqual(fieldsOf(catalog, PRIV), [
      [1, 33, 'universe', 0, 1],
      [1, 0, 'universe', 0, 3 + SESSION_USAGE + CREATE + DROP + ALTER],
      [1, 32, 'universe', 0, SESSION_USAGE],
    ]);
  });

  it('do not grant a login that was revoked since 1.7.7', () => {
    deepEqual(fieldsOf(upgraded({ [USER]: [ANN] }, '1.10.2'), PRIV), []);
  });

  it('let users alter and drop who could read and write before 2.1.0', () => {
    const grants: Plain[][] = [
      [1, 32, 'space', 512, 3],
      [1, 32, 'space', '', 3],
      [1, 32, 'space', 513, 1],
      [1, 32, 'sequence', 1, 3],
    ];
    const catalog = upgraded({ [USER]: [ANN], [PRIV]: grants }, '1.10.2');
    const bits = catalog.rows(PRIV).map(({ fields }) => fields[4]);
    deepEqual(bits, [3 + 64 + 128, 3 + 32 + 64 + 128, 1, 3]);
  });

  it('lose the SQL statements that 2.1.0 wrote to the options of indexes', () => {
    const options = { unique: true, sql: 'CREATE INDEX i ON t (a)' };
    const catalog = upgraded({ [INDEX]: [indexRow(512, 1, 'i', { options })] }, '2.1.0');
    deepEqual(catalog.rows(INDEX)[0]?.fields[4], { unique: true });
  });

  it('get the strength of collations, which was tertiary before 2.1.2', () => {
    const catalog = upgraded(
      {
        [COLLATION]: [
          [300, 'plain', 1, 'ICU', 'ru_RU', {}],
          [301, 'weak', 1, 'ICU', 'ru_RU', { strength: 'primary' }],
        ],
      },
      '2.1.1',
    );
    const options = catalog.rows(COLLATION).map(({ fields }) => fields[5]);
    deepEqual(options, [{ strength: 'tertiary' }, { strength: 'primary' }]);
  });

  it('keep the checks that SQL of 2.1 stored in the options of a table', () => {
    const checks = [{ expr: 'a > 0', name: 'positive' }, { expr: 'a < 9' }];
    const flags = { checks, temporary: true };
    const catalog = upgraded({ [SPACE]: [spaceRow(512, 'T', { flags })] }, '2.1.3');
    const functions = catalog.rows(FUNC).map(({ fields }) => [fields[0], fields[2], fields[5]]);
    deepEqual(functions, [
      [66, 'check_T_positive', 'a > 0'],
      [67, 'check_T_CK_CONSTRAINT_2_T', 'a < 9'],
    ]);
    deepEqual(catalog.rows(SPACE)[0]?.fields[5], {
      temporary: true,
      constraint: { positive: 66, CK_CONSTRAINT_2_T: 67 },
    });
  });

  it('get all fields of functions, which have only a name and a language in 1.x', () => {
    const functions: Plain[][] = [
      [2, 1, 'plain'],
      [3, 1, 'setuid', 1],
      [4, 1, 'native', 0, 'C'],
    ];
    const rest = ['', 'function', [], 'any', 'none', 'none', false, false, true, ['LUA'], {}];
    deepEqual(fieldsOf(upgraded({ [FUNC]: functions }, '1.10.2'), FUNC), [
      [2, 1, 'plain', 0, 'LUA', ...rest, '', '', ''],
      [3, 1, 'setuid', 1, 'LUA', ...rest, '', '', ''],
      [4, 1, 'native', 0, 'C', ...rest, '', '', ''],
    ]);
  });

  it('get the field that a sequence fills, which was the first of the primary key before 2.2.1', () => {
    const catalog = upgraded(
      {
        [INDEX]: [
          indexRow(512, 0, 'pk', { parts: [[2, 'unsigned']] }),
          indexRow(513, 0, 'pk', { parts: [{ field: 1, type: 'unsigned', path: 'id' }] }),
        ],
        [SPACE_SEQUENCE]: [
          [512, 1, true],
          [513, 2, false],
          [514, 3, false, 5, 'kept'],
        ],
      },
      '2.1.3',
    );
    deepEqual(fieldsOf(catalog, SPACE_SEQUENCE), [
      [512, 1, true, 2, ''],
      [513, 2, false, 1, 'id'],
      [514, 3, false, 5, 'kept'],
    ]);
  });

  it('get enabled checks, because all were enabled before 2.3.0', () => {
    const source = { ...versionsOf('2.6.0'), schema: schemaVersion('2.2.1') };
    const rows = catalogOf({ [CK]: [[512, 'ck', false, 'SQL', 'a > 0']] });
    const { backup } = convert(rows, source, versionsOf('2.6.0'));
    deepEqual(fieldsOf(backup, CK), [[512, 'ck', false, 'SQL', 'a > 0', true]]);
  });

  it('get checks that a server of 3.x can read, although it runs those of 2.x unread', () => {
    const format = [{ name: 'N', type: 'integer' }];
    const rows: SystemRows = {
      [SPACE]: [spaceRow(512, 'T', { format })],
      [CK]: [
        [512, 'low', false, 'SQL', 'n < 10', true],
        [512, 'high', false, 'SQL', 'N > 1', true],
      ],
    };
    const source = { ...versionsOf('3.2.1'), schema: schemaVersion('2.10.1') };
    const { backup } = convert(catalogOf(rows), source, versionsOf('3.2.1'));
    const bodies = backup.rows(FUNC).map(({ fields }) => fields[5]);
    deepEqual(bodies, ['"N" < 10', 'N > 1']);
  });

  it('get constraints in the space if a newer server runs a schema older than 2.11.0', () => {
    const rows = {
      [SPACE]: [spaceRow(512, 'T')],
      [CK]: [[512, 'ck', false, 'SQL', 'a > 0', true]] as Plain[][],
    };
    const catalog = upgraded(rows, '2.9.1');
    deepEqual(fieldsOf(catalog, CK), []);
    deepEqual(catalog.rows(SPACE)[0]?.fields[5], { constraint: { ck: 66 } });
    // Rows that were written after the upgrade are not enforced, and stay so.
    deepEqual(fieldsOf(upgraded(rows, '2.11.1'), CK), rows[CK]);
  });
});
