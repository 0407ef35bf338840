import { TntarError } from '../base/errors.js';
import { quoted } from '../base/report.js';
import { Catalog, type SystemRow } from '../schema/catalog/catalog.js';
import { editField, withoutKeys } from '../schema/catalog/rows.js';
import { Field, SystemSpace } from '../schema/server/system-spaces.js';
import { str } from '../tuple/msgpack.js';
import type { Rewrite } from './rewrite.js';

/** Engines that keep rows of users, and take each other's. */
export type Engine = 'memtx' | 'vinyl';

const ENGINES: readonly string[] = ['memtx', 'vinyl'] satisfies Engine[];

/**
 * Puts all spaces into one engine. Views stay as they are, and so do temporary spaces, which vinyl
 * does not have. Options of indexes that mean something to vinyl only stay, for memtx takes them;
 * hints, which vinyl refuses and which change no result, do not go there. What else vinyl cannot hold is
 * refused by the restore.
 *
 * @throws TntarError of kind `usage` for another engine
 * @example
 * await restore(input, target, { rewrites: [setEngine('vinyl')] });
 */
export function setEngine(engine: Engine): Rewrite {
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
        // both begin with the id of the space
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
