import { decode } from '../../tuple/codec.js';
import { editArray, editMap } from '../../tuple/edit.js';
import { uint } from '../../tuple/msgpack.js';
import { Catalog, type SystemRow } from '../catalog/catalog.js';
import { editField } from '../catalog/rows.js';
import { LAST_SHIPPED_COLLATION } from '../server/builtin.js';
import { Field, SystemSpace } from '../server/system-spaces.js';

/**
 * Assigns new ids to collations of users if newer servers use these ids for their own. The first collation that a
 * user of 1.10 creates has the id 3, which is `binary` from 2.1 on.
 *
 * @param catalog - all rows of a server's system spaces
 * @returns the same catalog if no id has to change
 */
export function renumberCollations(catalog: Catalog): Catalog {
  const ids = catalog
    .userRows(SystemSpace.COLLATION)
    .map(({ fields }) => Number(fields[Field.collation.id]));
  const taken = ids.filter((id) => id <= LAST_SHIPPED_COLLATION);
  if (taken.length === 0) return catalog;
  let last = Math.max(LAST_SHIPPED_COLLATION, ...ids);
  const numbers = new Map(taken.map((id) => [id, uint(++last)]));
  const renumbered = (raw: Buffer, id: unknown): Buffer => numbers.get(Number(id)) ?? raw;
  const inMaps = (list: Buffer): Buffer =>
    editArray(list, (element) =>
      editMap(element, (key, raw) => (key === 'collation' ? renumbered(raw, decode(raw)) : raw)),
    );
  const edit = (spaceId: number, row: SystemRow): SystemRow => {
    switch (spaceId) {
      case SystemSpace.COLLATION:
        return editField(row, Field.collation.id, (raw) => renumbered(raw, decode(raw)));
      case SystemSpace.SPACE:
        return editField(row, Field.space.format, inMaps);
      case SystemSpace.INDEX:
        return editField(row, Field.index.parts, inMaps);
      case SystemSpace.PRIV:
        if (row.fields[Field.priv.objectType] !== 'collation') return row;
        return editField(row, Field.priv.objectId, (raw) => renumbered(raw, decode(raw)));
      default:
        return row;
    }
  };
  return Catalog.of((id) => catalog.rows(id).map((row) => edit(id, row)));
}
