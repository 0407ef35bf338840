import { deepEqual, equal, match } from 'node:assert/strict';
import { Catalog, rowlessReason, type Space } from '../../../../lib/schema/catalog/catalog.js';
import { ext, type Plain, pack } from '../../../support/msgpack.js';
import { catalogOf, indexRow, spaceRow } from '../catalogs.js';

/** Returns the only space of a user. */
function spaceOf(row: Plain[], ...indexes: Plain[][]): Space {
  const { spaces } = catalogOf({ 280: [row], 288: indexes });
  equal(spaces.length, 1);
  return spaces[0]!;
}

describe('a catalog', () => {
  it('lists the spaces of users in ascending order of ids, whatever the order of the rows is', () => {
    const ids = [1000, 512, 280, 511, 2 ** 31 - 1, 600];
    const { spaces } = catalogOf({ 280: ids.map((id) => spaceRow(id, `s${id}`)) });
    deepEqual(
      spaces.map(({ id, name }) => [id, name]),
      [
        [512, 's512'],
        [600, 's600'],
        [1000, 's1000'],
        [2 ** 31 - 1, 's2147483647'],
      ],
    );
  });

  it('lists spaces whose definitions are lost at a restart separately', () => {
    const catalog = catalogOf({
      280: [spaceRow(512, 's'), spaceRow(2 ** 30, 'f', { flags: { type: 'temporary' } })],
      288: [indexRow(512, 0, 'pk'), indexRow(2 ** 30, 0, 'pk')],
    });
    deepEqual(
      [catalog.spaces, catalog.fleetingSpaces].map((spaces) => spaces.map(({ name }) => name)),
      [['s'], ['f']],
    );
    for (const spaceId of [280, 288]) {
      equal(catalog.rows(spaceId).length, 2);
      deepEqual(
        catalog.userRows(spaceId).map(({ fields }) => fields[0]),
        [512],
      );
    }
  });

  it('lists no spaces if there are none', () => {
    deepEqual(new Catalog().spaces, []);
    deepEqual(new Catalog().rows(280), []);
    equal(new Catalog().primaryKeyOf(512), undefined);
  });

  it('returns name, engine and format as the server stores them', () => {
    const format = [
      { name: 'id', type: 'unsigned' },
      { name: 'имя', is_nullable: true },
    ];
    const space = spaceOf(spaceRow(512, 'имя "x"', { engine: 'vinyl', format }));
    deepEqual(space, {
      id: 512,
      name: 'имя "x"',
      engine: 'vinyl',
      format,
      isView: false,
      isTemporary: false,
      isLocal: false,
      isSync: false,
    });
  });

  it('accepts a row without flags and format, as old versions wrote it', () => {
    const { format, isView, isTemporary, isLocal } = spaceOf([512, 1, 's', 'memtx', 0]);
    deepEqual(
      { format, isView, isTemporary, isLocal },
      { format: [], isView: false, isTemporary: false, isLocal: false },
    );
    equal(spaceOf([512, 1, 's', 'memtx', 0, '']).isTemporary, false);
  });

  for (const [flags, what] of [
    [{}, []],
    [{ view: true }, ['isView']],
    [{ view: false }, []],
    [{ temporary: true }, ['isTemporary']],
    [{ temporary: false }, []],
    [{ type: 'data-temporary' }, ['isTemporary']],
    [{ type: 'normal' }, []],
    [{ type: 'local' }, ['isLocal']],
    [{ group_id: 1 }, ['isLocal']],
    [{ group_id: 0 }, []],
    [{ group_id: 1, temporary: true }, ['isTemporary', 'isLocal']],
    [{ is_sync: true, defer_deletes: true }, []],
  ] as [Plain, string[]][]) {
    it(`reads the flags ${JSON.stringify(flags)}`, () => {
      const { isView, isTemporary, isLocal } = spaceOf(spaceRow(512, 's', { flags }));
      const set = Object.entries({ isView, isTemporary, isLocal }).filter(([, value]) => value);
      deepEqual(
        set.map(([name]) => name),
        what,
      );
    });
  }

  for (const [title, parts, expected] of [
    ['by field', [{ field: 0, type: 'unsigned' }], [{ fieldNo: 0, path: [], type: 'unsigned' }]],
    ['of the old form', [[1, 'unsigned']], [{ fieldNo: 1, path: [], type: 'unsigned' }]],
    [
      'of the old form, two of them, one nullable',
      [
        [1, 'unsigned'],
        [0, 'string', true],
      ],
      [
        { fieldNo: 1, path: [], type: 'unsigned' },
        { fieldNo: 0, path: [], type: 'string' },
      ],
    ],
    [
      'with a path',
      [{ field: 2, type: 'string', path: '.a["b"][3]' }],
      [{ fieldNo: 2, path: ['a', 'b', 2], type: 'string' }],
    ],
    [
      'with an empty path',
      [{ field: 2, type: 'string', path: '' }],
      [{ fieldNo: 2, path: [], type: 'string' }],
    ],
    [
      'with more that does not matter',
      [{ field: 3, type: 'string', is_nullable: true, collation: 4, sort_order: 'desc' }],
      [{ fieldNo: 3, path: [], type: 'string' }],
    ],
  ] as [string, Plain, object[]][]) {
    it(`reads the parts of a key ${title}`, () => {
      const { primaryKey } = spaceOf(spaceRow(512, 's'), indexRow(512, 0, 'pk', { parts }));
      deepEqual(primaryKey?.parts, expected);
    });
  }

  it('returns the primary index of each space in lower case, also of a system space', () => {
    const catalog = catalogOf({
      280: [spaceRow(512, 'a'), spaceRow(513, 'b'), spaceRow(514, 'none')],
      288: [
        indexRow(512, 1, 'other'),
        indexRow(513, 0, 'pk', { type: 'HASH' }),
        indexRow(512, 0, 'main', { type: 'TREE' }),
        indexRow(514, 1, 'odd'),
        indexRow(280, 0, 'primary'),
      ],
    });
    const shown = (id: number) => {
      const { name, type } = catalog.primaryKeyOf(id) ?? {};
      return [name, type];
    };
    deepEqual([512, 513, 514, 280].map(shown), [
      ['main', 'tree'],
      ['pk', 'hash'],
      [undefined, undefined],
      ['primary', 'tree'],
    ]);
    deepEqual(
      catalog.spaces.map(({ primaryKey }) => primaryKey?.name),
      ['main', 'pk', undefined],
    );
  });

  it('is not confused by a secondary index on every element of an array', () => {
    const parts = [{ field: 1, type: 'string', path: '[*].name' }];
    const { primaryKey } = spaceOf(
      spaceRow(512, 's'),
      indexRow(512, 0, 'pk'),
      indexRow(512, 1, 'multikey', { parts }),
    );
    equal(primaryKey?.name, 'pk');
  });

  it('keeps rows as bytes and decoded, in their order', () => {
    const rows = [spaceRow(513, 'b'), spaceRow(280, '_space'), spaceRow(512, 'a')];
    const catalog = catalogOf({ 280: rows });
    deepEqual(
      catalog.rows(280).map(({ raw }) => raw.toString('hex')),
      rows.map((row) => pack(row).toString('hex')),
    );
    deepEqual(
      catalog.rows(280).map(({ fields }) => fields),
      rows,
    );
    deepEqual(
      catalog.userRows(280).map(({ fields }) => fields[0]),
      [513, 512],
    );
  });

  it('ignores system spaces without objects of users', () => {
    const catalog = catalogOf({ 320: [[1, 'uuid']], 281: [spaceRow(512, 's')], 330: [[512, 1]] });
    for (const id of [281, 320, 330]) deepEqual(catalog.rows(id), []);
    deepEqual(catalog.spaces, []);
  });

  it('includes rows that are added after it was read', () => {
    const catalog = catalogOf({ 280: [spaceRow(512, 'a')] });
    equal(catalog.primaryKeyOf(512), undefined);
    catalog.add(288, pack(indexRow(512, 0, 'pk')));
    equal(catalog.spaces[0]?.primaryKey?.name, 'pk');
    catalog.add(280, pack(spaceRow(513, 'b')));
    equal(catalog.spaces.length, 2);
  });

  it('replaces the rows of a system space', () => {
    const catalog = catalogOf({ 285: [[1, 10]], 280: [spaceRow(512, 'a')] });
    catalog.replace(285, [pack([1, 20]), pack([2, 5])]);
    deepEqual(
      catalog.rows(285).map(({ fields }) => fields),
      [
        [1, 20],
        [2, 5],
      ],
    );
    catalog.replace(280, []);
    deepEqual(catalog.spaces, []);
  });

  it('accepts values that it cannot decode', () => {
    const format = [{ name: 'd', type: 'decimal', default: ext(1, Buffer.of(0, 0x1c)) }];
    equal(spaceOf(spaceRow(512, 's', { format })).format.length, 1);
  });
});

describe('the rows of a space', () => {
  const pk = indexRow(512, 0, 'pk');
  for (const [title, row, indexes, reason] of [
    ['are read', spaceRow(512, 's'), [pk], undefined],
    ['of vinyl are read', spaceRow(512, 's', { engine: 'vinyl' }), [pk], undefined],
    ['of a local space are read', spaceRow(512, 's', { flags: { group_id: 1 } }), [pk], undefined],
    ['of a view are not read', spaceRow(512, 's', { flags: { view: true } }), [], /^a view/],
    [
      'of a temporary space are not read',
      spaceRow(512, 's', { flags: { temporary: true } }),
      [pk],
      /^temporary/,
    ],
    [
      'of a temporary space of 3.x are not read',
      spaceRow(512, 's', { flags: { type: 'data-temporary' } }),
      [pk],
      /^temporary/,
    ],
    [
      'of a space without a primary index are not read',
      spaceRow(512, 's'),
      [],
      /^no primary index/,
    ],
    [
      'of a blackhole are not read',
      spaceRow(512, 's', { engine: 'blackhole' }),
      [pk],
      /engine blackhole/,
    ],
    [
      'of a sysview are not read',
      spaceRow(512, 's', { engine: 'sysview' }),
      [pk],
      /engine sysview/,
    ],
  ] as [string, Plain[], Plain[][], RegExp | undefined][]) {
    it(title, () => {
      const said = rowlessReason(spaceOf(row, ...indexes));
      if (reason === undefined) equal(said, undefined);
      else match(said ?? '', reason);
    });
  }
});
