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

/** How an archive is read. */
export interface VerifyOptions {
  /** Hears of progress; by default nobody does. */
  report?: Report;
  /** What is to be seen of it. */
  filters?: readonly Filter[];
  /** Whether to tell the definitions of spaces, too. */
  definitions?: boolean;
  /** Stops reading. */
  signal?: AbortSignal;
}

/** What each of these options takes. */
export const VERIFY_OPTIONS: Kinds<VerifyOptions> = {
  report: aReport,
  filters: listOfEach(aFilter),
  definitions: aBoolean,
  signal: aSignal,
};
