import type { Manifest, Revocation } from '../backup/manifest.js';
import { Catalog, type SystemRow } from '../schema/catalog/catalog.js';
import { DEFINITIONS, KINDS, type Kind } from '../schema/catalog/id-map.js';
import { emptyValue, rowsBy } from '../schema/catalog/rows.js';
import { Describer, describeObject, privileges } from '../schema/describe/describe.js';
import { type FieldFormat, systemFormat } from '../schema/server/formats.js';
import { BuiltinUser, Field, SystemSpace } from '../schema/server/system-spaces.js';
import { decode, encode, type Value } from '../tuple/codec.js';
import { joinFields, splitFields } from '../tuple/fields.js';
import { arrayHeader, isMap, memberCount } from '../tuple/msgpack.js';
import { NameTable } from './name-table.js';
import { lowered, namedOption, namedPart, optionsOf } from './options.js';
import { note, type Properties, textOf } from './property.js';
import { isSameValue, membersOf, typedText } from './typed.js';

/** A definition: an object, a grant, or the value of a sequence. */
export interface ComparedDefinition {
  /** The description for people. */
  shown: string;
  /** The description if the other side does not have it. */
  alone: string;
  /**
   * Yields the properties in groups. They are created again with each call, because all together would take hundreds
   * of megabytes. A property is in the group of the same number on both sides.
   */
  properties(): Iterable<Properties>;
}

/** Returns a catalog of the objects that every server has with the same ids, as far as others refer to them. */
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

/** Fields that are compared in parts, and fields about the time of a change. */
const LEFT_OUT: Readonly<Record<number, readonly number[]>> = {
  [SystemSpace.SPACE]: [Field.space.flags, Field.space.format],
  [SystemSpace.FUNC]: [Field.func.created, Field.func.lastAltered],
  [SystemSpace.USER]: [Field.user.auth, Field.user.authHistory, Field.user.lastModified],
};

/**
 * Fields that a server writes and that the format of the space does not have: `lib/schema/convert/config-origins.ts`.
 */
const UNNAMED: Readonly<Record<number, Readonly<Record<number, FieldFormat>>>> = {
  [SystemSpace.USER]: { [Field.user.options]: { name: 'options', type: 'map' } },
  [SystemSpace.PRIV]: { [Field.priv.options]: { name: 'options', type: 'map' } },
};

/** The number of fields of a format in one group of properties. */
const PIECE_FIELDS = 100;

/** An option of an index that belongs to the instance that created it. */
const LSN = 'lsn';

/** Quotes a whole name. It is cut later. */
const quote = (name: unknown): string => `'${name}'`;

const NIL = 0xc0;
const NOTHING = Buffer.of(NIL);

/** The definitions in the system spaces of one side, with names instead of ids. */
export class DefinitionSet {
  readonly #catalog: Catalog;
  readonly #describer: Describer;
  readonly #names: NameTable;
  /** Rows of `_space_sequence` by the id of the space, and of `_sequence_data` by the id of the sequence. */
  readonly #filled: ReadonlyMap<Value, SystemRow>;
  readonly #values: ReadonlyMap<Value, SystemRow>;
  /** Functions of indexes, raw, by the ids of the space and the index. */
  readonly #computed: ReadonlyMap<string, Buffer>;
  readonly all = new Map<string, ComparedDefinition>();

  /** @param hasValues - true if the values of sequences are compared */
  constructor(catalog: Catalog, { revoked }: Pick<Manifest, 'revoked'>, hasValues: boolean) {
    const ours = shipped();
    this.#catalog = catalog;
    this.#describer = new Describer(catalog, ours, quote);
    this.#names = new NameTable([ours, catalog], this.#describer);
    this.#filled = rowsBy(catalog.rows(SystemSpace.SPACE_SEQUENCE), 0);
    this.#values = hasValues ? rowsBy(catalog.rows(SystemSpace.SEQUENCE_DATA), 0) : new Map();
    const { spaceId, indexId, functionId } = Field.funcIndex;
    this.#computed = new Map(
      catalog
        .rows(SystemSpace.FUNC_INDEX)
        .map(({ raw, fields }) => [
          `${fields[spaceId]} ${fields[indexId]}`,
          splitFields(raw)[functionId]!,
        ]),
    );
    for (const kind of KINDS) this.#addKind(kind);
    for (const row of catalog.rows(SystemSpace.INDEX)) this.#addIndex(row);
    this.#addParts();
    for (const row of catalog.rows(SystemSpace.SCHEMA)) this.#addMark(row);
    for (const row of catalog.rows(SystemSpace.PRIV)) this.#addGrant(row);
    for (const grant of revoked) this.#addRevoked(grant);
  }

  /** @param key - raw values that are equal on both sides */
  #add(
    spaceId: number | string,
    key: readonly Buffer[],
    shown: string,
    properties: ComparedDefinition['properties'],
    alone = shown,
  ): void {
    const text = [spaceId, ...key.map(typedText)].join(' ');
    this.all.set(text, { shown, alone, properties });
  }

  /** Adds the objects of one kind: spaces, users, functions, sequences or collations. */
  #addKind(kind: Kind): void {
    const { spaceId, id, name } = DEFINITIONS[kind];
    for (const row of this.#catalog.userRows(spaceId)) {
      const key = splitFields(row.raw)[name]!;
      const shown = describeObject(kind, row, quote);
      this.#add(spaceId, [key], shown, () => {
        const { fields } = row;
        const raw = splitFields(row.raw);
        const properties = this.#fields(spaceId, raw, [id, name]);
        if (kind === 'space') return this.#space(fields, raw, properties);
        if (kind === 'sequence') this.#value(fields[id]!, properties);
        if (kind === 'user') this.#passwords(raw, properties);
        return [properties];
      });
    }
  }

  /** Returns the fields of a row by name. An empty field is equal to a missing one. */
  #fields(spaceId: number, raw: readonly Buffer[], without: readonly number[]): Properties {
    const properties: Properties = new Map();
    const format = systemFormat(spaceId);
    for (const [i, field] of raw.entries()) {
      if (without.includes(i) || LEFT_OUT[spaceId]?.includes(i)) continue;
      const unknown = { name: `field ${i + 1}`, type: 'any' };
      const { name, type } = format[i] ?? UNNAMED[spaceId]?.[i] ?? unknown;
      const isPerson = name === 'owner' || name === 'grantor';
      // The id 0 is the user guest, who can own an object.
      if (!isPerson && isSameValue(field, emptyValue(type))) continue;
      const label = name.replaceAll('_', ' ');
      if (isPerson) {
        const person = this.#names.text('user', decode(field));
        note(properties, label, this.#names.of('user', field), person);
      } else if (spaceId === SystemSpace.FUNC && i === Field.func.trigger) {
        const { raw: compared, text } = this.#names.events(field);
        note(properties, label, compared, text);
      } else note(properties, label, field);
    }
    return properties;
  }

  /** @param properties - of the row; the space adds its own */
  *#space(
    fields: readonly Value[],
    raw: readonly Buffer[],
    properties: Properties,
  ): Generator<Properties, void, void> {
    const [flags = NOTHING, format = NOTHING] = [raw[Field.space.flags], raw[Field.space.format]];
    for (const [key, value] of optionsOf('space', flags)) {
      // 3.x has a type where 2.x has a flag.
      if (key === 'type' && decode(value) === 'data-temporary') {
        note(properties, 'temporary', encode(true));
        continue;
      }
      const { raw: compared, text } = namedOption(key, value, this.#names);
      note(properties, key.replaceAll('_', ' '), compared, text);
    }
    const filled = this.#filled.get(fields[Field.space.id]!);
    if (filled !== undefined) this.#filledField(filled, properties);
    yield properties;
    if (!Array.isArray(fields[Field.space.format])) return;
    let piece: Properties = new Map();
    let count = 0;
    for (const field of membersOf(format)) {
      this.#field(`field ${++count}`, field, piece);
      if (count % PIECE_FIELDS > 0) continue;
      yield piece;
      piece = new Map();
    }
    yield piece;
  }

  #filledField({ raw, fields }: SystemRow, properties: Properties): void {
    const { sequenceId } = Field.spaceSequence;
    const [, id, generated = encode(false), fieldNo = encode(0), path = encode('')] =
      splitFields(raw);
    const [, , isGenerated = false, field = 0, place = ''] = fields;
    const sequence = this.#names.text('sequence', fields[sequenceId]!);
    const where = `field ${Number(field) + 1}${textOf(place)}`;
    const text = `by ${sequence} in ${where}${isGenerated === true ? ', its own' : ''}`;
    const compared = joinFields([this.#names.of('sequence', id), generated, fieldNo, path]);
    note(properties, 'filled', compared, text);
  }

  #field(position: string, field: Buffer, properties: Properties): void {
    if (!isMap(field[0]!)) {
      note(properties, position, field);
      return;
    }
    const options = optionsOf('field', field);
    const named = options.find(([key]) => key === 'name')?.[1];
    const name = quote(named === undefined ? undefined : decode(named));
    note(properties, position, named ?? NOTHING, name);
    for (const [key, value] of options) {
      if (key === 'name') continue;
      const given = key === 'type' ? lowered(value) : value;
      const { raw, text } = namedOption(key, given, this.#names);
      note(properties, `${position} ${name} ${key}`, raw, text, `${position} ${key}`);
    }
  }

  #value(id: Value, properties: Properties): void {
    const row = this.#values.get(id);
    if (row === undefined) return;
    note(properties, 'value', splitFields(row.raw)[Field.sequenceData.value]!);
  }

  /** Adds the password and the previous ones, which a server may refuse as the next one. */
  #passwords(raw: readonly Buffer[], properties: Properties): void {
    for (const [label, i] of [
      ['password', Field.user.auth],
      ['password history', Field.user.authHistory],
    ] as const) {
      const value = raw[i];
      if (value === undefined || value[0] === NIL || memberCount(value, 0) === 0) continue;
      properties.set(label, { label, raw: value, text: '', isSecret: true });
    }
  }

  #addIndex(row: SystemRow): void {
    const { spaceId, name } = Field.index;
    const raw = splitFields(row.raw);
    const key = [this.#names.of('space', raw[spaceId]), raw[name]!];
    const shown = this.#describer.row(SystemSpace.INDEX, row);
    this.#add(SystemSpace.INDEX, key, shown, () => [this.#index(row)]);
  }

  #index(row: SystemRow): Properties {
    const { spaceId, id, type, options, parts } = Field.index;
    const { fields } = row;
    const raw = splitFields(row.raw);
    const properties: Properties = new Map();
    if (fields[id] === 0) note(properties, 'primary', encode(true));
    else note(properties, 'number', raw[id]!);
    note(properties, 'type', lowered(raw[type]!));
    for (const [key, value] of optionsOf('index', raw[options]!)) {
      if (key === LSN) continue;
      const { raw: compared, text } = namedOption(key, value, this.#names);
      note(properties, key, compared, text);
    }
    const named = [...membersOf(raw[parts]!)].map((part) => namedPart(part, this.#names));
    const compared = [arrayHeader(named.length), ...named.map((part) => part.raw)];
    note(properties, 'parts', Buffer.concat(compared), named.map(({ text }) => text).join(', '));
    const computed = this.#computed.get(`${fields[spaceId]} ${fields[id]}`);
    if (computed !== undefined) {
      const text = this.#names.text('function', decode(computed));
      note(properties, 'computed by', this.#names.of('function', computed), text);
    }
    // Fields after the known ones.
    for (const [i, field] of raw.slice(parts + 1).entries()) {
      note(properties, `field ${parts + 2 + i}`, field);
    }
    return properties;
  }

  /** Adds triggers, and constraints as 2.x stores them. */
  #addParts(): void {
    const { parentId } = Field.fkConstraint;
    for (const [spaceId, space, name] of [
      [SystemSpace.TRIGGER, Field.trigger.spaceId, Field.trigger.name],
      [SystemSpace.FK_CONSTRAINT, Field.fkConstraint.childId, Field.fkConstraint.name],
      [SystemSpace.CK_CONSTRAINT, Field.ckConstraint.spaceId, Field.ckConstraint.name],
    ] as const) {
      const isForeign = spaceId === SystemSpace.FK_CONSTRAINT;
      for (const row of this.#catalog.rows(spaceId)) {
        const own = splitFields(row.raw);
        const key = [this.#names.of('space', own[space]), own[name]!];
        this.#add(spaceId, key, this.#describer.row(spaceId, row), () => {
          const raw = splitFields(row.raw);
          const without = isForeign ? [space, name, parentId] : [space, name];
          const properties = this.#fields(spaceId, raw, without);
          if (isForeign) {
            const parent = this.#names.text('space', row.fields[parentId]!);
            note(properties, 'parent', this.#names.of('space', raw[parentId]), parent);
          }
          return [properties];
        });
      }
    }
  }

  #addMark(row: SystemRow): void {
    const key = splitFields(row.raw)[Field.schema.key]!;
    const shown = this.#describer.row(SystemSpace.SCHEMA, row);
    this.#add(SystemSpace.SCHEMA, [key], shown, () => {
      const properties: Properties = new Map();
      // All values: the version of vshard has four.
      const values = row.fields.slice(Field.schema.value);
      const text = textOf(values.length === 1 ? values[0]! : values);
      if (values.length > 0) {
        const raw = splitFields(row.raw).slice(Field.schema.value);
        note(properties, 'value', joinFields(raw), text);
      }
      return [properties];
    });
  }

  #addGrant(row: SystemRow): void {
    const { grantee, objectType, objectId, bits } = Field.priv;
    const { fields } = row;
    const raw = splitFields(row.raw);
    const type = String(fields[objectType]);
    const kind = KINDS.find((each) => each === (type === 'role' ? 'user' : type));
    const object = kind === undefined ? raw[objectId]! : this.#names.of(kind, raw[objectId]);
    const properties = (): Properties[] => {
      const noted: Properties = new Map();
      if (fields[bits] !== 0) note(noted, 'privileges', raw[bits]!, privileges(fields[bits]));
      const others = this.#fields(SystemSpace.PRIV, raw, [grantee, objectType, objectId, bits]);
      return [new Map([...noted, ...others])];
    };
    const to = this.#describer.thing('user', fields[grantee]);
    const shown = `grant on ${this.#describer.object(type, fields[objectId])} to ${to}`;
    const key = [this.#names.of('user', raw[grantee]), raw[objectType]!, object];
    const alone = this.#describer.row(SystemSpace.PRIV, row);
    this.#add(SystemSpace.PRIV, key, shown, properties, alone);
  }

  /** Adds the revocation of a built-in grant. */
  #addRevoked({ grantee, objectType, objectId }: Revocation): void {
    const to = this.#describer.thing('user', grantee);
    const object = this.#describer.object(objectType, objectId);
    const shown = `revoked: built-in grant to ${to} on ${object}`;
    this.#add('revoked', [grantee, objectType, objectId].map(encode), shown, () => []);
  }
}
