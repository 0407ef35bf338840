import type { Manifest, Revocation } from '../archive/manifest.js';
import { quoted } from '../report.js';
import { Catalog, type SystemRow } from '../schema/catalog.js';
import { Describer, describeThing, privileges } from '../schema/describe.js';
import { DEFINITIONS, KINDS, type Kind } from '../schema/ids.js';
import { isTable, type Table } from '../schema/rows.js';
import { BuiltinUser, Field, SystemSpace } from '../schema/system.js';
import { systemFormat } from '../schema/system-formats.js';
import { encode, type Value } from '../tuple/codec.js';
import { named, partText } from './options.js';
import { note, type Properties, textOf } from './property.js';

/** Something that is defined: a space, a grant, the value of a sequence. */
export interface Thing {
  /** What people call it. */
  shown: string;
  /** What people call it where the other side has none of it. */
  alone: string;
  properties: Properties;
}

/** What every server has under the same ids, so far as other things name it. */
export function shipped(): Catalog {
  const catalog = new Catalog();
  for (const [name, id] of Object.entries(BuiltinUser)) {
    const type = id <= BuiltinUser.ADMIN ? 'user' : 'role';
    catalog.add(SystemSpace.USER, encode([id, BuiltinUser.ADMIN, name.toLowerCase(), type, {}]));
  }
  for (const [id, name] of ['none', 'unicode', 'unicode_ci', 'binary'].entries()) {
    catalog.add(SystemSpace.COLLATION, encode([id, name, BuiltinUser.ADMIN, '', '', {}]));
  }
  return catalog;
}

/** Fields that are taken apart, and those about when something was made. */
const LEFT_OUT: Readonly<Record<number, readonly number[]>> = {
  [SystemSpace.SPACE]: [Field.space.flags, Field.space.format],
  [SystemSpace.FUNC]: [Field.func.created, Field.func.lastAltered],
  [SystemSpace.USER]: [Field.user.auth, Field.user.authHistory, Field.user.lastModified],
};

const byFirst = (catalog: Catalog, spaceId: number): Map<Value, SystemRow> =>
  new Map(catalog.rows(spaceId).map((row) => [row.fields[0]!, row]));

/** About the instance that made the index, which gives it by itself. */
const LSN = 'lsn';

/** Takes apart what one side has in its system spaces, with names in the place of ids. */
export class Things {
  readonly #catalog: Catalog;
  readonly #describer: Describer;
  /** Names as they are, for {@link Describer} shortens them. */
  readonly #names = new Map(KINDS.map((kind) => [kind, new Map<Value, Value>()]));
  /** Rows of `_space_sequence` by the space, and of `_sequence_data` by the sequence. */
  readonly #filled: ReadonlyMap<Value, SystemRow>;
  readonly #values: ReadonlyMap<Value, SystemRow>;
  readonly all = new Map<string, Thing>();

  /** @param hasValues - whether those of sequences count */
  constructor(catalog: Catalog, { revoked }: Pick<Manifest, 'revoked'>, hasValues: boolean) {
    const ours = shipped();
    this.#catalog = catalog;
    this.#describer = new Describer(catalog, ours);
    for (const kind of KINDS) {
      const { spaceId, id, name } = DEFINITIONS[kind];
      for (const { fields } of [...ours.rows(spaceId), ...catalog.rows(spaceId)]) {
        this.#names.get(kind)!.set(fields[id]!, fields[name]!);
      }
    }
    this.#filled = byFirst(catalog, SystemSpace.SPACE_SEQUENCE);
    this.#values = hasValues ? byFirst(catalog, SystemSpace.SEQUENCE_DATA) : new Map();
    for (const kind of KINDS) this.#addKind(kind);
    for (const row of catalog.rows(SystemSpace.INDEX)) this.#addIndex(row);
    this.#addParts();
    for (const row of catalog.rows(SystemSpace.SCHEMA)) this.#addMark(row);
    for (const row of catalog.rows(SystemSpace.PRIV)) this.#addGrant(row);
    for (const grant of revoked) this.#addRevoked(grant);
  }

  #name(kind: Kind, id: Value | undefined): Value {
    return this.#names.get(kind)!.get(id!) ?? id ?? null;
  }

  #add(key: readonly Value[], shown: string, properties: Properties, alone = shown): void {
    this.all.set(textOf([...key]), { shown, alone, properties });
  }

  /** Spaces, users, functions, sequences, collations. */
  #addKind(kind: Kind): void {
    const { spaceId, id, name } = DEFINITIONS[kind];
    for (const row of this.#catalog.userRows(spaceId)) {
      const { fields } = row;
      const properties = this.#fields(spaceId, row, [id, name]);
      if (kind === 'space') this.#space(fields, properties);
      if (kind === 'sequence') this.#value(fields[id]!, properties);
      if (kind === 'user') this.#password(fields[Field.user.auth], properties);
      this.#add([spaceId, fields[name]!], describeThing(kind, row), properties);
    }
  }

  /** The fields of a row that are not taken apart, by their names. */
  #fields(spaceId: number, { fields }: SystemRow, without: readonly number[]): Properties {
    const properties: Properties = new Map();
    for (const [i, { name }] of systemFormat(spaceId).entries()) {
      if (without.includes(i) || LEFT_OUT[spaceId]?.includes(i)) continue;
      const value = name === 'owner' ? this.#describer.thing('user', fields[i]) : fields[i];
      const isAny = name === 'field_count' && value === 0;
      if (!isAny) note(properties, name.replaceAll('_', ' '), value);
    }
    return properties;
  }

  #space(fields: readonly Value[], properties: Properties): void {
    const flags = fields[Field.space.flags];
    for (const [key, value] of Object.entries(isTable(flags) ? flags : {})) {
      // 3.x says by a type what 2.x says by a flag
      if (key === 'type' && value === 'normal') continue;
      if (key === 'type' && value === 'data-temporary') note(properties, 'temporary', true);
      else note(properties, key.replaceAll('_', ' '), named(key, value, this.#describer));
    }
    const format = fields[Field.space.format];
    for (const [i, field] of (Array.isArray(format) ? format : []).entries()) {
      if (isTable(field)) this.#field(`field ${i + 1}`, field, properties);
    }
    const filled = this.#filled.get(fields[Field.space.id]!);
    if (filled === undefined) return;
    const [, , isGenerated = false, field = 0, path = ''] = filled.fields;
    const sequence = this.#describer.thing(
      'sequence',
      filled.fields[Field.spaceSequence.sequenceId],
    );
    const where = `field ${Number(field) + 1}${textOf(path)}`;
    note(
      properties,
      'filled',
      `by ${sequence} in ${where}${isGenerated === true ? ', its own' : ''}`,
    );
  }

  #field(position: string, field: Table, properties: Properties): void {
    const name = quoted(field['name']);
    note(properties, position, name);
    for (const [key, value] of Object.entries(field)) {
      if (key === 'name') continue;
      const text =
        key === 'type' ? String(value).toLowerCase() : named(key, value, this.#describer);
      note(properties, `${position} ${name} ${key}`, text, `${position} ${key}`);
    }
  }

  #value(id: Value, properties: Properties): void {
    note(properties, 'value', this.#values.get(id)?.fields[Field.sequenceData.value]);
  }

  #password(auth: Value | undefined, properties: Properties): void {
    if (!isTable(auth) || Object.keys(auth).length === 0) return;
    properties.set('password', { label: 'password', text: textOf(auth), isSecret: true });
  }

  #addIndex(row: SystemRow): void {
    const { spaceId, id, name, type, options, parts } = Field.index;
    const { fields } = row;
    const properties: Properties = new Map();
    note(properties, 'primary', fields[id] === 0);
    note(properties, 'type', String(fields[type]).toLowerCase());
    const given = fields[options];
    for (const [key, value] of Object.entries(isTable(given) ? given : {})) {
      if (key !== LSN) note(properties, key, named(key, value, this.#describer));
    }
    const list = fields[parts];
    const texts = (Array.isArray(list) ? list : []).map((part) => partText(part, this.#describer));
    note(properties, 'parts', texts.join(', '));
    const key = [SystemSpace.INDEX, this.#name('space', fields[spaceId]), fields[name]!];
    this.#add(key, this.#describer.row(SystemSpace.INDEX, row), properties);
  }

  /** Triggers, and constraints as 2.x has them. */
  #addParts(): void {
    const { parentId } = Field.fkConstraint;
    for (const [spaceId, space, name] of [
      [SystemSpace.TRIGGER, Field.trigger.spaceId, Field.trigger.name],
      [SystemSpace.FK_CONSTRAINT, Field.fkConstraint.childId, Field.fkConstraint.name],
      [SystemSpace.CK_CONSTRAINT, Field.ckConstraint.spaceId, Field.ckConstraint.name],
    ] as const) {
      const isForeign = spaceId === SystemSpace.FK_CONSTRAINT;
      for (const row of this.#catalog.rows(spaceId)) {
        const { fields } = row;
        const without = isForeign ? [space, name, parentId] : [space, name];
        const properties = this.#fields(spaceId, row, without);
        if (isForeign) note(properties, 'parent', this.#describer.thing('space', fields[parentId]));
        const key = [spaceId, this.#name('space', fields[space]), fields[name]!];
        this.#add(key, this.#describer.row(spaceId, row), properties);
      }
    }
  }

  #addMark(row: SystemRow): void {
    const properties: Properties = new Map();
    // all of them: the version of vshard has four
    const values = row.fields.slice(Field.schema.value);
    const text = textOf(values.length === 1 ? values[0]! : values);
    if (values.length > 0) properties.set('value', { label: 'value', text });
    const key = [SystemSpace.SCHEMA, row.fields[Field.schema.key]!];
    this.#add(key, this.#describer.row(SystemSpace.SCHEMA, row), properties);
  }

  /** Who granted it makes no difference. */
  #addGrant(row: SystemRow): void {
    const { grantee, objectType, objectId, bits } = Field.priv;
    const { fields } = row;
    const type = String(fields[objectType]);
    const kind = KINDS.find((each) => each === (type === 'role' ? 'user' : type));
    const object = kind === undefined ? fields[objectId]! : this.#name(kind, fields[objectId]);
    const properties: Properties = new Map();
    note(properties, 'privileges', privileges(fields[bits]));
    const to = this.#describer.thing('user', fields[grantee]);
    const shown = `grant on ${this.#describer.object(type, fields[objectId])} to ${to}`;
    const key = [SystemSpace.PRIV, this.#name('user', fields[grantee]), type, object];
    this.#add(key, shown, properties, this.#describer.row(SystemSpace.PRIV, row));
  }

  /** That a grant is not there which every server has. */
  #addRevoked({ grantee, objectType, objectId }: Revocation): void {
    const to = this.#describer.thing('user', grantee);
    const object = this.#describer.object(objectType, objectId);
    const shown = `revoked: what a server grants by itself to ${to} on ${object}`;
    this.#add(['revoked', grantee, objectType, objectId], shown, new Map());
  }
}
