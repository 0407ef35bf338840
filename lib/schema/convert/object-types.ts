import { str } from '../../tuple/msgpack.js';
import { Catalog } from '../catalog/catalog.js';
import { editField } from '../catalog/rows.js';
import { Field, SystemSpace } from '../server/system-spaces.js';

/**
 * Writes the types of objects in grants in lower case, as servers do. A server also accepts `SPACE` for `space`; such
 * a grant would keep an id that means another space on the target.
 *
 * Source: `strindex()` of the server's `src/lib/core/util.c`, for `schema_object_type()` of `src/box/schema_def.c`.
 */
export function withSmallTypes(backup: Catalog): Catalog {
  const { objectType } = Field.priv;
  return Catalog.of((spaceId) => {
    const rows = backup.rows(spaceId);
    if (spaceId !== SystemSpace.PRIV) return rows;
    return rows.map((row) => {
      const type = String(row.fields[objectType]);
      return /[A-Z]/.test(type)
        ? editField(row, objectType, () =>
            str(type.replace(/[A-Z]/g, (each) => each.toLowerCase())),
          )
        : row;
    });
  });
}
