import { Catalog } from '../schema/catalog/catalog.js';
import { SystemSpace } from '../schema/server/system-spaces.js';
import type { Filter } from './filter.js';

/**
 * Keeps all definitions and no rows. Sequences start again.
 *
 * @example
 * await dump(server, output, { filters: [schemaOnly()] });
 */
export function schemaOnly(): Filter {
  return {
    partial: 'definitions only',
    wants: () => false,
    head({ manifest, catalog }) {
      const spaces = manifest.spaces.map((space) => ({ ...space, rowsFrom: 'none' as const }));
      const definitions = Catalog.of((spaceId) =>
        spaceId === SystemSpace.SEQUENCE_DATA ? [] : catalog.userRows(spaceId),
      );
      return { head: { manifest: { ...manifest, spaces, only: 'schema' }, catalog: definitions } };
    },
    rows({ release }) {
      release?.();
      return [];
    },
    end({ sequences: _, ...end }) {
      return end;
    },
  };
}
