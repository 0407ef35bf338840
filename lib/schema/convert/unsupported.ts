import type { Value } from '../../tuple/codec.js';
import { type Catalog, spaceNames } from '../catalog/catalog.js';
import { arrayOf, type Table, tableOf } from '../catalog/rows.js';
import {
  ALL_PRIVILEGES,
  AUTH_METHODS,
  DESCENDING,
  ENGINES,
  EVENT_TRIGGER_SCHEMA,
  EVENT_TRIGGERS,
  FIELD_OPTIONS,
  FIELD_TYPES,
  FUNCTION_OPTIONS,
  GRANTED_GRANTS,
  GRANTING,
  INDEX_OPTIONS,
  INDEX_TYPES,
  type Known,
  LANGUAGES,
  OBJECT_TYPES,
  PART_OPTIONS,
  SPACE_OPTIONS,
  SQL_FUNCTIONS,
  SQL_LITERALS,
  SQL_TYPES,
  UNBOXED_INDEX_FUNCTIONS,
  WIDTHS,
} from '../server/capabilities.js';
import {
  DEFAULT_VALUES,
  isLost,
  isOlder,
  isSameSeries,
  OLDEST_TARGET,
  type Release,
  type SchemaVersion,
  showRelease,
  showSchema,
  type Versions,
} from '../server/release.js';
import { BuiltinUser, Field, SystemSpace } from '../server/system-spaces.js';
import { sqlOf } from '../sql/dialect.js';
import { isWord, tokensOf } from '../sql/tokens.js';
import { hasOrigins } from './config-origins.js';

/** Options that both spaces and fields have. */
const CONSTRAINTS = [
  ['constraint', 'constraint'],
  ['foreign_key', 'foreign key'],
] as const;

const BUILTIN_NAMES: readonly (readonly [number, string])[] = Object.entries(BuiltinUser).map(
  ([name, id]) => [id, name.toLowerCase()],
);

/** The oldest release that is restored into. */
const OLDEST: Release = [2, 6];

/** Collects the features that a release does not have. */
class Review {
  readonly lines: string[] = [];
  /** The release of the newest feature that was found. */
  newest: Release = OLDEST;
  readonly #backup: Catalog;
  readonly #source: Release;
  readonly #target: Release;
  readonly #schema: SchemaVersion;

  constructor(backup: Catalog, source: Release, target: Versions) {
    this.#backup = backup;
    this.#source = source;
    this.#target = target.server;
    this.#schema = target.schema;
  }

  /** @param what - e.g. `space 's': field 'at' is a datetime` */
  needs(since: Release, what: string): void {
    if (isOlder(this.newest, since)) this.newest = since;
    if (isLost(since, this.#source, this.#target)) {
      this.lines.push(`${what}, which needs ${showRelease(since)}`);
    }
  }

  /** Looks up a name that servers refuse if they do not know it. */
  strict(table: Known, name: string, what: string): void {
    const since = table.get(name);
    if (since !== undefined) this.needs(since, what);
    else this.unknown(what);
  }

  /** Reports a feature that is in no table. The target has it if it is of the source's series. */
  unknown(what: string): void {
    if (isSameSeries(this.#source, this.#target)) return;
    this.lines.push(`${what}, which no supported server has`);
  }

  spaces(): void {
    for (const { fields } of this.#backup.userRows(SystemSpace.SPACE)) {
      const where = `space '${fields[Field.space.name]}'`;
      const engine = String(fields[Field.space.engine]);
      this.strict(ENGINES, engine, `${where} has the engine '${engine}'`);
      const flags = tableOf(fields[Field.space.flags]);
      for (const key of Object.keys(flags)) {
        if (key === 'constraint' || key === 'foreign_key') continue;
        this.strict(SPACE_OPTIONS, key, `${where} has the option '${key}'`);
      }
      this.constraints(where, flags);
      for (const field of arrayOf(fields[Field.space.format])) this.field(where, tableOf(field));
      this.sql(flags['view'] === true ? `view '${fields[Field.space.name]}'` : where, flags['sql']);
    }
  }

  constraints(where: string, options: Table): void {
    for (const [key, what] of CONSTRAINTS) {
      const since = FIELD_OPTIONS.get(key)!;
      for (const name of Object.keys(tableOf(options[key]))) {
        this.needs(since, `${where}: ${what} '${name}' is checked on every write`);
      }
    }
  }

  field(space: string, field: Table): void {
    const where = `${space}: field '${field['name']}'`;
    this.type(field['type'], where);
    this.constraints(where, field);
    for (const [key, value] of Object.entries(field)) {
      if (key === 'constraint' || key === 'foreign_key') continue;
      if (key === 'compression' && value === 'none') continue;
      // Other keys are custom keys of an application.
      const since = FIELD_OPTIONS.get(key);
      if (since !== undefined) this.needs(since, `${where} has the option '${key}'`);
    }
    const isSql = typeof field['default'] === 'string' && isOlder(this.#source, DEFAULT_VALUES);
    if (field['default'] !== undefined && !isSql) {
      this.needs(DEFAULT_VALUES, `${where} has a default`);
    }
  }

  type(type: Value | undefined, where: string): void {
    if (type === undefined) return;
    this.strict(FIELD_TYPES, String(type).toLowerCase(), `${where} has the type '${type}'`);
  }

  indexes(): void {
    const names = spaceNames(this.#backup.spaces);
    for (const { fields } of this.#backup.userRows(SystemSpace.INDEX)) {
      const space = names.get(Number(fields[Field.index.spaceId]));
      const where = `index '${fields[Field.index.name]}' of space '${space}'`;
      const type = String(fields[Field.index.type]);
      this.strict(INDEX_TYPES, type.toLowerCase(), `${where} has the type '${type}'`);
      for (const key of Object.keys(tableOf(fields[Field.index.options]))) {
        this.strict(INDEX_OPTIONS, key, `${where} has the option '${key}'`);
      }
      for (const [i, part] of arrayOf(fields[Field.index.parts]).entries()) {
        this.part(`${where}: part ${i + 1}`, part);
      }
    }
  }

  part(where: string, part: Value): void {
    if (Array.isArray(part)) {
      this.type(part[1], where);
      return;
    }
    const options = tableOf(part);
    this.type(options['type'], where);
    for (const key of Object.keys(options)) {
      this.strict(PART_OPTIONS, key, `${where} has the option '${key}'`);
    }
    if (options['sort_order'] === 'desc') this.needs(DESCENDING, `${where} is in descending order`);
  }

  functions(): void {
    const { id, name, language, body, parameters, returns, options, trigger } = Field.func;
    const indexed = new Set(
      this.#backup
        .userRows(SystemSpace.FUNC_INDEX)
        .map(({ fields }) => fields[Field.funcIndex.functionId]),
    );
    for (const { fields } of this.#backup.userRows(SystemSpace.FUNC)) {
      const where = `function '${fields[name]}'`;
      const spoken = String(fields[language]);
      this.strict(LANGUAGES, spoken, `${where} is in ${spoken}`);
      for (const key of Object.keys(tableOf(fields[options]))) {
        this.strict(FUNCTION_OPTIONS, key, `${where} has the option '${key}'`);
      }
      this.type(fields[returns], `${where}: its result`);
      for (const type of arrayOf(fields[parameters])) this.type(type, `${where}: a parameter`);
      if (arrayOf(fields[trigger]).length > 0) this.needs(EVENT_TRIGGERS, `${where} is a trigger`);
      if (spoken === 'SQL_EXPR') this.sql(where, fields[body]);
      if (indexed.has(fields[id]!) && fields[Field.func.isSandboxed] === false) {
        this.needs(UNBOXED_INDEX_FUNCTIONS, `${where} is used by an index but not sandboxed`);
      }
    }
  }

  /** Reports triggers that the target's release supports, and that its schema has no field for. */
  eventTriggers(): void {
    if (isOlder(this.#target, EVENT_TRIGGERS) || !isOlder(this.#schema, EVENT_TRIGGER_SCHEMA))
      return;
    for (const { fields } of this.#backup.userRows(SystemSpace.FUNC)) {
      if (arrayOf(fields[Field.func.trigger]).length === 0) continue;
      this.lines.push(
        `function '${fields[Field.func.name]}' is a trigger, which needs schema version ${showSchema(EVENT_TRIGGER_SCHEMA)}, and the target has ${showSchema(this.#schema)}: run box.schema.upgrade() on the target`,
      );
    }
  }

  users(): void {
    for (const { fields } of this.#backup.userRows(SystemSpace.USER)) {
      for (const method of Object.keys(tableOf(fields[Field.user.auth]))) {
        const what = `user '${fields[Field.user.name]}' logs in by '${method}'`;
        this.strict(AUTH_METHODS, method, what);
      }
    }
  }

  privileges(): void {
    const users = this.#backup.userRows(SystemSpace.USER).map(({ fields }) => fields);
    const names = new Map<unknown, unknown>([
      ...BUILTIN_NAMES,
      ...users.map((fields) => [fields[Field.user.id], fields[Field.user.name]] as const),
    ]);
    for (const { fields } of this.#backup.userRows(SystemSpace.PRIV)) {
      const type = String(fields[Field.priv.objectType]);
      const grantee = fields[Field.priv.grantee];
      const where = `a grant to '${names.get(grantee) ?? grantee}'`;
      this.strict(OBJECT_TYPES, type, `${where} is on ${type}`);
      const bits = Number(fields[Field.priv.bits]);
      if (bits !== ALL_PRIVILEGES && (bits & GRANTING) !== 0) {
        this.needs(GRANTED_GRANTS, `${where} includes the privilege to grant`);
      }
    }
  }

  triggers(): void {
    for (const row of this.#backup.userRows(SystemSpace.TRIGGER)) {
      const sql = sqlOf(row, Field.trigger.options) ?? null;
      this.sql(`trigger '${row.fields[Field.trigger.name]}'`, sql);
    }
    const { spaceId, name, code } = Field.ckConstraint;
    for (const { fields } of this.#backup.userRows(SystemSpace.CK_CONSTRAINT)) {
      this.sql(`check '${fields[name]}' of space ${fields[spaceId]}`, fields[code]);
    }
  }

  /** Reports each feature that a text uses once. */
  sql(where: string, text: Value | undefined): void {
    if (typeof text !== 'string') return;
    const tokens = tokensOf(text).map((token) => token.toUpperCase());
    const found = new Map<string, Release>();
    for (const [i, token] of tokens.entries()) {
      const isType = tokens[i - 1] === 'AS' && tokens[i + 1] === ')';
      const isCall = isWord(token) && tokens[i + 1] === '(';
      const table = isType ? SQL_TYPES : isCall ? SQL_FUNCTIONS : SQL_LITERALS;
      const since = table.get(token);
      if (since !== undefined) found.set(isCall ? `${token}()` : token, since);
    }
    for (const [what, since] of found) this.needs(since, `${where}: its SQL uses ${what}`);
  }

  /** Reports rows with more fields than any known server gives them. */
  widths(): void {
    for (const [spaceId, width] of WIDTHS) {
      for (const row of this.#backup.userRows(spaceId)) {
        const { fields } = row;
        if (fields.length <= width || hasOrigins(spaceId, row)) continue;
        this.unknown(`a row of the system space ${spaceId} has ${fields.length} fields`);
      }
    }
  }
}

/**
 * Returns the oldest release that supports everything that the spaces and indexes of a backup use. It is for a backup
 * that does not record its server.
 *
 * @param backup - the user's rows of the system spaces
 * @example
 * leastRelease(catalog); // [2, 10], because a field is a datetime
 */
export function leastRelease(backup: Catalog): Release {
  const review = new Review(backup, OLDEST, { server: OLDEST, schema: OLDEST_TARGET });
  review.spaces();
  review.indexes();
  return review.newest;
}

/**
 * Lists the features of a backup that a server of an older release cannot hold or would ignore.
 *
 * A feature that no known server has is reported if servers are strict about it. If they are not, as in the format of
 * a space, it is a custom key of an application. Rows are not checked.
 *
 * @param backup - the user's rows of the system spaces, as `convert()` returns them
 * @returns one line each, e.g. `space 'events': field 'at' has the type 'datetime', which needs 2.10`;
 * empty if the target can hold all of it
 */
export function unsupported(backup: Catalog, source: Versions, target: Versions): string[] {
  const review = new Review(backup, source.server, target);
  review.eventTriggers();
  if (!isOlder(target.server, source.server)) return review.lines;
  review.spaces();
  review.indexes();
  review.functions();
  review.users();
  review.privileges();
  review.triggers();
  review.widths();
  return review.lines;
}
