import { deepEqual } from 'node:assert/strict';
import { Catalog } from '../../../../lib/schema/catalog/catalog.js';
import { inferRelease } from '../../../../lib/schema/convert/infer-release.js';
import type { Release } from '../../../../lib/schema/server/release.js';
import { SystemSpace } from '../../../../lib/schema/server/system-spaces.js';
import { type Plain, pack } from '../../../support/msgpack.js';

/** Returns a backup of spaces with these names, flags and formats. */
function backup(...spaces: [name: string, flags: Plain, format?: Plain][]): Catalog {
  const catalog = new Catalog();
  for (const [i, [name, flags, format = []]] of spaces.entries()) {
    catalog.add(SystemSpace.SPACE, pack([512 + i, 1, name, 'memtx', 0, flags, format]));
  }
  return catalog;
}

const view = (sql: string): [string, Plain] => ['v', { view: true, sql }];
const field = (type: string, value: Plain): Plain => [{ name: 'f', type, default: value }];

describe('the release of a server that is not recorded', () => {
  const cases: [title: string, catalog: Catalog, target: Release, guess: Release][] = [
    ['that of the target', backup(['users', {}]), [2, 6], [2, 6]],
    ['that of a newer target', backup(['users', {}]), [3, 2], [3, 2]],
    [
      'newer if a type is newer',
      backup(['users', {}, [{ name: 'at', type: 'datetime' }]]),
      [2, 6],
      [2, 10],
    ],
    ['newer if an option is newer', backup(['users', { type: 'normal' }]), [2, 11], [3, 0]],
    [
      '2.x if a view has a name in lower case that exists in upper case',
      backup(['USERS', {}], view('CREATE VIEW v AS SELECT id FROM users')),
      [3, 0],
      [2, 11],
    ],
    [
      'that of the target if a view has existing names',
      backup(['users', {}], view('CREATE VIEW v AS SELECT id FROM users')),
      [3, 0],
      [3, 0],
    ],
    ['2.x if a default is SQL', backup(['t', {}, field('integer', '5')]), [3, 0], [2, 11]],
    ['2.x if a default is quoted', backup(['t', {}, field('string', "'x'")]), [3, 0], [2, 11]],
    [
      'that of the target if a default may be a text',
      backup(['t', {}, field('string', 'x')]),
      [3, 0],
      [3, 0],
    ],
    ['3.x if a default is a value', backup(['t', {}, field('integer', 5)]), [2, 11], [3, 0]],
  ];
  for (const [title, catalog, target, guess] of cases) {
    it(`is ${title}`, () => deepEqual(inferRelease(catalog, target), guess));
  }
});
