import { readFileSync } from 'node:fs';

/** The source of truth: what can go wrong, what happens then, and which tests show it. */
const FILE = new URL('../../../test/FAULTS.md', import.meta.url);

/** Tests of one file, by a part of their full titles. */
export interface NamedTests {
  /** Below `test/`, e.g. `integration/faults-dump`. */
  file: string;
  title: string;
}

/** A row of the table. */
export interface Fault {
  number: number;
  fault: string;
  outcome: string;
  tests: NamedTests[];
  /** Why it cannot be provoked here, where it cannot. */
  reason: string | undefined;
}

const ROW = /^\|\s*(\d+)\s*\|/;
/** A pipe that ends a cell, and not one that stands in it. */
const CELL_END = /(?<!\\)\|/;
const TEST = /`([\w/-]+): ([^`]+)`/g;
const REASON = /Not here: ([^`]*[^`\s])/;

function toFault(line: string): Fault {
  const [, number, fault = '', outcome = '', tests = ''] = line
    .split(CELL_END)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
  return {
    number: Number(number),
    fault,
    outcome,
    tests: [...tests.matchAll(TEST)].map(([, file, title]) => ({ file: file!, title: title! })),
    reason: REASON.exec(tests)?.[1],
  };
}

/**
 * The rows of a table whose last column names tests as `file: part of the full title`, each a piece of
 * code, or says `Not here: ` and why.
 *
 * @example
 * readFaults('| 1 | a fault | what happens | `cli/output: that is full` |');
 */
export function readFaults(markdown = readFileSync(FILE, 'utf8')): Fault[] {
  return markdown
    .split('\n')
    .filter((line) => ROW.test(line))
    .map(toFault);
}
