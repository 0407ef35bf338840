import type { Manifest, Vclock } from '../archive/manifest.js';
import { TntarError } from '../errors.js';
import type { Report } from '../report.js';
import { sameVclock } from '../server/status.js';
import type { Stage } from './compose.js';

function moved(from: Vclock, to: Vclock): string {
  return `vclock ${JSON.stringify(from)} at the start, ${JSON.stringify(to)} at the end`;
}

/**
 * Hears how a server was read, whether the rows are of one moment, and says what to do where they are not.
 *
 * @example
 * const moment = new Moment('dump', false, report);
 * await pipeline(items, compose([moment.hear]), sink);
 * moment.consistent;
 */
export class Moment {
  readonly #run: string;
  readonly #strict: boolean;
  readonly #report: Report;
  source: Manifest['source'] = 'snapshot';
  consistent = true;
  #from: Vclock = {};

  /**
   * @param run - what reads, for messages
   * @param strict - rows that are not of one moment are an error of kind `failure`
   */
  constructor(run: 'dump' | 'copy', strict: boolean, report: Report) {
    this.#run = run;
    this.#strict = strict;
    this.#report = report;
  }

  readonly hear: Stage = (item) => {
    if (item.kind === 'start') {
      this.source = item.manifest.source;
      this.#from = item.manifest.vclock;
    } else if (item.kind === 'end') {
      this.consistent = item.consistent;
      if (!item.consistent) this.#judge(item.vclock);
    }
    return item;
  };

  #judge(to: Vclock): void {
    const from = this.#from;
    const run = this.#run;
    const isMoved = !sameVclock(from, to);
    const what = isMoved
      ? `rows were written while the ${run} read: ${moved(from, to)}`
      : `rows of spaces local to the instance were written while the ${run} read, or nobody could say`;
    const hint = isMoved
      ? 'read it with --source snapshot, or while nobody writes'
      : 'execute on universe is what it takes to ask for local writes';
    if (this.#strict) throw new TntarError('failure', what, { hint });
    this.#report.warn(`${what}; the ${run} is not of one moment (${hint})`);
  }
}
