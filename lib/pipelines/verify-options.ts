import {
  aBoolean,
  aFilter,
  aReport,
  aSignal,
  type Kinds,
  listOfEach,
} from '../base/option-checks.js';
import type { Report } from '../base/report.js';
import type { Filter } from '../filters/filter.js';

/** Options of a verification. */
export interface VerifyOptions {
  /** Hears of progress; by default, nothing does. */
  report?: Report;
  /** Filters for the archive. */
  filters?: readonly Filter[];
  /** True to return the definitions of spaces as well. */
  definitions?: boolean;
  /** Stops reading. */
  signal?: AbortSignal;
}

/** The values of these options. */
export const VERIFY_OPTIONS: Kinds<VerifyOptions> = {
  report: aReport,
  filters: listOfEach(aFilter),
  definitions: aBoolean,
  signal: aSignal,
};
