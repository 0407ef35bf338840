import { notTuple } from '../../backup/batch.js';
import { MAX_DEFINITION_BYTES, MAX_DEFINITION_VALUES } from '../../backup/limits.js';
import { type ErrorKind, TntarError } from '../../base/errors.js';
import { decode, type Value } from '../../tuple/codec.js';
import { type PathStep, parsePath } from '../../tuple/fields.js';
import { countValues } from '../../tuple/msgpack.js';
import { UNFINISHED, Walker } from '../../tuple/walk.js';
import { isShipped, isShippedFunction } from '../server/builtin.js';
import { ShippedGrants } from '../server/builtin-grants.js';
import { type SchemaVersion, schemaVersionOf } from '../server/release.js';
import { Field, SYSTEM_ID_MAX, SYSTEM_SPACES, SystemSpace } from '../server/system-spaces.js';
import { checkFieldCount } from './field-limit.js';

/** A row of a system space: its bytes and its decoded fields. */
export interface SystemRow {
  raw: Buffer;
  fields: Value[];
}

/** One part of a key. */
export interface KeyPart {
  /** Zero-based. */
  fieldNo: number;
  /** The path to the value inside of the field; empty for the field itself. */
  path: PathStep[];
}

/** A part of the key of an index. */
interface IndexPart extends KeyPart {
  /** Lower case, e.g. `unsigned`. */
  type: string;
}

export interface Index {
  spaceId: number;
  id: number;
  name: string;
  /** Lower case: `tree`, `hash`, `rtree`, `bitset`. */
  type: string;
  isUnique: boolean;
  parts: IndexPart[];
}

export interface Space {
  id: number;
  name: string;
  engine: string;
  format: Value[];
  isView: boolean;
  /** True if the rows are lost when the server stops. */
  isTemporary: boolean;
  /** True if the rows are not replicated. A read view does not have them either. */
  isLocal: boolean;
  /** True if its transactions wait until a quorum has confirmed them. */
  isSync: boolean;
  /** The index with the id 0; undefined if the space cannot hold rows. */
  primaryKey?: Index;
}

/** The memory of a row besides its contents, counted in values. */
const ROW_VALUES = 25;

/** Engines that store no rows to read. */
const ROWLESS_ENGINES: readonly string[] = ['blackhole', 'sysview', 'service'];

function flagsOf(fields: Value[]): Record<string, Value> {
  const flags = fields[Field.space.flags];
  return typeof flags === 'object' && flags !== null ? (flags as Record<string, Value>) : {};
}

/**
 * Returns true for a space that is removed with its definition when the server stops; no read view has it. Only 3.x
 * has such spaces. Their type is `temporary`.
 *
 * Source: `space_def_tuple_is_temporary()` in the server's `src/box/space_def.c`.
 */
function isFleeting({ fields }: SystemRow): boolean {
  return flagsOf(fields)['type'] === 'temporary';
}

function toSpace({ fields }: SystemRow): Space {
  const flags = flagsOf(fields);
  const type = flags['type'];
  return {
    id: Number(fields[Field.space.id]),
    name: String(fields[Field.space.name]),
    engine: String(fields[Field.space.engine]),
    format: (fields[Field.space.format] as Value[] | undefined) ?? [],
    isView: flags['view'] === true,
    isTemporary: flags['temporary'] === true || type === 'temporary' || type === 'data-temporary',
    isLocal: flags['group_id'] === 1 || type === 'local',
    isSync: flags['is_sync'] === true,
  };
}

/** Reads a part: `{field, type, path}`, or `[field, type]` in spaces that 1.x created. */
function toPart(part: Value): IndexPart {
  const { field, path, type } = Array.isArray(part)
    ? { field: part[0], path: undefined, type: part[1] }
    : (part as Record<string, Value>);
  return {
    fieldNo: Number(field),
    path: typeof path === 'string' ? parsePath(path) : [],
    type: String(type).toLowerCase(),
  };
}

function toIndex({ fields }: SystemRow): Index {
  const parts = fields[Field.index.parts];
  const options = fields[Field.index.options] as Record<string, Value>;
  return {
    spaceId: Number(fields[Field.index.spaceId]),
    id: Number(fields[Field.index.id]),
    name: String(fields[Field.index.name]),
    type: String(fields[Field.index.type]).toLowerCase(),
    isUnique: fields[Field.index.id] === 0 || options['unique'] !== false,
    parts: Array.isArray(parts) ? parts.map(toPart) : [],
  };
}

/**
 * The rows of the system spaces of one instance, and the spaces and indexes that they define.
 *
 * @example
 * const catalog = new Catalog();
 * catalog.add(280, tuple); // for each row of each system space
 * catalog.spaces; // the user's spaces, ascending by id
 */
export class Catalog {
  readonly #rows = new Map<number, SystemRow[]>(SYSTEM_SPACES.map((id) => [id, []]));
  #spaces: Space[] | undefined;
  #primaryKeys: Map<number, Index> | undefined;
  readonly #userRows = new Map<number, SystemRow[]>();
  readonly #kind: ErrorKind;
  #bytes = 0;
  #values = 0;

  /** @param kind - of the error for too many rows; it depends on where the rows come from */
  constructor(kind: ErrorKind = 'failure') {
    this.#kind = kind;
  }

  /** @param rowsOf - returns the rows of each system space */
  static of(rowsOf: (spaceId: number) => readonly SystemRow[]): Catalog {
    const catalog = new Catalog();
    for (const spaceId of SYSTEM_SPACES) {
      for (const row of rowsOf(spaceId)) catalog.addRow(spaceId, row);
    }
    return catalog;
  }

  /** The version of the schema, as the server has it; undefined for the rows of an archive. */
  get schema(): SchemaVersion | undefined {
    return schemaVersionOf(this.rows(SystemSpace.SCHEMA));
  }

  /**
   * Adds a row. Rows of system spaces that are not in {@link SYSTEM_SPACES} are ignored.
   *
   * @throws TntarError if all added rows are larger than a restore can hold in memory, or if a space has too many
   * fields
   */
  add(spaceId: number, raw: Buffer): void {
    this.#count(raw);
    this.#decoded(spaceId, raw);
  }

  /**
   * Adds a copy of each row. Counts no more values than the limit allows.
   *
   * @param bytes - whole tuples, back to back
   * @param check - called with each row before it is decoded
   * @throws TntarError if all added rows are larger than a restore can hold in memory
   */
  addAll(spaceId: number, bytes: Buffer, check: (raw: Buffer) => void = () => {}): void {
    if (this.#bytes + bytes.length > MAX_DEFINITION_BYTES) throw this.#tooMany();
    for (let pos = 0; pos < bytes.length; ) {
      const walker = new Walker(MAX_DEFINITION_VALUES);
      const end = walker.beginTuple(bytes, pos, bytes.length);
      if (end === UNFINISHED) throw this.#tooMany();
      if (end < 0) throw notTuple(bytes, pos);
      const raw = Buffer.from(bytes.subarray(pos, end));
      this.#count(raw);
      check(raw);
      this.#decoded(spaceId, raw);
      pos = end;
    }
  }

  #count(raw: Buffer): void {
    this.#bytes += raw.length;
    this.#values += ROW_VALUES + countValues(raw, MAX_DEFINITION_VALUES);
    if (this.#bytes > MAX_DEFINITION_BYTES || this.#values > MAX_DEFINITION_VALUES) {
      throw this.#tooMany();
    }
  }

  #tooMany(): TntarError {
    const limit = `${MAX_DEFINITION_BYTES} bytes and ${MAX_DEFINITION_VALUES} values`;
    return new TntarError(this.#kind, `the rows of system spaces exceed the limit of ${limit}`);
  }

  #decoded(spaceId: number, raw: Buffer): void {
    if (!this.#rows.has(spaceId)) return;
    if (spaceId === SystemSpace.SPACE) checkFieldCount(raw, this.#kind);
    this.addRow(spaceId, { raw, fields: decode(raw) as Value[] });
  }

  addRow(spaceId: number, row: SystemRow): void {
    this.#forget();
    this.#rows.get(spaceId)?.push(row);
  }

  /** Replaces the rows of a system space. */
  replace(spaceId: number, rows: readonly Buffer[]): void {
    this.#forget();
    this.#rows.set(spaceId, []);
    for (const raw of rows) this.#decoded(spaceId, raw);
  }

  /** Returns the index with the id 0 of any space, system spaces included. */
  primaryKeyOf(spaceId: number): Index | undefined {
    return this.primaryKeys.get(spaceId);
  }

  /** The primary indexes, by the id of their space. */
  get primaryKeys(): ReadonlyMap<number, Index> {
    this.#primaryKeys ??= this.#readPrimaryKeys();
    return this.#primaryKeys;
  }

  /** Returns all indexes of a space, the primary one included. */
  indexesOf(spaceId: number): Index[] {
    return this.rows(SystemSpace.INDEX)
      .filter(({ fields }) => fields[Field.index.spaceId] === spaceId)
      .map(toIndex);
  }

  /** Returns all rows of a system space, the server's own included. */
  rows(spaceId: number): readonly SystemRow[] {
    return this.#rows.get(spaceId) ?? [];
  }

  /** Returns the rows of a system space that a user created, without those of {@link fleetingSpaces}. */
  userRows(spaceId: number): readonly SystemRow[] {
    const known = this.#userRows.get(spaceId);
    if (known !== undefined) return known;
    const rows = this.#readUserRows(spaceId);
    this.#userRows.set(spaceId, rows);
    return rows;
  }

  #readUserRows(spaceId: number): SystemRow[] {
    const { shippedGrants, schema } = this;
    const users = this.rows(spaceId).filter(
      ({ fields }) => !isShipped(spaceId, fields, shippedGrants, schema),
    );
    if (spaceId !== SystemSpace.SPACE && spaceId !== SystemSpace.INDEX) return users;
    const fleeting = new Set<Value>(this.fleetingSpaces.map(({ id }) => id));
    return users.filter(({ fields }) => !fleeting.has(fields[0]!));
  }

  /** The built-in grants of the server that the rows come from; none for an archive, where all rows belong to users. */
  get shippedGrants(): ShippedGrants {
    const functions = this.rows(SystemSpace.FUNC).filter(({ fields }) => isShippedFunction(fields));
    return new ShippedGrants(this.schema, functions);
  }

  /** Spaces whose definitions are lost when the server stops (3.x). They are not backed up. */
  get fleetingSpaces(): Space[] {
    return this.rows(SystemSpace.SPACE).filter(isFleeting).map(toSpace);
  }

  /** The user's spaces, ascending by id. */
  get spaces(): readonly Space[] {
    this.#spaces ??= this.#readSpaces();
    return this.#spaces;
  }

  #forget(): void {
    this.#spaces = undefined;
    this.#primaryKeys = undefined;
    this.#userRows.clear();
  }

  #readSpaces(): Space[] {
    return this.rows(SystemSpace.SPACE)
      .filter((row) => !isFleeting(row))
      .map(toSpace)
      .filter(({ id }) => id > SYSTEM_ID_MAX)
      .map((space) => {
        const primaryKey = this.primaryKeyOf(space.id);
        return primaryKey === undefined ? space : { ...space, primaryKey };
      })
      .sort((a, b) => a.id - b.id);
  }

  #readPrimaryKeys(): Map<number, Index> {
    const primary = this.rows(SystemSpace.INDEX).filter(
      ({ fields }) => fields[Field.index.id] === 0,
    );
    return new Map(primary.map(toIndex).map((index) => [index.spaceId, index]));
  }
}

/** Returns the reason why a space has no rows in an archive; undefined if it has rows. */
export function rowlessReason(space: Space): string | undefined {
  if (space.isView) return 'a view: its definition is kept';
  if (space.isTemporary) return 'temporary: its definition is kept, its rows are not';
  if (space.primaryKey === undefined) return 'no primary index: it cannot hold rows';
  if (ROWLESS_ENGINES.includes(space.engine)) return `the engine ${space.engine} keeps no rows`;
  return undefined;
}

/** Returns the names of spaces by id. */
export function spaceNames(spaces: readonly Pick<Space, 'id' | 'name'>[]): Map<number, string> {
  return new Map(spaces.map(({ id, name }) => [id, name]));
}
