import { type Manifest, UNKNOWN_VERSION } from '../../backup/manifest.js';
import type { Catalog } from '../catalog/catalog.js';
import {
  CONVERTED_CONSTRAINTS,
  isOlder,
  newestSchema,
  releaseOf,
  type SchemaVersion,
  schemaVersion,
  showSchema,
  type Versions,
} from '../server/release.js';
import { SystemSpace } from '../server/system-spaces.js';
import { inferRelease } from './infer-release.js';

type Server = Manifest['server'];

/** The last schema whose SQL constraints have system spaces of their own. */
const UNCONVERTED: SchemaVersion = [2, 10, 5];

/**
 * Returns the schema of an archive that does not record it. It was most likely made by a server with an upgraded
 * schema.
 */
function inferSchema(version: string, backup: Catalog): SchemaVersion {
  const newest = newestSchema(version);
  const { FK_CONSTRAINT, CK_CONSTRAINT } = SystemSpace;
  const hasRows = [FK_CONSTRAINT, CK_CONSTRAINT].some((id) => backup.rows(id).length > 0);
  return hasRows && !isOlder(newest, CONVERTED_CONSTRAINTS) ? UNCONVERTED : newest;
}

/**
 * Returns the versions of the database that a backup was made from.
 *
 * @param backup - the user's rows of its system spaces
 * @param target - versions to use, if possible, for a backup without any
 * @example
 * backupVersions(manifest.server, catalog, versionsOf('3.2.1')); // { server: [2, 11, 5], schema: [2, 9, 1] }
 */
export function backupVersions(
  { version, schema }: Server,
  backup: Catalog,
  target: Versions,
): Versions {
  if (version === UNKNOWN_VERSION) {
    return { server: inferRelease(backup, target.server), schema: target.schema };
  }
  return {
    server: releaseOf(version),
    schema: schema === undefined ? inferSchema(version, backup) : schemaVersion(schema),
  };
}

/** Returns the versions of a server from its greeting and the rows of its `_schema`. */
export function serverVersions(version: string, catalog: Catalog): Versions {
  return { server: releaseOf(version), schema: catalog.schema ?? newestSchema(version) };
}

/**
 * Returns the note about a database whose schema is older than its server; undefined if it is not.
 *
 * @example
 * oldSchema({ version: '2.11.5', uuid, schema: '2.9.1' });
 * // 'the schema has version 2.9.1, and a new database of 2.11.5 has 2.11.5'
 */
export function oldSchema({ version, schema }: Server): string | undefined {
  if (schema === undefined || version === UNKNOWN_VERSION) return undefined;
  const newest = newestSchema(version);
  if (!isOlder(schemaVersion(schema), newest)) return undefined;
  return `the schema has version ${schema}, and a new database of ${version} has ${showSchema(newest)}`;
}
