import type { Manifest, ManifestSpace, RowsFrom, Vclock } from '../archive/manifest.js';
import type { Greeting } from '../iproto/driver.js';
import { type Catalog, rowlessReason, type Space } from '../schema/catalog.js';
import { SystemSpace } from '../schema/system.js';
import { VERSION } from '../version.js';

const FLEETING = 'temporary: its definition does not outlive the server either';

/** How the rows of `space` are read when the whole backup is read by `source`. */
export function rowsFrom(space: Space, source: Manifest['source']): RowsFrom {
  if (rowlessReason(space) !== undefined) return 'none';
  return space.isLocal ? 'select' : source;
}

/** The manifest of a backup of what `catalog` says. */
export function describeBackup(
  greeting: Greeting,
  catalog: Catalog,
  source: Manifest['source'],
  vclock: Vclock,
): Manifest {
  const spaces: ManifestSpace[] = [];
  const omitted: Manifest['omitted'] = [];
  for (const space of catalog.spaces) {
    const { id, name, engine, format } = space;
    spaces.push({ id, name, engine, format, rowsFrom: rowsFrom(space, source) });
    const why = rowlessReason(space);
    if (why !== undefined && space.isTemporary) omitted.push({ what: `rows of '${name}'`, why });
  }
  for (const { name } of catalog.fleetingSpaces) {
    omitted.push({ what: `space '${name}'`, why: FLEETING });
  }
  return {
    tool: `tntar ${VERSION}`,
    created: new Date().toISOString(),
    server: { version: greeting.version, uuid: greeting.uuid },
    source,
    vclock,
    spaces,
    omitted,
    revoked: catalog.shippedGrants.revoked(catalog.rows(SystemSpace.PRIV)),
  };
}
