import { isNamed, type Report } from './mocha.js';
import type { Fault } from './table.js';

/** What came of a row. */
export interface Verdict {
  state: 'pass' | 'FAIL' | 'not here';
  /** What its tests took together. */
  seconds: number;
  /** Why it failed, or what was not tried. */
  notes: string[];
}

const firstLine = (text = 'no message'): string => text.split('\n')[0]!;

/**
 * A row passes where each name stands for a test that ran, and all of them were passed. Where the machine
 * lacks what all of its tests need, so that they skip themselves, its fault was not provoked.
 */
export function judge({ tests, reason }: Fault, report: Report): Verdict {
  const notes: string[] = reason === undefined ? [] : [reason];
  let [passed, failed, seconds] = [0, 0, 0];
  for (const named of tests) {
    const [passes, skipped, failures] = [report.passes, report.pending, report.failures].map(
      (all) => all.filter((told) => isNamed(told, named)),
    ) as [Report['passes'], Report['pending'], Report['failures']];
    const where = `${named.file}: ${named.title}`;
    for (const { err } of failures) notes.push(`${where}: ${firstLine(err.message)}`);
    if (skipped.length > 0) notes.push(`${where}: skipped here`);
    const isThere = passes.length + skipped.length + failures.length > 0;
    if (!isThere) notes.push(`${where}: no such test came to an end`);
    passed += passes.length;
    failed += isThere ? failures.length : 1;
    for (const { duration = 0 } of [...passes, ...failures]) seconds += duration / 1000;
  }
  const state = failed > 0 ? 'FAIL' : passed > 0 ? 'pass' : 'not here';
  return { state, seconds, notes };
}
