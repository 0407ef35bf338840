import { quoted } from '../../base/report.js';
import type { Catalog, SystemRow } from '../catalog/catalog.js';
import { eventsOf } from '../catalog/event-triggers.js';
import { DEFINITIONS, isBuiltinObject, KINDS, type Kind } from '../catalog/id-map.js';
import { isTable } from '../catalog/rows.js';
import { Field, PRIVILEGE_NAMES, Privilege, SystemSpace } from '../server/system-spaces.js';

/** Returns the type and the name of an object, e.g. `role 'readers'`. */
export function describeObject(kind: Kind, { fields }: SystemRow, quote = quoted): string {
  const name = quote(fields[DEFINITIONS[kind].name]);
  if (kind === 'user') return `${fields[Field.user.type]} ${name}`;
  return kind === 'space' && isView(fields) ? `view ${name}` : `${kind} ${name}`;
}

export function isView(fields: SystemRow['fields']): boolean {
  const flags = fields[Field.space.flags];
  return isTable(flags) && flags['view'] === true;
}

/** @example privileges(3); // 'read,write' */
export function privileges(bits: unknown): string {
  const granted = PRIVILEGE_NAMES.filter((_name, i) => (Number(bits) & (2 ** i)) !== 0);
  const known = 2 ** PRIVILEGE_NAMES.length;
  const unknown = Math.floor(Number(bits) / known);
  if (unknown === 0) return granted.join(',');
  // Bits without a name are reserved for future privileges. The role 'super' has all of them.
  if (Number(bits) === ALL_BITS) return [...granted, 'all others'].join(',');
  return [...granted, `unknown bits 0x${(unknown * known).toString(16)}`].join(',');
}

const ALL_BITS = 0xffffffff;

/** Describes rows of system spaces in words. */
export class Describer {
  readonly #things = new Map(KINDS.map((kind) => [kind, new Map<number, string>()]));
  readonly #quote: (name: unknown) => string;

  /**
   * @param backup - the catalog that the rows are from
   * @param target - knows the names of built-in objects
   * @param quote - writes a name
   */
  constructor(backup: Catalog, target: Catalog, quote: (name: unknown) => string = quoted) {
    this.#quote = quote;
    for (const kind of KINDS) {
      const { spaceId, id } = DEFINITIONS[kind];
      const shipped = target.rows(spaceId).filter((row) => isBuiltinObject(kind, row));
      for (const row of [...shipped, ...backup.userRows(spaceId)]) {
        this.#things.get(kind)!.set(Number(row.fields[id]), describeObject(kind, row, quote));
      }
    }
  }

  /**
   * Returns the type and the name of an object by its id.
   *
   * @example describer.thing('user', 32); // "user 'ann'"
   */
  thing(kind: Kind, id: unknown): string {
    return this.#things.get(kind)!.get(Number(id)) ?? `${kind} ${id}`;
  }

  /**
   * Returns the description of a row.
   *
   * @param spaceId - of the system space that the row is from
   */
  row(spaceId: number, row: SystemRow): string {
    const { fields } = row;
    const space = (fieldNo: number): string => this.thing('space', fields[fieldNo]);
    switch (spaceId) {
      case SystemSpace.COLLATION:
        return describeObject('collation', row, this.#quote);
      case SystemSpace.SPACE:
        return describeObject('space', row, this.#quote);
      case SystemSpace.SEQUENCE:
        return describeObject('sequence', row, this.#quote);
      case SystemSpace.FUNC:
        return this.#function(row);
      case SystemSpace.USER:
        return describeObject('user', row, this.#quote);
      case SystemSpace.SEQUENCE_DATA:
        return `value of ${this.thing('sequence', fields[Field.sequenceData.id])}`;
      case SystemSpace.INDEX:
        return `index ${this.#quote(fields[Field.index.name])} of ${space(Field.index.spaceId)}`;
      case SystemSpace.PRIV:
        return this.#grant(fields);
      case SystemSpace.TRIGGER:
        return `trigger ${this.#quote(fields[Field.trigger.name])} of ${space(Field.trigger.spaceId)}`;
      case SystemSpace.SPACE_SEQUENCE:
        return `${this.thing('sequence', fields[Field.spaceSequence.sequenceId])} of ${space(Field.spaceSequence.spaceId)}`;
      case SystemSpace.FK_CONSTRAINT:
        return `foreign key ${this.#quote(fields[Field.fkConstraint.name])} of ${space(Field.fkConstraint.childId)}`;
      case SystemSpace.CK_CONSTRAINT:
        return `check ${this.#quote(fields[Field.ckConstraint.name])} of ${space(Field.ckConstraint.spaceId)}`;
      case SystemSpace.FUNC_INDEX:
        return `functional index ${fields[Field.funcIndex.indexId]} of ${space(Field.funcIndex.spaceId)}`;
      default:
        return `mark ${this.#quote(fields[Field.schema.key])}`;
    }
  }

  /**
   * Returns the description of a built-in grant.
   *
   * @param fields - of a row of `_priv` that every server has
   */
  shippedGrant(fields: SystemRow['fields']): string {
    const { grantee, objectType, objectId } = Field.priv;
    const object = this.object(String(fields[objectType]), fields[objectId]);
    return `built-in grant to ${this.thing('user', fields[grantee])} on ${object}`;
  }

  #function(row: SystemRow): string {
    const { owner, setuid, language } = Field.func;
    const asOwner = Number(row.fields[setuid]) !== 0;
    const runs = asOwner ? `, which runs as ${this.thing('user', row.fields[owner])}` : '';
    const events = eventsOf(row);
    const acts = events.length === 0 ? '' : `, on ${events.join(' and ')}`;
    return `${describeObject('function', row, this.#quote)} (${row.fields[language]}${runs}${acts})`;
  }

  #grant(fields: SystemRow['fields']): string {
    const { grantee, objectType, objectId, bits } = Field.priv;
    const to = this.thing('user', fields[grantee]);
    const type = String(fields[objectType]);
    const id = fields[objectId];
    const isMember = type === 'role' && Number(fields[bits]) === Privilege.EXECUTE;
    if (isMember && typeof id === 'number') {
      return `grant of ${this.thing('user', id)} to ${to}`;
    }
    return `grant of ${privileges(fields[bits])} on ${this.object(type, id)} to ${to}`;
  }

  /**
   * Returns the description of the object of a grant.
   *
   * @example describer.object('space', 512); // "space 'users'"
   */
  object(type: string, id: unknown): string {
    if (type === 'universe') return type;
    if (id === '') return `every ${type}`;
    if (typeof id !== 'number') return `${type} ${this.#quote(id)}`;
    const kind = KINDS.find((each) => each === (type === 'role' ? 'user' : type));
    return kind === undefined ? `${type} ${id}` : this.thing(kind, id);
  }
}
