import type { Revocation } from '../../backup/manifest.js';
import { TntarError } from '../../base/errors.js';
import type { Value } from '../../tuple/codec.js';
import { isOlder, OLDEST_TARGET, type SchemaVersion } from './release.js';
import { BuiltinUser, Field, Privilege } from './system-spaces.js';

/** A grant that every database has with a schema from the version `since` on and before `until`. */
interface ShippedGrant extends Revocation {
  bits: number;
  since?: SchemaVersion;
  until?: SchemaVersion;
}

/** The object id of the universe in `_priv`. */
const UNIVERSE = 0;
const LOG_IN = Privilege.SESSION | Privilege.USAGE;
const ALL = 0xffffffff;

/**
 * Built-in functions in Lua. They exist from 2.2.1 on, with these ids if no function of a user was created before
 * them.
 */
export const LUA_FUNCTIONS: Readonly<Record<string, number>> = {
  'box.schema.user.info': 1,
  LUA: 65,
};
/** Built-in functions of SQL from number 2 on, in the order of the server's own list. */
const SQL_FUNCTIONS: readonly string[] = [
  ...[
    'TRIM',
    'TYPEOF',
    'PRINTF',
    'UNICODE',
    'CHAR',
    'HEX',
    'VERSION',
    'QUOTE',
    'REPLACE',
    'SUBSTR',
  ],
  ...['GROUP_CONCAT', 'JULIANDAY', 'DATE', 'TIME', 'DATETIME', 'STRFTIME', 'CURRENT_TIME'],
  ...['CURRENT_TIMESTAMP', 'CURRENT_DATE', 'LENGTH', 'POSITION', 'ROUND', 'UPPER', 'LOWER'],
  ...['IFNULL', 'RANDOM', 'CEIL', 'CEILING', 'CHARACTER_LENGTH', 'CHAR_LENGTH', 'FLOOR', 'MOD'],
  ...['OCTET_LENGTH', 'ROW_COUNT', 'COUNT', 'LIKE', 'ABS', 'EXP', 'LN', 'POWER', 'SQRT', 'SUM'],
  ...['TOTAL', 'AVG', 'RANDOMBLOB', 'NULLIF', 'ZEROBLOB', 'MIN', 'MAX', 'COALESCE', 'EVERY'],
  ...['EXISTS', 'EXTRACT', 'SOME', 'GREATER', 'LESSER', 'SOUNDEX', 'LIKELIHOOD', 'LIKELY'],
  ...['UNLIKELY', '_sql_stat_get', '_sql_stat_push', '_sql_stat_init'],
];
const LATER_SQL_FUNCTIONS: readonly (readonly [name: string, id: number])[] = [
  ['GREATEST', 66],
  ['LEAST', 67],
];
const SHIPPED_FUNCTIONS: ReadonlyMap<Value, number> = new Map([
  ...Object.entries(LUA_FUNCTIONS),
  ...SQL_FUNCTIONS.map((name, i): [string, number] => [name, i + 2]),
  ...LATER_SQL_FUNCTIONS,
]);

type Range = Pick<ShippedGrant, 'since' | 'until'>;

function grant(
  grantee: number,
  [objectType, objectId]: readonly [string, number],
  bits: number,
  range: Range = {},
): ShippedGrant {
  return { grantee, objectType, objectId, bits, ...range };
}

const universe = ['universe', UNIVERSE] as const;
const space = (id: number) => ['space', id] as const;
const func = (id: number) => ['function', id] as const;
const { GUEST, ADMIN, PUBLIC, REPLICATION, SUPER } = BuiltinUser;

/**
 * Built-in grants. Source: the server's `src/box/lua/upgrade.lua`, which also writes the rows of a new server;
 * compared with empty instances of 2.6.0, 2.11.9 and 3.9.0.
 */
const GRANTS: readonly ShippedGrant[] = [
  grant(GUEST, ['role', PUBLIC], Privilege.EXECUTE),
  grant(GUEST, universe, LOG_IN, { since: [1, 7, 7] }),
  grant(PUBLIC, func(LUA_FUNCTIONS['box.schema.user.info']!), Privilege.EXECUTE),
  ...SQL_FUNCTIONS.map((_, i) =>
    grant(PUBLIC, func(i + 2), Privilege.EXECUTE, { since: [2, 2, 1], until: [2, 9, 1] }),
  ),
  ...LATER_SQL_FUNCTIONS.map(([, id]) =>
    grant(PUBLIC, func(id), Privilege.EXECUTE, { since: [2, 3, 0], until: [2, 9, 1] }),
  ),
  grant(PUBLIC, func(LUA_FUNCTIONS['LUA']!), Privilege.EXECUTE, {
    since: [2, 2, 1],
    until: [2, 10, 4],
  }),
  grant(PUBLIC, func(LUA_FUNCTIONS['LUA']!), Privilege.READ, { since: [2, 10, 4] }),
  grant(PUBLIC, space(276), Privilege.WRITE, { since: [1, 7, 6], until: [2, 11, 0] }),
  grant(PUBLIC, space(277), Privilege.READ, { since: [2, 2, 1] }),
  grant(PUBLIC, space(286), Privilege.READ, { since: [1, 10, 0] }),
  ...[281, 289, 297, 305, 313].map((view) => grant(PUBLIC, space(view), Privilege.READ)),
  grant(PUBLIC, space(330), Privilege.WRITE, { since: [1, 7, 5] }),
  grant(PUBLIC, space(341), Privilege.READ, { since: [2, 10, 5] }),
  grant(PUBLIC, space(380), Privilege.READ | Privilege.WRITE, { since: [2, 10, 1] }),
  grant(REPLICATION, space(320), Privilege.WRITE),
  grant(REPLICATION, space(388), Privilege.WRITE, { since: [3, 3, 0] }),
  grant(REPLICATION, universe, Privilege.READ),
  grant(SUPER, universe, ALL, { since: [1, 7, 7] }),
];

const keyOf = ({ grantee, objectType, objectId }: Revocation): string =>
  `${grantee} ${objectType} ${objectId}`;

const keyOfRow = (fields: readonly Value[]): string =>
  `${fields[Field.priv.grantee]} ${fields[Field.priv.objectType]} ${fields[Field.priv.objectId]}`;

const KNOWN: ReadonlySet<string> = new Set(GRANTS.map(keyOf));

/**
 * Checks the revocations of an archive.
 *
 * @throws TntarError of kind `archive` for a grant that is not built into any server, because no dump writes it
 */
export function checkRevoked(revoked: readonly Revocation[]): void {
  const unknown = revoked.find((each) => !KNOWN.has(keyOf(each)));
  if (unknown === undefined) return;
  const { grantee, objectType, objectId } = unknown;
  throw new TntarError(
    'archive',
    `manifest.json: 'revoked' has ${objectType} ${objectId} for the user ${grantee}, but no server grants that by default`,
  );
}

/** @returns false before the grant was introduced, and after it was removed */
function isShippedWith({ since, until }: ShippedGrant, version: SchemaVersion): boolean {
  return (
    (since === undefined || !isOlder(version, since)) &&
    (until === undefined || isOlder(version, until))
  );
}

/** Returns true if a server with this schema has the built-in grant that was revoked. */
export function canRevoke(revocation: Revocation, version: SchemaVersion): boolean {
  const key = keyOf(revocation);
  return GRANTS.some((each) => keyOf(each) === key && isShippedWith(each, version));
}

/** Returns true for a row of `_priv` that each database with this schema has by itself. */
export function isShippedGrant(fields: readonly Value[], version: SchemaVersion): boolean {
  const { grantor, bits } = Field.priv;
  return GRANTS.some(
    (each) =>
      keyOf(each) === keyOfRow(fields) &&
      each.bits === fields[bits] &&
      fields[grantor] === ADMIN &&
      isShippedWith(each, version),
  );
}

/**
 * Returns true for a grant that a server of this version removes when it upgrades the schema. If it is missing,
 * `box.schema.downgrade()` may have removed it, and nobody has revoked it.
 *
 * @param schema - version of the database
 * @param server - version of the server in the form of a schema version, e.g. `[2, 11, 5]`
 */
export function isTakenByUpgrade(
  revocation: Revocation,
  schema: SchemaVersion,
  server: SchemaVersion,
): boolean {
  const key = keyOf(revocation);
  return GRANTS.some(
    (each) =>
      keyOf(each) === key &&
      isShippedWith(each, schema) &&
      each.until !== undefined &&
      !isOlder(server, each.until),
  );
}

/**
 * The built-in grants of one server, with its own ids.
 *
 * @example
 * const shipped = new ShippedGrants([2, 11, 5], shippedFunctions);
 * shipped.has([1, 0, 'universe', 0, 24]); // true
 * shipped.revoked(privRows); // [{ grantee: 2, objectType: 'space', objectId: 281 }]
 */
export class ShippedGrants {
  /** By the keys of their rows; those of functions with the ids on this server. */
  readonly #own = new Map<string, ShippedGrant>();
  /** All built-in grants by the keys of {@link GRANTS}, even if their function was dropped. */
  readonly #known = new Map<string, ShippedGrant>();

  /**
   * @param version - of the schema; undefined for an archive, whose grants all belong to users
   * @param functions - rows of `_func` of built-in functions
   */
  constructor(version: SchemaVersion | undefined, functions: readonly { fields: Value[] }[]) {
    if (version === undefined) return;
    const ids = new Map(
      functions.map(({ fields }) => [
        SHIPPED_FUNCTIONS.get(fields[Field.func.name]!),
        Number(fields[Field.func.id]),
      ]),
    );
    for (const each of GRANTS) {
      const { since, until } = each;
      if (until !== undefined && !isOlder(version, until)) continue;
      const isYetToCome = since !== undefined && isOlder(version, since);
      // A user has granted what every target has by itself.
      if (isYetToCome && isOlder(OLDEST_TARGET, since)) continue;
      if (!isYetToCome) this.#known.set(keyOf(each), each);
      const objectId = each.objectType === 'function' ? ids.get(each.objectId) : each.objectId;
      if (objectId === undefined) continue;
      this.#own.set(keyOf({ ...each, objectId }), each);
    }
  }

  /** Returns false for a row of `_priv` with more or fewer privileges than on a new server. */
  has(fields: readonly Value[]): boolean {
    const { grantor, grantee, objectType, bits } = Field.priv;
    // The server refuses to change it: "can't revoke universe from the admin user".
    if (fields[grantee] === ADMIN && fields[objectType] === 'universe') return true;
    const shipped = this.#own.get(keyOfRow(fields));
    return shipped !== undefined && fields[bits] === shipped.bits && fields[grantor] === ADMIN;
  }

  /**
   * Returns built-in grants that were revoked, maybe together with their function. No row records that, and a restore
   * without this list would grant again what was revoked.
   *
   * @param grants - all rows of `_priv`
   */
  revoked(grants: readonly { fields: Value[] }[]): Revocation[] {
    const present = this.#present(grants);
    return [...this.#known.values()]
      .filter((each) => !present.has(each))
      .map(({ grantee, objectType, objectId }) => ({ grantee, objectType, objectId }));
  }

  /**
   * Returns the rows of this server to delete because another server's built-in grants were revoked.
   *
   * @param grants - all rows of this server's `_priv`
   * @returns rows of built-in grants of this server, whatever privileges they have
   */
  toRevoke(revoked: readonly Revocation[], grants: readonly { fields: Value[] }[]): Value[][] {
    const present = this.#present(grants);
    return revoked.flatMap((each) => {
      const shipped = this.#known.get(keyOf(each));
      const fields = shipped === undefined ? undefined : present.get(shipped);
      return fields === undefined ? [] : [fields];
    });
  }

  #present(grants: readonly { fields: Value[] }[]): ReadonlyMap<ShippedGrant, Value[]> {
    const present = new Map<ShippedGrant, Value[]>();
    for (const { fields } of grants) {
      const shipped = this.#own.get(keyOfRow(fields));
      if (shipped !== undefined) present.set(shipped, fields);
    }
    return present;
  }
}
