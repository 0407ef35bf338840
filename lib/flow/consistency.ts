import type { BackupEnd, Unconfirmed } from '../backup/item.js';
import type { Manifest } from '../backup/manifest.js';
import type { Vclock } from '../backup/vclock.js';
import { sameVclock } from '../backup/vclock.js';
import { TntarError } from '../base/errors.js';
import type { Report } from '../base/report.js';
import type { Stage } from './compose.js';

function moved(from: Vclock, to: Vclock): string {
  return `vclock ${JSON.stringify(from)} at the start, ${JSON.stringify(to)} at the end`;
}

/** A reason why a backup is not consistent, and what to do. */
interface Verdict {
  what: string;
  /** The state of the run, e.g. `not consistent`. */
  is: string;
  hint: string;
}

function unsteady(run: Run, from: Vclock, to: Vclock): Verdict {
  const is = 'not from one moment';
  return sameVclock(from, to)
    ? {
        what: `rows of spaces local to the instance were written while the ${run} read, or nobody could say`,
        is,
        hint: 'execute on universe is what it takes to ask for local writes',
      }
    : {
        what: `rows were written while the ${run} read: ${moved(from, to)}`,
        is,
        hint: 'read it with --source snapshot, or while nobody writes',
      };
}

/**
 * Says why rows may not be committed.
 *
 * @param during - e.g. `the dump read`
 * @param rows - the rows that may not be, e.g. `rows of local spaces`
 */
export function whyUncommitted(unconfirmed: Unconfirmed, during: string, rows = 'rows'): string {
  const waited = 'synchronous transactions waited for a quorum';
  const known = unconfirmed === 'waiting' ? waited : `it is unknown whether ${waited}`;
  return `${known} while ${during}: it may have ${rows} that are never committed`;
}

function uncommitted(run: Run, source: Manifest['source'], unconfirmed: Unconfirmed): Verdict {
  const isSnapshot = source === 'snapshot';
  const rows = isSnapshot ? 'rows of spaces local to the instance' : 'rows';
  const again = 'read it again when box.info.synchro.queue.len is 0 on the server';
  const hint = isSnapshot
    ? again
    : `${again}, or with --source snapshot, which waits until they are confirmed`;
  const what = whyUncommitted(unconfirmed, `the ${run} read`, rows);
  return unconfirmed === 'waiting'
    ? { what, is: 'not consistent', hint }
    : {
        what,
        is: 'not known to be consistent',
        hint: `grant the user execute on universe (on lua_eval since 3.0; before 2.8, read on universe), which is needed to ask; or ${hint}`,
      };
}

/** The kind of run. */
type Run = 'dump' | 'copy';

/**
 * Receives how a server was read and whether the rows are from one moment, and says what to do if they are not.
 *
 * @example
 * const moment = new Moment('dump', false, report);
 * await pipeline(items, compose([moment.hear]), sink);
 * moment.consistent;
 */
export class Moment {
  readonly #run: Run;
  readonly #strict: boolean;
  readonly #report: Report;
  source: Manifest['source'] = 'snapshot';
  consistent = true;
  #from: Vclock = {};

  /**
   * @param run - what reads, for messages
   * @param strict - rows that are not from one moment are an error of kind `failure`
   */
  constructor(run: Run, strict: boolean, report: Report) {
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
      if (!item.consistent) this.#judge(item);
    }
    return item;
  };

  #judge({ vclock, unconfirmed }: BackupEnd): void {
    const { what, is, hint } =
      unconfirmed === undefined
        ? unsteady(this.#run, this.#from, vclock)
        : uncommitted(this.#run, this.source, unconfirmed);
    if (this.#strict) throw new TntarError('failure', what, { hint });
    this.#report.warn(`${what}; the ${this.#run} is ${is} (${hint})`);
  }
}
