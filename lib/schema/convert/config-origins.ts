import { listOf } from '../../base/report.js';
import { decode, encode, type Value } from '../../tuple/codec.js';
import { joinFields, splitFields } from '../../tuple/fields.js';
import { Catalog, type SystemRow } from '../catalog/catalog.js';
import { isTable, type Table } from '../catalog/rows.js';
import { describeObject } from '../describe/describe.js';
import { isOlder, type Release, showRelease } from '../server/release.js';
import { Field, SystemSpace } from '../server/system-spaces.js';

/**
 * Since 3.x, a server records who created a user, a role or a grant. Without a record, it was a statement.
 * `{origins = {config = …}}` stands for the configuration, which revokes everything that was removed from it.
 *
 * Source: `user_opts_from_origins()` and `opts_from_origins()` of the server's `src/box/lua/schema.lua`.
 */
const CONFIG = 'config';
/** The origin of an object that a statement created. */
const BY_HAND = '';

/** The field with the origins, and the release that introduced it. */
const ORIGINS: ReadonlyMap<number, { field: number; since: Release }> = new Map([
  [SystemSpace.USER, { field: Field.user.options, since: [3, 6] }],
  [SystemSpace.PRIV, { field: Field.priv.options, since: [3, 0] }],
]);

function originsOf({ fields }: SystemRow, field: number): Table | undefined {
  const options = fields[field];
  const origins = isTable(options) ? options['origins'] : undefined;
  return isTable(origins) ? origins : undefined;
}

/** Returns true for a row whose only extra field is its origins. */
export function hasOrigins(spaceId: number, row: SystemRow): boolean {
  const field = ORIGINS.get(spaceId)?.field;
  return (
    field !== undefined && row.fields.length === field + 1 && originsOf(row, field) !== undefined
  );
}

const isManaged = (row: SystemRow): boolean =>
  originsOf(row, Field.user.options)?.[CONFIG] !== undefined;

/** Removes the origins of users, roles and grants if the target records none. */
export function withoutOrigins(
  backup: Catalog,
  target: Release,
): { backup: Catalog; notes: string[] } {
  const isCut = (spaceId: number, row: SystemRow): boolean => {
    const origin = ORIGINS.get(spaceId);
    return (
      origin !== undefined &&
      isOlder(target, origin.since) &&
      originsOf(row, origin.field) !== undefined
    );
  };
  const [users, grants] = [SystemSpace.USER, SystemSpace.PRIV].map((id) =>
    backup.userRows(id).filter((row) => isCut(id, row)),
  ) as [SystemRow[], SystemRow[]];
  if (users.length + grants.length === 0) return { backup, notes: [] };
  const cut = (spaceId: number, row: SystemRow): SystemRow => {
    if (!isCut(spaceId, row)) return row;
    const { field } = ORIGINS.get(spaceId)!;
    const raw = joinFields(splitFields(row.raw).slice(0, field));
    return { raw, fields: row.fields.slice(0, field) };
  };
  const edited = Catalog.of((id) => backup.userRows(id).map((row) => cut(id, row)));
  if (users.length === 0) return { backup: edited, notes: [] };
  const names = listOf(users.map((row) => describeObject('user', row)));
  const since = showRelease(ORIGINS.get(SystemSpace.USER)!.since);
  return {
    backup: edited,
    notes: [
      `${names}: managed by the configuration of the source; servers before ${since} do not record that`,
    ],
  };
}

/** Returns a note about users and roles that only the source's configuration manages: the target will drop them. */
export function droppedByConfiguration(made: readonly SystemRow[], target: Catalog): string[] {
  if (!target.rows(SystemSpace.USER).some(isManaged)) return [];
  const strangers = made.filter(isManaged).map((row) => describeObject('user', row));
  if (strangers.length === 0) return [];
  return [
    `${listOf(strangers)}: managed by the configuration of the source; add to the configuration of the target, or the next reload there drops it`,
  ];
}

/**
 * Merges a grant of a backup with the target's grant on the same object to the same user: what the configuration of
 * the target grants is kept, and what statements granted is replaced by the backup's.
 *
 * @returns undefined if both grants are equal
 */
export function mergedGrant(ours: SystemRow, theirs: SystemRow): SystemRow | undefined {
  const { bits, options } = Field.priv;
  const [own, other] = [originsOf(ours, options), originsOf(theirs, options)];
  if (own === undefined && other === undefined) return ours;
  if (ours.fields[bits] === theirs.fields[bits]) return undefined;
  const { [BY_HAND]: _, ...managed } = other ?? {};
  const origins: Table = { ...(own ?? { [BY_HAND]: ours.fields[bits]! }), ...managed };
  const all = Object.values(origins).reduce<number>((sum, each) => (sum | Number(each)) >>> 0, 0);
  const raw = joinFields([
    ...splitFields(ours.raw).slice(0, bits),
    encode(all),
    encode({ origins }),
  ]);
  return { raw, fields: decode(raw) as Value[] };
}
