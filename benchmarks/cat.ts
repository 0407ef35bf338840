import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startServer } from '../test/support/server.js';
import { benchmarkSet } from './dataset.js';
import { measure, median, type Usage } from './measure.js';

/**
 * `npm run bench:cat -- [--rows N] [--repeat N]`
 *
 * Measures how fast the rows of an archive are written as text, compared with the verification of the same archive:
 * whole processes, the middle one of several runs.
 */
const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    repeat: { type: 'string', default: '3' },
  },
});
const rows = Number(options.rows);
const TNTAR = 'bin/tntar.js';
const FORMATS = ['msgpack', 'ndjson', 'csv', 'postgres', 'sqlite'] as const;
/** Without a write-ahead log, because the rows are read only once. */
const MEMORY = { memtx_memory: 8 * 2 ** 30, checkpoint_interval: 0, wal_mode: 'none' };

const folder = mkdtempSync(join(tmpdir(), 'tntar-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const archive = join(folder, 'bench.tar.zst');
const output = join(folder, 'output');

const source = await startServer({ lua: benchmarkSet(rows), cfg: MEMORY });
process.stdout.write(`Tarantool ${source.version}, Node ${process.version}, ${rows} rows\n`);
const dumpArgs = ['dump', '-q', source.address, '--source', 'select'];
await measure({ script: TNTAR, args: dumpArgs, stdout: archive });
await source.stop();

const runs = new Map<string, Usage[]>();
const sizes = new Map<string, number>();
function record(what: string, usage: Usage): void {
  runs.set(what, [...(runs.get(what) ?? []), usage]);
}

for (let turn = 0; turn < Number(options.repeat); turn++) {
  record('verify', await measure({ script: TNTAR, args: ['verify', '-q'], stdin: archive }));
  for (const format of FORMATS) {
    const args = ['cat', 'bench', '-q', '--format', format];
    const what = `cat --format ${format}`;
    record(what, await measure({ script: TNTAR, args, stdin: archive, stdout: output }));
    sizes.set(what, statSync(output).size);
  }
}

process.stdout.write(
  '\n| what | seconds | rows/s | CPU seconds | rows/s of CPU time | peak MiB | MB of text |\n' +
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n',
);
const rate = (seconds: number): string => Math.round(rows / seconds).toLocaleString('en-US');
for (const [what, all] of runs) {
  const { seconds, cpuSeconds, peakMiB } = median(all);
  const size = sizes.get(what);
  const cells = [
    seconds.toFixed(2),
    rate(seconds),
    cpuSeconds.toFixed(2),
    rate(cpuSeconds),
    peakMiB.toFixed(0),
    size === undefined ? '' : (size / 1e6).toFixed(1),
  ];
  process.stdout.write(`| ${what} | ${cells.join(' | ')} |\n`);
}
