import { readFileSync } from 'node:fs';

/** The source of truth: what can go wrong, what happens then, and which tests show it. */
const FILE = new URL('../../../test/FAULTS.md', import.meta.url);

/** Tests of one file, by a part of their full titles. */
export interface NamedTests {
  /** Below `test/`, e.g. `integration/faults-dump`. */
  file: string;
  title: string;
}

/** A section of the list. */
export interface Fault {
  number: number;
  fault: string;
  outcome: string;
  tests: NamedTests[];
  /** Why it cannot be provoked here, where it cannot. */
  reason: string | undefined;
}

const SECTION = /^## (?=\d+\. )/m;
const TITLE = /^(\d+)\. (.*)$/m;
const TESTS = /^(?=- )/m;
const TEST = /`([\w/-]+): ([^`]+)`/g;
const REASON = /Not here: ([^`]*[^`\s])/;

const onOneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

function toFault(section: string): Fault {
  const [title, number, fault = ''] = TITLE.exec(section)!;
  const [outcome = '', ...items] = section.slice(title.length).split(TESTS);
  const tests = onOneLine(items.join(''));
  return {
    number: Number(number),
    fault,
    outcome: onOneLine(outcome),
    tests: [...tests.matchAll(TEST)].map(([, file, title]) => ({ file: file!, title: title! })),
    reason: REASON.exec(tests)?.[1],
  };
}

/**
 * Reads the sections of a list of faults. Each has a numbered title, an outcome and a list. The items of
 * the list name tests as `file: part of the full title`, or give a reason after `Not here: `.
 *
 * @example
 * readFaults('## 1. a fault\n\nthe outcome\n\n- `cli/output: that is full`\n');
 */
export function readFaults(markdown = readFileSync(FILE, 'utf8')): Fault[] {
  return markdown.split(SECTION).slice(1).map(toFault);
}
