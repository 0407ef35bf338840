import { TntarError } from '../base/errors.js';
import { quoted } from '../base/report.js';
import { Catalog, type SystemRow } from '../schema/catalog/catalog.js';
import { editField, withoutKeys } from '../schema/catalog/rows.js';
import { Field, SystemSpace } from '../schema/server/system-spaces.js';
import { str } from '../tuple/msgpack.js';
import type { Filter } from './filter.js';

/** Engines that store rows of users and can replace each other. */
export type Engine = 'memtx' | 'vinyl';

const ENGINES: readonly string[] = ['memtx', 'vinyl'] satisfies Engine[];

/**
 * Changes the engine of all spaces. Views are not changed, and neither are temporary spaces, which vinyl does not
 * have. Options of indexes that only vinyl uses are kept, because memtx accepts them. Hints are removed, because
 * vinyl refuses them and they change no result. The restore refuses everything else that vinyl cannot hold.
 *
 * @throws TntarError of kind `usage` for another engine
 * @example
 * await restore(input, target, { filters: [setEngine('vinyl')] });
 */
export function setEngine(engine: Engine): Filter {
  if (!ENGINES.includes(engine)) {
    throw new TntarError('usage', `the engine must be memtx or vinyl, not ${quoted(engine)}`);
  }
  return {
    changed: `all spaces have the engine ${engine}`,
    head({ manifest, catalog }) {
      const moved = new Set(
        catalog.spaces
          .filter((space) => ENGINES.includes(space.engine) && space.engine !== engine)
          .filter(({ isView, isTemporary }) => !isView && !(isTemporary && engine === 'vinyl'))
          .map(({ id }) => id),
      );
      const move = (spaceId: number, row: SystemRow): SystemRow => {
        // Both begin with the id of the space.
        if (!moved.has(Number(row.fields[0]))) return row;
        if (spaceId === SystemSpace.SPACE) {
          return editField(row, Field.space.engine, () => str(engine));
        }
        if (spaceId !== SystemSpace.INDEX || engine !== 'vinyl') return row;
        return editField(row, Field.index.options, (options) => withoutKeys(options, ['hint']));
      };
      const rowsOf = (id: number): SystemRow[] => catalog.rows(id).map((row) => move(id, row));
      return { head: { manifest, catalog: Catalog.of(rowsOf) } };
    },
  };
}
