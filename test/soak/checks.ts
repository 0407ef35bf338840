import type { Fingerprint } from '../support/fingerprint.js';
import {
  ACCOUNTS,
  BALANCE,
  ENGINES,
  type Engine,
  type Facts,
  type Journal,
  KEPT_MOVES,
} from './bank.js';
import type { Moves } from './writers.js';

/** Something that may never be. */
export class Violation extends Error {
  /** The archive that shows it, if one does. */
  readonly archive: Buffer | undefined;
  /** Rows that were written and are not there. */
  readonly lost: number;

  constructor(message: string, { archive, lost = 0 }: { archive?: Buffer; lost?: number } = {}) {
    super(message);
    this.name = 'Violation';
    this.archive = archive;
    this.lost = lost;
  }
}

/** What is wrong with a copy. */
export interface DamageResult {
  /** One line each. */
  wrong: string[];
  /** Rows that were acknowledged before the dump began, and are not in the copy. */
  lost: number;
}

/** Moves of each writer: the least and the most that a copy may have of them. */
export interface Bounds {
  /** Acknowledged before the dump began. */
  least: Moves;
  /** Sent before it ended. */
  most: Moves;
}

/** One thing that is wrong, and how many rows are lost by it. */
interface Finding {
  line: string;
  lost?: number;
}

/**
 * Holds a copy of a bank against what has to be true of it.
 *
 * @example
 * const { wrong, lost } = examine(await factsOf(copy, 3), { least, most });
 */
export function examine(facts: Record<Engine, Facts>, { least, most }: Bounds): DamageResult {
  const findings: Finding[] = momentsApart(facts).map((line) => ({ line }));
  for (const engine of ENGINES) {
    findings.push(...accountsOf(engine, facts[engine]));
    for (const [writer, journal] of facts[engine].journals.entries()) {
      const bounds = { least: least[engine][writer]!, most: most[engine][writer]! };
      findings.push(...journalOf(`${engine}, writer ${writer + 1}`, journal, bounds));
    }
  }
  return {
    wrong: findings.map(({ line }) => line),
    lost: findings.reduce((sum, { lost = 0 }) => sum + Math.max(0, lost), 0),
  };
}

function accountsOf(engine: Engine, { accounts, indexed, total }: Facts): Finding[] {
  const [wanted, sum] = [2 * ACCOUNTS, 2 * ACCOUNTS * BALANCE];
  const findings: Finding[] = [];
  if (accounts !== wanted) {
    const lost = wanted - accounts;
    findings.push({ line: `${engine}: ${accounts} of ${wanted} accounts`, lost });
  }
  if (indexed !== accounts) {
    findings.push({ line: `${engine}: ${indexed} of ${accounts} accounts in the index` });
  }
  if (total !== sum) {
    findings.push({ line: `${engine}: balances are ${total} together, and were ${sum}` });
  }
  return findings;
}

function journalOf(
  who: string,
  { rows, first, last }: Journal,
  { least, most }: { least: number; most: number },
): Finding[] {
  const findings: Finding[] = [];
  if (last < least) {
    findings.push({ line: `${who}: ends with move ${last} of ${least}`, lost: least - last });
  }
  if (last > most)
    findings.push({ line: `${who}: has move ${last}, and ${most} was the last one` });
  const kept = Math.min(last, KEPT_MOVES);
  if (rows !== kept) {
    findings.push({
      line: `${who}: ${rows} of ${kept} rows up to move ${last}`,
      lost: kept - rows,
    });
  }
  const start = last === 0 ? 0 : last - kept + 1;
  if (first !== start) findings.push({ line: `${who}: begins with move ${first}, not ${start}` });
  return findings;
}

/** Finds a writer whose rows in memtx and in vinyl are not from one moment. */
function momentsApart({ memtx, vinyl }: Record<Engine, Facts>): string[] {
  return memtx.journals.flatMap(({ last }, writer) => {
    const other = vinyl.journals[writer]!.last;
    const isOneMoment = other === last || other === last - 1;
    return isOneMoment ? [] : [`writer ${writer + 1}: move ${last} in memtx, ${other} in vinyl`];
  });
}

/** Spaces that are not the same in both, one line each. */
export function differences(actual: Fingerprint, expected: Fingerprint): string[] {
  const names = Object.keys({ ...expected, ...actual }).sort();
  return names.flatMap((name) => {
    const [is, was] = [actual[name], expected[name]];
    if (is?.hash === was?.hash && is?.rows === was?.rows) return [];
    return [`space ${name}: ${is?.rows ?? 'no'} rows, and ${was?.rows ?? 'no'} expected`];
  });
}

/** Rows that one has less than the other, space by space. */
export function rowsLacking(actual: Fingerprint, expected: Fingerprint): number {
  return Object.entries(expected).reduce(
    (sum, [name, { rows }]) => sum + Math.max(0, rows - (actual[name]?.rows ?? 0)),
    0,
  );
}
