import {
  aBoolean,
  aFilter,
  aFunction,
  aReport,
  aSignal,
  aText,
  type Kinds,
  listOfEach,
  oneOf,
} from '../base/option-checks.js';
import type { Report } from '../base/report.js';
import type { DefinitionDifference } from '../diff/definitions.js';
import type { Converted } from '../diff/readings.js';
import type { RowListener, SpaceDifference } from '../diff/rows.js';
import type { Filter } from '../filters/filter.js';

/** Options of a comparison. */
export interface DiffOptions extends RowListener {
  /** `schema`: definitions alone, for which no row is read; `data`: rows alone. Default both. */
  only?: 'schema' | 'data';
  /** Sort all rows before they are compared, in temporary files. Default: only if their order is not known. */
  sort?: boolean;
  /** Filters for both sides. They must keep no state between the sides. */
  filters?: readonly Filter[];
  /** The names of the sides in messages. */
  names?: readonly [string, string];
  /** Hears of all definitions that differ, before the first row. */
  onDefinitions?: ((differences: DefinitionDifference[]) => void | Promise<void>) | undefined;
  /** Hears of progress, notes and warnings; by default, nothing does. */
  report?: Report;
  /** Stops the comparison. */
  signal?: AbortSignal;
}

const isPairOfNames = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && value.every(aText.takes);

/** The checks of the options. */
export const DIFF_OPTIONS: Kinds<DiffOptions> = {
  only: oneOf(['schema', 'data']),
  sort: aBoolean,
  filters: listOfEach(aFilter),
  names: { words: 'two strings', takes: (value) => isPairOfNames(value) },
  onDefinitions: aFunction,
  onRow: aFunction,
  onSpace: aFunction,
  report: aReport,
  signal: aSignal,
};

/** The differences of two databases. */
export interface DiffResult {
  isEqual: boolean;
  /** The half that was compared; absent if both were. */
  only?: 'schema' | 'data';
  definitions: DefinitionDifference[];
  /** The side that was compared as a restore would write it into the other's version; absent for one version. */
  converted?: Converted;
  /** All spaces that have rows on either side, in the order in which they came. */
  spaces: SpaceDifference[];
  /** Spaces whose rows were not compared: a side leaves them out on purpose. Absent if there are none. */
  uncompared?: string[];
}
