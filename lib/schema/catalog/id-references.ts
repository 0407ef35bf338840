import { decode, encode, type Value } from '../../tuple/codec.js';
import { editArray, editMap } from '../../tuple/edit.js';
import { joinFields, splitFields } from '../../tuple/fields.js';
import { uint } from '../../tuple/msgpack.js';
import { BuiltinUser, Field, SystemSpace } from '../server/system-spaces.js';
import type { SystemRow } from './catalog.js';
import { spaceEventOf } from './event-triggers.js';
import type { IdMap, Kind } from './id-map.js';

/**
 * Called with each part that a row loses, e.g.
 * `constraint 'positive', because its function does not exist on the target`.
 */
export type Lost = (what: string) => void;

interface Context {
  ids: IdMap;
  fields: readonly Value[];
  lost: Lost;
}

/** Replaces ids in a raw field by the target's ids. Returns undefined if the row is useless without the field. */
type Edit = (raw: Buffer, context: Context) => Buffer | undefined;

function numbered(raw: Buffer, id: number): Buffer {
  return decode(raw) === id ? raw : uint(id);
}

/** Replaces an id that the row requires. */
function one(kind: Kind): Edit {
  return (raw, { ids, lost }) => {
    const id = ids.find(kind, decode(raw));
    if (id === undefined) lost(`the ${kind} does not exist on the target`);
    return id === undefined ? undefined : numbered(raw, id);
  };
}

/** Replaces an id of this kind, and keeps any other number: the server has to check it. */
function any(kind: Kind): (raw: Buffer, context: Context) => Buffer {
  return (raw, { ids }) => {
    const id = ids.find(kind, decode(raw));
    return id === undefined ? raw : numbered(raw, id);
  };
}

const owner: Edit = (raw, { ids, lost }) => {
  const given = decode(raw);
  const id = ids.findOwner(given);
  if (ids.find('user', given) === undefined) {
    lost('its owner does not exist on the target, so the restoring user will own it');
  } else if (id === undefined && given !== BuiltinUser.ADMIN) {
    lost('its owner is left out, so the restoring user will own it');
  }
  return numbered(raw, id ?? ids.restorer);
};

/**
 * Replaces a grantor by admin if it does not exist, or may own nothing. Such a user may not grant this, but could
 * revoke it. Admin may grant everything.
 */
const grantor: Edit = (raw, { ids }) =>
  numbered(raw, ids.findOwner(decode(raw)) ?? BuiltinUser.ADMIN);

/**
 * The kinds of the objects of grants, by type. The objects of other types have the id 0, an empty id for all objects
 * of the type, or a name.
 */
const OBJECT_KINDS: ReadonlyMap<unknown, Kind> = new Map<unknown, Kind>([
  ['space', 'space'],
  ['user', 'user'],
  ['role', 'user'],
  ['function', 'function'],
  ['sequence', 'sequence'],
  ['collation', 'collation'],
]);

const grantObject: Edit = (raw, context) => {
  const kind = OBJECT_KINDS.get(context.fields[Field.priv.objectType]);
  return kind === undefined || typeof decode(raw) !== 'number' ? raw : one(kind)(raw, context);
};

/** Replaces ids in `{name: function id}`. Nothing is known of a newer form with more than the id. */
const constraints = (raw: Buffer, context: Context): Buffer =>
  editMap(raw, (name, value) => {
    if (typeof decode(value) !== 'number') return value;
    const id = context.ids.find('function', decode(value));
    if (id === undefined)
      context.lost(`constraint '${name}', because its function does not exist on the target`);
    return id === undefined ? undefined : numbered(value, id);
  });

/** Replaces ids in `{name: {space: id, field: …}}`. A key without a space refers to the space itself. */
const foreignKeys = (raw: Buffer, context: Context): Buffer =>
  editMap(raw, (_name, key) =>
    editMap(key, (option, value) => (option === 'space' ? any('space')(value, context) : value)),
  );

const spaceFlags: Edit = (raw, context) =>
  editMap(raw, (key, value) => {
    if (key === 'constraint') return constraints(value, context);
    return key === 'foreign_key' ? foreignKeys(value, context) : value;
  });

function formatField(raw: Buffer, context: Context): Buffer {
  return editMap(raw, (key, value) => {
    switch (key) {
      case 'constraint':
        return constraints(value, context);
      case 'foreign_key':
        return foreignKeys(value, context);
      case 'collation':
        return any('collation')(value, context);
      case 'default_func': {
        // Before 3.0 it is a custom key of an application.
        if (typeof decode(value) !== 'number') return value;
        const id = context.ids.find('function', decode(value));
        if (id === undefined)
          context.lost('a default, because its function does not exist on the target');
        return id === undefined ? undefined : numbered(value, id);
      }
      default:
        return value;
    }
  });
}

const format: Edit = (raw, context) => editArray(raw, (field) => formatField(field, context));

const indexOptions: Edit = (raw, context) => {
  let isGone = false;
  const edited = editMap(raw, (key, value) => {
    // 0 means none.
    if (key !== 'func' || decode(value) === 0) return value;
    const id = one('function')(value, context);
    isGone ||= id === undefined;
    return id ?? value;
  });
  return isGone ? undefined : edited;
};

const indexParts: Edit = (raw, context) =>
  editArray(raw, (part) =>
    editMap(part, (key, value) => (key === 'collation' ? any('collation')(value, context) : value)),
  );

/** Replaces ids in the events that call a function as a trigger. */
const events: Edit = (raw, { ids, lost }) => {
  const names = decode(raw);
  if (!Array.isArray(names)) return raw;
  const mapped = names.flatMap((name) => {
    const event = spaceEventOf(String(name));
    if (typeof event?.space !== 'number') return [name];
    const id = ids.find('space', event.space);
    if (id === undefined) lost(`event ${name}, because its space does not exist on the target`);
    return id === undefined ? [] : [event.of(id)];
  });
  const isSame = mapped.length === names.length && mapped.every((name, i) => name === names[i]);
  return isSame ? raw : encode(mapped);
};

/** The fields of each system space that have ids, and the functions that replace them. */
const EDITS: ReadonlyMap<number, readonly [fieldNo: number, edit: Edit][]> = new Map<
  number,
  [number, Edit][]
>([
  [
    SystemSpace.COLLATION,
    [
      [Field.collation.id, one('collation')],
      [Field.collation.owner, owner],
    ],
  ],
  [
    SystemSpace.SPACE,
    [
      [Field.space.id, one('space')],
      [Field.space.owner, owner],
      [Field.space.flags, spaceFlags],
      [Field.space.format, format],
    ],
  ],
  [
    SystemSpace.SEQUENCE,
    [
      [Field.sequence.id, one('sequence')],
      [Field.sequence.owner, owner],
    ],
  ],
  [SystemSpace.SEQUENCE_DATA, [[Field.sequenceData.id, one('sequence')]]],
  [
    SystemSpace.INDEX,
    [
      [Field.index.spaceId, one('space')],
      [Field.index.options, indexOptions],
      [Field.index.parts, indexParts],
    ],
  ],
  [
    SystemSpace.FUNC,
    [
      [Field.func.id, one('function')],
      [Field.func.owner, owner],
      [Field.func.trigger, events],
    ],
  ],
  [
    SystemSpace.USER,
    [
      [Field.user.id, one('user')],
      [Field.user.owner, owner],
    ],
  ],
  [
    SystemSpace.PRIV,
    [
      [Field.priv.grantor, grantor],
      [Field.priv.grantee, one('user')],
      [Field.priv.objectId, grantObject],
    ],
  ],
  [SystemSpace.TRIGGER, [[Field.trigger.spaceId, one('space')]]],
  [
    SystemSpace.SPACE_SEQUENCE,
    [
      [Field.spaceSequence.spaceId, one('space')],
      [Field.spaceSequence.sequenceId, one('sequence')],
    ],
  ],
  [
    SystemSpace.FK_CONSTRAINT,
    [
      [Field.fkConstraint.childId, one('space')],
      [Field.fkConstraint.parentId, one('space')],
    ],
  ],
  [SystemSpace.CK_CONSTRAINT, [[Field.ckConstraint.spaceId, one('space')]]],
  [
    SystemSpace.FUNC_INDEX,
    [
      [Field.funcIndex.spaceId, one('space')],
      [Field.funcIndex.functionId, one('function')],
    ],
  ],
]);

/**
 * Returns the row with the target's ids instead of the backup's in all references.
 *
 * @returns the same row if no id differs; undefined if the row is useless on the target
 * @example
 * ids.set('user', 32, 40);
 * withTargetIds(SystemSpace.SPACE, row, ids, () => {}); // its owner is 40 where it was 32
 */
export function withTargetIds(
  spaceId: number,
  row: SystemRow,
  ids: IdMap,
  lost: Lost,
): SystemRow | undefined {
  const raw = splitFields(row.raw);
  let isChanged = false;
  for (const [fieldNo, edit] of EDITS.get(spaceId) ?? []) {
    const field = raw[fieldNo];
    if (field === undefined) continue;
    const edited = edit(field, { ids, fields: row.fields, lost });
    if (edited === undefined) return undefined;
    if (edited === field) continue;
    raw[fieldNo] = edited;
    isChanged = true;
  }
  if (!isChanged) return row;
  const bytes = joinFields(raw);
  return { raw: bytes, fields: decode(bytes) as Value[] };
}
