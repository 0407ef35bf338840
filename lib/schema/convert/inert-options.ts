import { decode } from '../../tuple/codec.js';
import { editArray, editMap } from '../../tuple/edit.js';
import { str } from '../../tuple/msgpack.js';
import type { SystemRow } from '../catalog/catalog.js';
import { editField } from '../catalog/rows.js';
import { DESCENDING, FIELD_OPTIONS } from '../server/capabilities.js';
import {
  type Backport,
  hasBackport,
  isGained,
  type Release,
  showRelease,
} from '../server/release.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import type { CatalogEditor } from './catalog-editor.js';

/**
 * Leaves out options that one release stores and ignores, and another one applies: custom keys of a format that
 * became options, and an order of an index that was ignored. They had no effect on the source, so they must have none
 * on the target.
 */

function leaveOutNotes(editor: CatalogEditor, source: Release, target: Release): void {
  editor.map(SystemSpace.SPACE, (row) =>
    editField(row, Field.space.format, (format) =>
      editArray(format, (field) => withoutNotes(field, row, editor, source, target)),
    ),
  );
}

function withoutNotes(
  raw: Buffer,
  { fields }: SystemRow,
  editor: CatalogEditor,
  source: Release,
  target: Release,
): Buffer {
  let name: unknown;
  const left: [key: string, since: Release][] = [];
  const edited = editMap(raw, (key, value) => {
    if (key === 'name') name = decode(value);
    const since = FIELD_OPTIONS.get(key ?? '');
    if (key === undefined || since === undefined || !isGained(since, source, target)) return value;
    left.push([key, since]);
    return undefined;
  });
  for (const [key, since] of left) {
    editor.notes.push(
      `field '${name}' of space '${fields[Field.space.name]}': the custom key '${key}' is left out, because servers from ${showRelease(since)} on treat it as an option`,
    );
  }
  return edited;
}

/** Keeps indexes in ascending order. Before 3.0, an index ignores any other order. */
function keepAscending(editor: CatalogEditor): void {
  const names = editor.spaceNames();
  editor.map(SystemSpace.INDEX, (row) => {
    if (String(row.fields[Field.index.type]).toLowerCase() !== 'tree') return row;
    const edited = editField(row, Field.index.parts, (parts) =>
      editArray(parts, (part) =>
        editMap(part, (key, value) =>
          key === 'sort_order' && String(decode(value)).toLowerCase() === 'desc'
            ? str('asc')
            : value,
        ),
      ),
    );
    if (edited !== row) {
      const { name, spaceId } = Field.index;
      editor.notes.push(
        `index '${row.fields[name]}' of space '${names.get(row.fields[spaceId])}': it stays in ascending order, because servers before ${showRelease(DESCENDING)} ignore 'desc'`,
      );
    }
    return edited;
  });
}

/**
 * On these releases, some servers crash on a grant on all collations: 2.8.4, 2.10.8 and 2.11.9 do, 3.2.1 does not.
 *
 * Source: `schema_find_name()` of the server's `src/box/schema.cc`.
 */
const COLLATION_CRASHES: Backport = [
  [2, 8, 3],
  [2, 10],
];

/** Leaves out grants on collations, because no server checks them. */
function leaveOutCollationGrants(editor: CatalogEditor): void {
  const { objectType, objectId } = Field.priv;
  const rows = editor.rows(SystemSpace.PRIV);
  const left = rows.filter(
    ({ fields }) => fields[objectType] !== 'collation' || fields[objectId] !== '',
  );
  if (left.length === rows.length) return;
  editor.replace(SystemSpace.PRIV, left);
  editor.notes.push(
    'grants on all collations are left out, because they permit nothing, and some servers crash on them',
  );
}

/**
 * Leaves out options that have no effect on the source's release and would have one on the target's, with a note for
 * each.
 */
export function withoutInertOptions(editor: CatalogEditor, source: Release, target: Release): void {
  leaveOutNotes(editor, source, target);
  if (isGained(DESCENDING, source, target)) keepAscending(editor);
  if (hasBackport(target, COLLATION_CRASHES)) leaveOutCollationGrants(editor);
}
