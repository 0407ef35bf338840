import { deepEqual, equal, throws } from 'node:assert/strict';
import { type Engine, setEngine } from '../../../lib/filters/engine.js';
import type { Catalog } from '../../../lib/schema/catalog/catalog.js';
import { vinylMisfits } from '../../../lib/schema/convert/vinyl.js';
import { indexRow, type SystemRows, spaceRow } from '../schema/catalogs.js';
import { headOf } from './heads.js';

const ROWS: SystemRows = {
  280: [
    spaceRow(512, 'plain'),
    spaceRow(513, 'log', { engine: 'vinyl' }),
    spaceRow(514, 'view', { flags: { view: true } }),
    spaceRow(515, 'hole', { engine: 'blackhole' }),
    spaceRow(516, 'scratch', { flags: { temporary: true } }),
  ],
  288: [
    indexRow(512, 0, 'primary', { options: { hint: true, unique: true } }),
    indexRow(513, 0, 'primary', { options: { unique: true, page_size: 4096 } }),
    indexRow(516, 0, 'primary', { options: { hint: true } }),
  ],
};

async function changed(engine: Engine): Promise<Catalog> {
  return (await setEngine(engine).head(headOf(ROWS))).head.catalog;
}
const enginesOf = ({ spaces }: Catalog): string[] => spaces.map(({ engine }) => engine);
const optionsOf = (catalog: Catalog): unknown[] => catalog.rows(288).map(({ fields }) => fields[4]);

describe('setEngine', () => {
  it('moves spaces to vinyl that vinyl can hold', async () => {
    const catalog = await changed('vinyl');
    deepEqual(enginesOf(catalog), ['vinyl', 'vinyl', 'memtx', 'blackhole', 'memtx']);
  });

  it('removes hints for vinyl, and keeps all other options', async () => {
    deepEqual(optionsOf(await changed('vinyl')), [
      { unique: true },
      { unique: true, page_size: 4096 },
      { hint: true },
    ]);
  });

  it('moves to memtx with all options of indexes', async () => {
    const catalog = await changed('memtx');
    deepEqual(enginesOf(catalog), ['memtx', 'memtx', 'memtx', 'blackhole', 'memtx']);
    deepEqual(optionsOf(catalog), optionsOf(headOf(ROWS).catalog));
  });

  it('returns the same rows if it does not change them', async () => {
    const { head } = await setEngine('memtx').head(headOf(ROWS));
    equal(head.catalog.rows(280)[0]?.raw.equals(headOf(ROWS).catalog.rows(280)[0]!.raw), true);
  });
});

describe('an unknown engine', () => {
  for (const engine of ['foo', '', 'blackhole', undefined]) {
    it(`is refused: ${engine}`, () => {
      throws(() => setEngine(engine as Engine), { kind: 'usage', message: /memtx or vinyl/ });
    });
  }
});

describe('vinylMisfits', () => {
  it('lists each space and index that vinyl cannot hold', () => {
    const format = [{ name: 'id', type: 'unsigned', compression: 'zstd' }];
    const { catalog } = headOf({
      280: [
        spaceRow(512, 'a', { engine: 'vinyl', flags: { temporary: true }, format }),
        spaceRow(513, 'b'),
      ],
      288: [
        indexRow(512, 0, 'hash', { type: 'HASH' }),
        indexRow(512, 1, 'area', { type: 'rtree' }),
        indexRow(512, 2, 'bits', { type: 'bitset' }),
        indexRow(512, 3, 'lower', { options: { func: 66 } }),
        indexRow(512, 4, 'hinted', { options: { hint: true } }),
        indexRow(512, 5, 'plain', { options: { func: 0, hint: false } }),
        indexRow(513, 0, 'hash', { type: 'hash' }),
      ],
    });
    deepEqual(vinylMisfits(catalog), [
      "space 'a': it is temporary",
      "space 'a': it has compressed fields",
      "index 'hash' of space 'a': its type is hash",
      "index 'area' of space 'a': its type is rtree",
      "index 'bits' of space 'a': its type is bitset",
      "index 'lower' of space 'a': it is functional",
    ]);
  });
});
