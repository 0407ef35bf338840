import type { Head } from '../../../lib/schema/catalog/preamble.js';
import { catalogOf, type SystemRows } from '../schema/catalogs.js';

/** Returns the preamble of a backup of the given rows. */
export function headOf(rows: SystemRows, version = '2.11.9'): Head {
  const manifest: Head['manifest'] = {
    tool: 'tntar 0.1.0',
    created: '2026-01-02T03:04:05Z',
    server: { version, uuid: '' },
    source: 'snapshot',
    vclock: {},
    spaces: [],
    omitted: [],
    revoked: [],
  };
  return { manifest, catalog: catalogOf(rows) };
}
