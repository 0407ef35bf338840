import type { Manifest } from '../backup/manifest.js';
import { Catalog } from '../schema/catalog/catalog.js';
import { convert } from '../schema/convert/convert.js';
import { inferRelease } from '../schema/convert/infer-release.js';
import { Describer } from '../schema/describe/describe.js';
import { canRevoke, isShippedGrant } from '../schema/server/builtin-grants.js';
import { canGrant } from '../schema/server/builtin-objects.js';
import { isOlder, showRelease, showSchema, type Versions } from '../schema/server/release.js';
import { Field, SystemSpace } from '../schema/server/system-spaces.js';
import { shipped } from './definition-set.js';

/** The definitions of one side. */
export interface Defined {
  catalog: Catalog;
  /** The versions of the database that they come from; undefined if the archive does not record them. */
  versions: Versions | undefined;
  manifest: Pick<Manifest, 'revoked'>;
}

/** One side in the form that a restore would write into a server of the other side's version. */
export interface Converted {
  /** `A` is the left side, `B` the right one. */
  side: 'A' | 'B';
  /** The versions of the side and of the other one, e.g. `2.6.0`. */
  from: string;
  to: string;
  /** The differences that such a restore makes by itself, one line each. */
  notes: string[];
}

/** The definitions of both sides in one version. */
export interface Reading {
  left: Defined;
  right: Defined;
  /** Undefined if both sides have the same version. */
  converted?: Converted;
  /** The number of differences that this reading may hide, and that another reading shows. */
  hidden: number;
}

/**
 * Leaves out grants on objects that servers of the other version do not have, and grants that they have by
 * themselves.
 */
function withoutLostGrants(catalog: Catalog, to: Versions, notes: string[]): Catalog {
  const functions = new Set(
    catalog.userRows(SystemSpace.FUNC).map(({ fields }) => fields[Field.func.id]),
  );
  const grants = catalog.userRows(SystemSpace.PRIV);
  const lost = grants.filter(({ fields }) => !canGrant(fields, functions, to.schema));
  const shippedThere = grants.filter(({ fields }) => isShippedGrant(fields, to.schema));
  if (lost.length + shippedThere.length === 0) return catalog;
  const describer = new Describer(catalog, shipped());
  for (const row of lost) {
    const what = describer.row(SystemSpace.PRIV, row);
    notes.push(`${what} is left out, because ${showRelease(to.server)} has no object with this id`);
  }
  const left = new Set([...lost, ...shippedThere]);
  const kept = grants.filter((row) => !left.has(row));
  return Catalog.of((id) => (id === SystemSpace.PRIV ? kept : catalog.userRows(id)));
}

function convertDefined(
  { catalog, manifest }: Defined,
  from: Versions,
  to: Versions,
): { defined: Defined; notes: string[] } {
  // Nothing else in a comparison converts definitions.
  const { backup, notes, hints } = convert(catalog, from, to);
  const all = [...notes, ...hints];
  const converted = withoutLostGrants(backup, to, all);
  const revoked = manifest.revoked.filter((each) => canRevoke(each, to.schema));
  const describer = new Describer(catalog, shipped());
  for (const each of manifest.revoked) {
    if (revoked.includes(each)) continue;
    const { grantee, objectType, objectId } = each;
    const object = describer.object(objectType, objectId);
    const what = `a grant on ${object} to ${describer.thing('user', grantee)}`;
    all.push(
      `the revocation of ${what} is left out, because ${showRelease(to.server)} does not grant it`,
    );
  }
  return { defined: { catalog: converted, versions: to, manifest: { revoked } }, notes: all };
}

/** Returns the versions of a side. If it records none, the versions of the other side are used as far as possible. */
function guessed({ catalog, versions }: Defined, other: Versions): Versions {
  return versions ?? { server: inferRelease(catalog, other.server), schema: other.schema };
}

function isOlderThan(a: Versions, b: Versions): boolean {
  if (isOlder(a.server, b.server)) return true;
  return !isOlder(b.server, a.server) && isOlder(a.schema, b.schema);
}

/** Returns the versions of both sides; undefined if nothing has to be converted. */
function versionsOfBoth(left: Defined, right: Defined): [a: Versions, b: Versions] | undefined {
  const known = left.versions ?? right.versions;
  if (known === undefined) return undefined;
  const a = guessed(left, right.versions ?? known);
  const b = guessed(right, left.versions ?? known);
  return isOlderThan(a, b) || isOlderThan(b, a) ? [a, b] : undefined;
}

/** Returns two versions for messages, e.g. `2.11.5`, or `2.11.5 with schema 2.9.1` if both run the same release. */
function shownVersions(a: Versions, b: Versions): [from: string, to: string] {
  const isOther = isOlder(a.server, b.server) || isOlder(b.server, a.server);
  const shown = ({ server, schema }: Versions): string =>
    isOther ? showRelease(server) : `${showRelease(server)} with schema ${showSchema(schema)}`;
  return [shown(a), shown(b)];
}

/**
 * Yields the ways to compare definitions of two versions: the left side as a restore would write it into a server of
 * the right side's version, and the other way round. If the versions are equal, there is one way: as they are.
 */
export function* readingsOf(left: Defined, right: Defined): Generator<Reading, void, void> {
  const versions = versionsOfBoth(left, right);
  if (versions === undefined) {
    yield { left, right, hidden: 0 };
    return;
  }
  const [a, b] = versions;
  const [from, to] = shownVersions(a, b);
  const there = convertDefined(left, a, b);
  const first: Converted = { side: 'A', from, to, notes: there.notes };
  yield { left: there.defined, right, converted: first, hidden: 0 };
  const back = convertDefined(right, b, a);
  const second: Converted = { side: 'B', from: to, to: from, notes: back.notes };
  // The right side may have something new that the older version cannot have.
  const hidden = isOlderThan(a, b) ? back.notes.length : 0;
  yield { left, right: back.defined, converted: second, hidden };
}
