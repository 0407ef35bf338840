import type { ManifestSpace } from '../backup/manifest.js';
import { quoted } from '../base/report.js';
import { rowlessReason } from '../schema/catalog/catalog.js';
import { excludedIn, keysToExcluded } from '../schema/catalog/excluded-rows.js';
import type { Head } from '../schema/catalog/preamble.js';
import type { Filter, FilterOutcome } from './filter.js';
import type { Test } from './glob.js';
import { checkIdle, NamePatterns, patternList } from './name-patterns.js';

/** Options of {@link excludeRows}. */
export interface RowExclusion {
  /** True if a pattern may match no space, for example in one of two databases that are compared. */
  mayLack?: boolean;
}

const WHY = 'left out on purpose; its definition is kept';

function withoutRows({ expectedRows: _, ...space }: ManifestSpace): ManifestSpace {
  return { ...space, rowsFrom: 'none', rowsExcluded: true };
}

function exclude({ manifest, catalog }: Head, isExcluded: Test): FilterOutcome {
  const known = excludedIn(manifest.spaces);
  const excluded = catalog.spaces.filter(
    (space) => isExcluded(space.name) && rowlessReason(space) === undefined && !known.has(space.id),
  );
  const ids = new Set(excluded.map(({ id }) => id));
  const head = {
    manifest: {
      ...manifest,
      spaces: manifest.spaces.map((space) => (ids.has(space.id) ? withoutRows(space) : space)),
      omitted: [
        ...manifest.omitted,
        ...excluded.map(({ name }) => ({ what: `rows of ${quoted(name)}`, why: WHY })),
      ],
    },
    catalog,
  };
  const warnings = keysToExcluded(catalog, new Set([...known, ...ids])).map(
    ({ what, child, parent }) =>
      `${what}; rows of ${parent} are excluded, and a restore refuses rows of ${child} that refer to missing rows`,
  );
  return { head, warnings };
}

/**
 * Leaves out the rows of some spaces by patterns such as `log_*`, and keeps their definitions: spaces, indexes,
 * grants, and sequences with their values. The archive names the spaces.
 *
 * @param patterns - of whole names, as {@link chooseSpaces} takes them
 * @returns a filter that throws a TntarError of kind `usage`, before the first row, for a pattern that matches no
 * space
 * @throws TntarError of kind `usage` for an empty pattern
 * @example
 * await dump(server, output, { filters: [excludeRows(['log_*', 'cache'])] });
 */
export function excludeRows(
  patterns: readonly string[],
  { mayLack = false }: RowExclusion = {},
): Filter {
  const excluded = new NamePatterns(patterns);
  const isExcluded = (name: string): boolean => excluded.fit(name);
  return {
    partial: `no rows of spaces ${patternList(patterns)}`,
    wants: (name) => !isExcluded(name),
    head(head) {
      excluded.renew();
      const names = head.catalog.spaces.map(({ name }) => name);
      if (!mayLack) checkIdle(excluded.idle(names), names);
      return exclude(head, isExcluded);
    },
    rows(batch) {
      if (!isExcluded(batch.space.name)) return [batch];
      batch.release?.();
      return [];
    },
  };
}
