import {
  aBoolean,
  aReport,
  aRewrite,
  aSignal,
  type Kinds,
  listOfEach,
} from '../base/option-checks.js';
import type { Report } from '../base/report.js';
import type { Rewrite } from '../filters/rewrite.js';

/** How an archive is read. */
export interface InspectOptions {
  /** Hears of progress; by default nobody does. */
  report?: Report;
  /** What is to be seen of it. */
  rewrites?: readonly Rewrite[];
  /** Whether to tell the definitions of spaces, too. */
  definitions?: boolean;
  /** Stops reading. */
  signal?: AbortSignal;
}

/** What each of these options takes. */
export const INSPECT_OPTIONS: Kinds<InspectOptions> = {
  report: aReport,
  rewrites: listOfEach(aRewrite),
  definitions: aBoolean,
  signal: aSignal,
};
