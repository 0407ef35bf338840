import { encode, type Value } from '../../tuple/codec.js';
import { Catalog, type SystemRow } from '../catalog/catalog.js';
import { BuiltinUser, Field, SYSTEM_SPACES, SystemSpace } from '../server/system-spaces.js';

/** The largest id of a function that 2.x ships. The server's own upgrade uses the ids after it. */
const LAST_SHIPPED_FUNCTION = 65;

/** Bytes of a name, `BOX_NAME_MAX` of the server's `src/box/schema_def.h`. */
const NAME_MAX = 65000;
/** Bytes that are reserved for a suffix that makes a name unique. */
const SUFFIX_MAX = 16;

/** Cuts a name so that there is room for a suffix. */
function cutName(name: string): string {
  const bytes = Buffer.from(name);
  if (bytes.length <= NAME_MAX - SUFFIX_MAX) return name;
  let end = NAME_MAX - SUFFIX_MAX;
  // Do not cut a character of UTF-8.
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/** Returns a row of `_func` with the fields that the server's own upgrade writes for a check. */
function expressionRow(id: number, name: string, sql: string): SystemRow {
  const fields: Value[] = Object.values({
    id,
    owner: BuiltinUser.ADMIN,
    name,
    setuid: 1,
    language: 'SQL_EXPR',
    body: sql,
    routineType: 'function',
    parameters: [],
    returns: 'any',
    aggregate: 'none',
    sqlDataAccess: 'none',
    isDeterministic: true,
    isSandboxed: true,
    isNullCall: true,
    exports: ['LUA'],
    options: {},
    comment: '',
    created: '',
    lastAltered: '',
  });
  return { raw: encode(fields), fields };
}

/** The rows of the system spaces that users created, while they are converted for another release. */
export class CatalogEditor {
  /** One line for each object that is left out or changes its meaning. */
  readonly notes: string[] = [];
  readonly #rows: Map<number, SystemRow[]>;
  readonly #functionNames: Set<unknown>;
  /** The number of functions that were given each name. */
  readonly #namesakes = new Map<string, number>();
  #lastFunction: number;

  constructor(backup: Catalog) {
    this.#rows = new Map(SYSTEM_SPACES.map((id) => [id, [...backup.userRows(id)]]));
    const functions = this.rows(SystemSpace.FUNC).map(({ fields }) => fields);
    this.#functionNames = new Set(functions.map((fields) => fields[Field.func.name]));
    this.#lastFunction = functions.reduce(
      (last, fields) => Math.max(last, Number(fields[Field.func.id])),
      LAST_SHIPPED_FUNCTION,
    );
  }

  rows(spaceId: number): readonly SystemRow[] {
    return this.#rows.get(spaceId) ?? [];
  }

  replace(spaceId: number, rows: SystemRow[]): void {
    this.#rows.set(spaceId, rows);
  }

  /** Changes each row of a system space. */
  map(spaceId: number, change: (row: SystemRow) => SystemRow): void {
    this.replace(spaceId, this.rows(spaceId).map(change));
  }

  /**
   * Adds a function with an SQL expression as its body.
   *
   * @param name - is changed if it is taken or too long
   * @returns the id of the function
   */
  addExpression(name: string, sql: string): number {
    const id = ++this.#lastFunction;
    const free = this.#freeName(cutName(name));
    this.#rows.get(SystemSpace.FUNC)?.push(expressionRow(id, free, sql));
    return id;
  }

  #freeName(name: string): string {
    let free = name;
    let count = this.#namesakes.get(name) ?? 1;
    while (this.#functionNames.has(free)) free = `${name}_${++count}`;
    this.#namesakes.set(name, count);
    this.#functionNames.add(free);
    return free;
  }

  /** Returns the names of spaces, for notes. */
  spaceNames(): ReadonlyMap<unknown, string> {
    return new Map(
      this.rows(SystemSpace.SPACE).map(({ fields }) => [
        fields[Field.space.id],
        String(fields[Field.space.name]),
      ]),
    );
  }

  toCatalog(): Catalog {
    return Catalog.of((spaceId) => this.rows(spaceId));
  }
}
