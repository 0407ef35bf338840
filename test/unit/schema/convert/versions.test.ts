import { deepEqual, equal } from 'node:assert/strict';
import { Catalog } from '../../../../lib/schema/catalog/catalog.js';
import { backupVersions, oldSchema } from '../../../../lib/schema/convert/versions.js';
import { planRestore } from '../../../../lib/schema/plan/plan.js';
import {
  hasBackport,
  isOlder,
  releaseOf,
  showRelease,
  versionsOf,
} from '../../../../lib/schema/server/release.js';
import { identifiersOf } from '../../../../lib/schema/sql/tokens.js';
import { type Plain, pack } from '../../../support/msgpack.js';
import { catalogOf, EMPTY, valuesOf } from '../catalogs.js';

const SPACE = 280;
const FUNC = 296;
const FK = 356;
const CK = 364;

function catalog(rows: readonly [spaceId: number, row: Plain][]): Catalog {
  const result = new Catalog();
  for (const [spaceId, row] of rows) result.add(spaceId, pack(row));
  return result;
}

describe('identifiersOf', () => {
  it('finds names as 2.x and 3.x read them', () => {
    deepEqual([...identifiersOf('name FROM "a""b"')], ['name', 'NAME', 'FROM', 'a"b']);
  });
});

describe('releases', () => {
  it('are compared by number', () => {
    equal(isOlder(releaseOf('2.6.0'), releaseOf('2.11.5')), true);
    equal(isOlder(releaseOf('3.0.0'), releaseOf('2.11.5')), false);
    equal(isOlder(releaseOf('2.11.5'), releaseOf('2.11.0')), false);
    equal(isOlder(releaseOf('2.11.5'), releaseOf('2.11.10')), true);
  });

  it('are neither older nor newer than their series', () => {
    equal(isOlder([2, 11], [2, 11, 5]), false);
    equal(isOlder([2, 11, 5], [2, 11]), false);
    equal(isOlder([2, 11], [3, 0, 1]), true);
  });

  for (const [version, release] of [
    ['2.6.0', '2.6.0'],
    ['2.11.5-0-g12a9ceb87', '2.11.5'],
    ['2.10.0-beta2', '2.10.0'],
    ['3.9.0-entrypoint-24-gabcdef012', '3.9.0'],
    ['2.11', '2.11'],
  ] as const) {
    it(`are read from versions: ${version} is ${release}`, () => {
      equal(showRelease(releaseOf(version)), release);
    });
  }

  it('have a change from a patch level of each series on, or from a series on', () => {
    const has = (version: string): boolean =>
      hasBackport(releaseOf(version), [
        [2, 11, 6],
        [3, 2, 2],
        [3, 4],
      ]);
    for (const version of ['2.11.6', '2.11.10', '3.2.2', '3.4.0', '3.9.0', '4.0.0']) {
      equal(has(version), true, version);
    }
    for (const version of ['2.6.0', '2.10.8', '2.11.5', '3.0.9', '3.1.2', '3.2.1', '3.3.5']) {
      equal(has(version), false, version);
    }
  });
});

describe('versions of a database', () => {
  const target = versionsOf('3.2.1');
  const server = (version: string, schema?: string) => ({
    version,
    uuid: '',
    ...(schema === undefined ? {} : { schema }),
  });

  it('are those of its server and its schema', () => {
    deepEqual(backupVersions(server('2.11.5-0-g12a', '2.9.1'), catalogOf({}), target), {
      server: [2, 11, 5],
      schema: [2, 9, 1],
    });
  });

  it('are those of a new database if an older archive does not record its schema', () => {
    deepEqual(backupVersions(server('2.10.8'), catalogOf({}), target), versionsOf('2.10.8'));
    deepEqual(versionsOf('2.10.8').schema, [2, 10, 5]);
  });

  it('are older if such an archive has constraints of SQL that are not enforced', () => {
    const rows = catalogOf({ [CK]: [[512, 'ck', false, 'SQL', 'a > 0', true]] });
    deepEqual(backupVersions(server('2.11.5'), rows, target).schema, [2, 10, 5]);
    deepEqual(backupVersions(server('2.8.4'), rows, target).schema, [2, 7, 1]);
  });

  it('are reported if the schema is older than the server', () => {
    equal(
      oldSchema(server('2.11.5', '2.9.1')),
      'the schema has version 2.9.1, and a new database of 2.11.5 has 2.11.5',
    );
    for (const [version, schema] of [
      ['2.6.0', '2.3.1'],
      ['3.2.1', '3.1.0'],
      ['2.11.9-0-gabc', '2.11.5'],
    ]) {
      equal(oldSchema(server(version!, schema)), undefined);
    }
    equal(oldSchema(server('2.11.5')), undefined);
  });
});

describe('planRestore to a newer server', () => {
  const backup = catalog([
    [SPACE, [512, 1, 'PARENT', 'memtx', 1, {}, [{ name: 'ID', type: 'integer' }]]],
    [SPACE, [513, 1, 'CHILD', 'memtx', 1, {}, [{ name: 'PID', type: 'integer' }]]],
    [
      SPACE,
      [514, 1, 'A', 'memtx', 1, { sql: 'CREATE VIEW a AS SELECT id FROM b', view: true }, []],
    ],
    [
      SPACE,
      [515, 1, 'B', 'memtx', 1, { sql: 'CREATE VIEW b AS SELECT id FROM parent', view: true }, []],
    ],
    [FK, ['fk', 513, 512, false, 'simple', 'no_action', 'no_action', [0], [0]]],
    [CK, [512, 'ck', false, 'SQL', 'id > 0', true]],
  ]);
  const steps = (source: string, target: string): { spaceId: number; row: unknown }[] => {
    const releases = { source: versionsOf(source), target: versionsOf(target) };
    const { before, after, grants } = planRestore(backup, catalogOf(EMPTY), { releases });
    return [...before, ...after, ...grants].map((step) => ({
      spaceId: step.spaceId,
      row: valuesOf(step),
    }));
  };
  const last = (all: { spaceId: number; row: unknown }[], id: number): unknown[] =>
    all.filter(({ spaceId, row }) => spaceId === SPACE && (row as Plain[])[0] === id).at(-1)
      ?.row as unknown[];

  it('turns SQL constraints into constraints that 2.11 enforces', () => {
    const all = steps('2.6.0', '2.11.5');
    equal(all.filter(({ spaceId }) => spaceId === FK || spaceId === CK).length, 0);
    deepEqual(last(all, 513)[5], { foreign_key: { fk: { space: 512, field: { 0: 0 } } } });
    const check = all.find(({ spaceId }) => spaceId === FUNC)?.row as unknown[];
    deepEqual(check.slice(1, 6), [1, 'check_PARENT_ck', 1, 'SQL_EXPR', 'id > 0']);
    deepEqual(last(all, 512)[5], { constraint: { ck: check[0] } });
  });

  it('quotes names that 3.x would read differently', () => {
    const all = steps('2.6.0', '3.3.0');
    const check = all.find(({ spaceId }) => spaceId === FUNC)?.row as unknown[];
    equal(check[5], '"ID" > 0');
    const view = last(all, 515)[5] as { sql: string };
    equal(view.sql, 'CREATE VIEW "B" AS SELECT "ID" FROM SEQSCAN "PARENT"');
  });

  it('changes nothing for the same version', () => {
    const all = steps('2.6.0', '2.6.0');
    equal(all.filter(({ spaceId }) => spaceId === FK || spaceId === CK).length, 2);
    equal((last(all, 515)[5] as { sql: string }).sql, 'CREATE VIEW b AS SELECT id FROM parent');
  });

  it('creates a view after the view that it reads, whatever their ids are', () => {
    const ids = steps('2.6.0', '2.6.0').map(({ row }) => (row as Plain[])[0]);
    equal(ids.indexOf(515) < ids.indexOf(514), true);
  });
});
