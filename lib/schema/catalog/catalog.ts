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

/** A row of a system space: as bytes, and understood. */
export interface SystemRow {
  raw: Buffer;
  fields: Value[];
}

/** One part of a key. */
export interface KeyPart {
  /** Zero-based. */
  fieldNo: number;
  /** Leads to the value inside of the field; empty where it is the field itself. */
  path: PathStep[];
}

export interface Index {
  spaceId: number;
  id: number;
  name: string;
  /** Lower case: `tree`, `hash`, `rtree`, `bitset`. */
  type: string;
  isUnique: boolean;
  parts: KeyPart[];
}

export interface Space {
  id: number;
  name: string;
  engine: string;
  format: Value[];
  isView: boolean;
  /** Its rows do not outlive the server. */
  isTemporary: boolean;
  /** Its rows are not replicated, hence not in a read view either. */
  isLocal: boolean;
  /** True if its transactions wait until a quorum has confirmed them. */
  isSync: boolean;
  /** Index 0; absent where the space can hold no rows. */
  primaryKey?: Index;
}

/** A row takes as much memory as so many values, whatever is in it. */
const ROW_VALUES = 25;

/** Engines that keep no rows to read. */
const ROWLESS_ENGINES: readonly string[] = ['blackhole', 'sysview', 'service'];

function flagsOf(fields: Value[]): Record<string, Value> {
  const flags = fields[Field.space.flags];
  return typeof flags === 'object' && flags !== null ? (flags as Record<string, Value>) : {};
}

/**
 * True for a space that is gone, definition and all, when the server stops; no read view has it. Only
 * 3.x has such spaces, of the type `temporary`.
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

/** A part is `{field, type, path}`, or `[field, type]` in spaces that 1.x made. */
function toPart(part: Value): KeyPart {
  if (Array.isArray(part)) return { fieldNo: Number(part[0]), path: [] };
  const { field, path } = part as Record<string, Value>;
  return { fieldNo: Number(field), path: typeof path === 'string' ? parsePath(path) : [] };
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
 * What the system spaces of one instance say.
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

  /** @param kind - of the error of rows that are too many: where they come from decides */
  constructor(kind: ErrorKind = 'failure') {
    this.#kind = kind;
  }

  /** @param rowsOf - gives the rows of each system space */
  static of(rowsOf: (spaceId: number) => readonly SystemRow[]): Catalog {
    const catalog = new Catalog();
    for (const spaceId of SYSTEM_SPACES) {
      for (const row of rowsOf(spaceId)) catalog.addRow(spaceId, row);
    }
    return catalog;
  }

  /** The version of the definitions, as the server has it; undefined for the rows of an archive. */
  get schema(): SchemaVersion | undefined {
    return schemaVersionOf(this.rows(SystemSpace.SCHEMA));
  }

  /**
   * Rows of other system spaces than {@link SYSTEM_SPACES} are ignored.
   *
   * @throws TntarError where all that was added is larger than a restore has in memory, and for a space of too
   *   many fields
   */
  add(spaceId: number, raw: Buffer): void {
    this.#count(raw);
    this.#decoded(spaceId, raw);
  }

  /**
   * Adds a copy of each row, and looks at no more values than there may be.
   *
   * @param bytes - whole tuples, back to back
   * @param check - looks at each row before it is decoded
   * @throws TntarError where all that was added is larger than a restore has in memory
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

  /** Puts other rows in the place of those of a system space. */
  replace(spaceId: number, rows: readonly Buffer[]): void {
    this.#forget();
    this.#rows.set(spaceId, []);
    for (const raw of rows) this.#decoded(spaceId, raw);
  }

  /** Index 0 of any space, also of a system space. */
  primaryKeyOf(spaceId: number): Index | undefined {
    return this.primaryKeys.get(spaceId);
  }

  /** The primary indexes by the id of their space. */
  get primaryKeys(): ReadonlyMap<number, Index> {
    this.#primaryKeys ??= this.#readPrimaryKeys();
    return this.#primaryKeys;
  }

  /** All indexes of one space, the primary one included. */
  indexesOf(spaceId: number): Index[] {
    return this.rows(SystemSpace.INDEX)
      .filter(({ fields }) => fields[Field.index.spaceId] === spaceId)
      .map(toIndex);
  }

  /** All rows of a system space, the server's own included. */
  rows(spaceId: number): readonly SystemRow[] {
    return this.#rows.get(spaceId) ?? [];
  }

  /** The rows of a system space that a user made, without those of {@link fleetingSpaces}. */
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

  /** Of the server whose rows these are; none for the rows of an archive, which are all a user's. */
  get shippedGrants(): ShippedGrants {
    const functions = this.rows(SystemSpace.FUNC).filter(({ fields }) => isShippedFunction(fields));
    return new ShippedGrants(this.schema, functions);
  }

  /** Spaces whose definitions do not outlive the server (3.x): they are nothing to back up. */
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

/** Why a space has no rows in an archive; undefined where it has. */
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
