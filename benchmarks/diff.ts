import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startServer } from '../test/support/server.js';
import { benchmarkSet } from './dataset.js';
import { measure, median, type Program, type Usage } from './measure.js';

/**
 * `npm run bench:diff -- [--rows N] [--repeat N]`
 *
 * Measures comparisons of archives of the benchmark set, compared with the verification of one of them: of equal
 * archives, of archives that differ in each hundredth row or in all rows, and with all rows sorted first.
 */
const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    repeat: { type: 'string', default: '3' },
  },
});
const rows = Number(options.rows);
const repeat = Number(options.repeat);
const TNTAR = 'bin/tntar.js';
const MEMORY = { memtx_memory: 8 * 2 ** 30, checkpoint_interval: 0 };
/** The exit code of `diff` if the sides differ. */
const DIFFERENT = 1;

/** Changes one field of each row whose number is a multiple. */
const change = (step: number): string => `
  box.begin()
  for i = ${step}, ${rows}, ${step} do
    box.space.bench:update(i, {{'=', 4, -i}})
    if i % 1000 == 0 then box.commit() box.begin() end
  end
  box.commit()`;

const folder = mkdtempSync(join(tmpdir(), 'tntar-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const archive = (name: string): string => join(folder, `${name}.tar.zst`);

const server = await startServer({ lua: benchmarkSet(rows), cfg: MEMORY });
for (const [name, lua] of [
  ['one', ''],
  ['some', change(100)],
  ['all', change(1)],
] as const) {
  if (lua !== '') await server.eval(lua);
  const args = ['dump', '-q', server.address, '--source', 'select', '-o', archive(name)];
  await measure({ script: TNTAR, args });
}
await server.stop();

const diff = (other: string, ...more: string[]): Program => ({
  script: TNTAR,
  args: ['diff', '-q', archive('one'), archive(other), ...more],
  exitCode: other === 'one' ? 0 : DIFFERENT,
  stdout: '/dev/null',
});
const programs: readonly (readonly [what: string, program: Program])[] = [
  ['verify', { script: TNTAR, args: ['verify', '-q', '-i', archive('one')] }],
  ['diff of equal archives', diff('one')],
  ['diff, each hundredth row', diff('some')],
  ['diff, all rows', diff('all')],
  ['diff `--rows`, all rows', diff('all', '--rows')],
  ['diff `--sort`, each hundredth row', diff('some', '--sort')],
];

const runs = new Map<string, Usage[]>();
for (let turn = 0; turn < repeat; turn++) {
  for (const [what, program] of programs) {
    runs.set(what, [...(runs.get(what) ?? []), await measure(program)]);
  }
}

const verify = median(runs.get('verify')!).seconds;
const lines = [
  `Tarantool ${server.version}, Node ${process.version}, ${rows} rows, middle of ${repeat} runs`,
  '',
  '| what | seconds | of verify | CPU seconds | peak MiB |',
  '| --- | ---: | ---: | ---: | ---: |',
  ...[...runs].map(([what, all]) => {
    const { seconds, cpuSeconds, peakMiB } = median(all);
    const cells = [seconds, seconds / verify, cpuSeconds].map((each) => each.toFixed(2));
    return `| ${what} | ${cells.join(' | ')} | ${peakMiB.toFixed(0)} |`;
  }),
];
process.stdout.write(`${lines.join('\n')}\n`);
