import { deepEqual, equal, rejects } from 'node:assert/strict';
import { Readable } from 'node:stream';
import { listOf, longListOf, type Progress, ReportEvents } from '../../../lib/base/report.js';
import { verify } from '../../../lib/pipelines/verify.js';
import { archive, goodEntries, sealed } from '../../support/archive-builder.js';

const read = (report: ReportEvents) =>
  verify(Readable.from([archive(sealed(goodEntries()))]), { report });

describe('a list on one line', () => {
  const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `s${i + 1}`);

  it('names ten things, and says how many more there are', () => {
    equal(listOf(names(2)), 's1; s2');
    equal(listOf(names(10)), names(10).join('; '));
    equal(listOf(names(42)), `${names(10).join('; ')}; and 32 more`);
  });

  it('names a hundred things if people need each of them', () => {
    equal(longListOf(names(100)), names(100).join('; '));
    equal(longListOf(names(150)), `${names(100).join('; ')}; and 50 more`);
  });
});

describe('ReportEvents', () => {
  it('emits what a pipeline reports', () => {
    const report = new ReportEvents();
    const heard: unknown[] = [];
    for (const event of ['note', 'warning', 'progress'] as const) {
      report.on(event, (what: unknown) => heard.push([event, what]));
    }
    report.note('by snapshot');
    report.warn('not from one moment');
    report.progress({ rows: 2, bytes: 30, space: 'users' });
    deepEqual(heard, [
      ['note', 'by snapshot'],
      ['warning', 'not from one moment'],
      ['progress', { rows: 2, bytes: 30, space: 'users' }],
    ]);
  });

  it('reports the progress for each batch of rows of user spaces', async () => {
    const report = new ReportEvents();
    const heard: Progress[] = [];
    report.on('progress', (state) => heard.push(state));
    const { totals } = await read(report);
    deepEqual(
      heard.map(({ rows, space }) => [rows, space]),
      [
        [2, 'log'],
        [3, 'log'],
        [5, 'users'],
      ],
    );
    equal(heard.at(-1)?.bytes, totals.bytes);
  });

  it('works without a listener', async () => {
    equal((await read(new ReportEvents())).totals.rows, 5);
  });

  it('ends the run with the error that a listener throws', async () => {
    const report = new ReportEvents();
    const error = new Error('enough');
    report.on('progress', () => {
      throw error;
    });
    await rejects(read(report), (thrown) => thrown === error);
  });
});
