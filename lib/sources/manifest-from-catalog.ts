import type { Manifest, ManifestSpace, RowsFrom } from '../backup/manifest.js';
import type { Vclock } from '../backup/vclock.js';
import { VERSION } from '../base/version.js';
import type { Greeting } from '../iproto/greeting.js';
import { type Catalog, rowlessReason, type Space } from '../schema/catalog/catalog.js';
import { isTakenByUpgrade } from '../schema/server/builtin-grants.js';
import {
  isOlder,
  type SchemaVersion,
  schemaVersion,
  showSchema,
} from '../schema/server/release.js';
import { Field, SystemSpace } from '../schema/server/system-spaces.js';

const FLEETING = 'temporary: its definition does not outlive the server either';

/** Returns the way in which the rows of `space` are read. */
export function rowsFrom(space: Space, source: Manifest['source']): RowsFrom {
  if (rowlessReason(space) !== undefined) return 'none';
  return space.isLocal ? 'select' : source;
}

/** The first version with a built-in function `LUA`. */
const SHIPPED_LUA: SchemaVersion = [2, 2, 1];

function hasOwnLua(catalog: Catalog): boolean {
  return catalog.rows(SystemSpace.FUNC).some(({ fields }) => fields[Field.func.name] === 'LUA');
}

/** Grants that a server ships and that were revoked on this server. */
function revokedIn(catalog: Catalog, version: string): Manifest['revoked'] {
  const { schema, shippedGrants } = catalog;
  if (schema === undefined) return [];
  const server = schemaVersion(version);
  return shippedGrants
    .revoked(catalog.rows(SystemSpace.PRIV))
    .filter((each) => !isTakenByUpgrade(each, schema, server));
}

/** The manifest of a backup of what `catalog` says. */
export function describeBackup(
  greeting: Greeting,
  catalog: Catalog,
  source: Manifest['source'],
  vclock: Vclock,
): Manifest {
  const { schema } = catalog;
  const spaces: ManifestSpace[] = [];
  const omitted: Manifest['omitted'] = [];
  for (const space of catalog.spaces) {
    const { id, name, engine, format } = space;
    spaces.push({ id, name, engine, format, rowsFrom: rowsFrom(space, source) });
    const why = rowlessReason(space);
    if (why !== undefined && space.isTemporary) omitted.push({ what: `rows of '${name}'`, why });
  }
  if (schema !== undefined && isOlder(schema, SHIPPED_LUA) && hasOwnLua(catalog)) {
    omitted.push({ what: "function 'LUA'", why: 'servers from 2.2 on have one of this name' });
  }
  for (const { name } of catalog.fleetingSpaces) {
    omitted.push({ what: `space '${name}'`, why: FLEETING });
  }
  return {
    tool: `tntar ${VERSION}`,
    created: new Date().toISOString(),
    server: {
      version: greeting.version,
      uuid: greeting.uuid,
      ...(schema === undefined ? {} : { schema: showSchema(schema) }),
    },
    source,
    vclock,
    spaces,
    omitted,
    revoked: revokedIn(catalog, greeting.version),
  };
}
