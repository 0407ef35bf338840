import { decode } from '../../tuple/codec.js';
import { editArray, editMap } from '../../tuple/edit.js';
import { Catalog, type SystemRow } from '../catalog/catalog.js';
import { editField, withoutKeys } from '../catalog/rows.js';
import { Describer } from '../describe/describe.js';
import { DESCENDING } from '../server/capabilities.js';
import { isOlder, type Release } from '../server/release.js';
import { Field, SystemSpace } from '../server/system-spaces.js';

/** An option of an index that is left out because it has no effect. */
export interface IgnoredOption {
  spaceId: number;
  /** e.g. `index 'pk' of space 'log'` */
  what: string;
}

export interface PassedOver {
  backup: Catalog;
  /** Indexes that lose a hint. */
  hints: IgnoredOption[];
}

const isTree = ({ fields }: SystemRow): boolean =>
  String(fields[Field.index.type]).toLowerCase() === 'tree';

/** Removes the hint, an option that only memtx trees use. */
function withoutHint(row: SystemRow): SystemRow {
  return editField(row, Field.index.options, (options) =>
    editMap(options, (key, value) =>
      key === 'hint' && decode(value) === true ? undefined : value,
    ),
  );
}

/** Removes the order of parts, which an index without an order refuses from 3.0 on. */
function withoutOrder(row: SystemRow): SystemRow {
  return editField(row, Field.index.parts, (parts) =>
    editArray(parts, (part) => withoutKeys(part, ['sort_order'])),
  );
}

/**
 * Leaves out options of indexes that a server ignores when it starts from a snapshot that has them, and refuses in a
 * statement that creates such an index.
 *
 * Source: `memtx_space_check_index_def()` of the server's `src/box/memtx_space.c`,
 * `vinyl_space_check_index_def()` of `src/box/vinyl.c`, and `KEY_DEF_UNORDERED` of `src/box/key_def.c`.
 *
 * @param backup - the user's rows of its system spaces, converted for the target
 */
export function withoutIgnoredOptions(
  backup: Catalog,
  target: Catalog,
  release: Release,
): PassedOver {
  const vinyl = new Set(
    backup.spaces.filter(({ engine }) => engine === 'vinyl').map(({ id }) => id),
  );
  const hints: IgnoredOption[] = [];
  const describer = new Describer(backup, target);
  let isChanged = false;
  const indexes = backup.userRows(SystemSpace.INDEX).map((row) => {
    const spaceId = Number(row.fields[Field.index.spaceId]);
    const hintless = isTree(row) && !vinyl.has(spaceId) ? row : withoutHint(row);
    if (hintless !== row) hints.push({ spaceId, what: describer.row(SystemSpace.INDEX, row) });
    const isOrdered = isTree(row) || isOlder(release, DESCENDING);
    const edited = isOrdered ? hintless : withoutOrder(hintless);
    isChanged ||= edited !== row;
    return edited;
  });
  if (!isChanged) return { backup, hints };
  return {
    backup: Catalog.of((id) => (id === SystemSpace.INDEX ? indexes : backup.userRows(id))),
    hints,
  };
}
