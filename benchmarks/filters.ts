import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startServer } from '../test/support/server.js';
import { benchmarkSet } from './dataset.js';
import { measure, median, type Usage } from './measure.js';
import { runPeer } from './peer.js';

/**
 * `npm run bench:filters -- [--rows N] [--repeat N] [--peer PATH/TO/dump/init.lua]`
 *
 * Measures dumps with filters, compared with the dump without one, and the verification of a small space of a large
 * archive, compared with that of all spaces: whole processes, the middle one of several runs.
 */
const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    repeat: { type: 'string', default: '3' },
    peer: { type: 'string' },
  },
});
const rows = Number(options.rows);
const TNTAR = 'bin/tntar.js';
const MEMORY = { memtx_memory: 8 * 2 ** 30, checkpoint_interval: 0 };

const SMALL = `
  box.schema.space.create('small'):create_index('primary')
  for i = 1, 100 do box.space.small:insert({i}) end`;

/** The second of the filters below as an expression. */
const WHERE = ['--where', 'bench: id % 10 != 0'];

const FILTERS: Readonly<Record<string, string>> = {
  'accepts all': `export default (space, tuple) => tuple;`,
  'drops a tenth by a named field': `export default (space, tuple) =>
    space.name === 'bench' && tuple.get('id') % 10 === 0 ? null : tuple;`,
  'sets a string field': `export default (space, tuple) =>
    space.name === 'bench' ? tuple.set('email', 'nobody@example.com') : tuple;`,
};
/** The last of these filters for the Lua module. */
const LUA_FILTER = `function(space, tuple)
  if space.name == 'bench' then return tuple:update({{'=', 2, 'nobody@example.com'}}) end
  return tuple
end`;

const folder = mkdtempSync(join(tmpdir(), 'tntar-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const archive = join(folder, 'bench.tar.zst');

const source = await startServer({ lua: benchmarkSet(rows) + SMALL, cfg: MEMORY });
const { address } = source;
process.stdout.write(`Tarantool ${source.version}, Node ${process.version}, ${rows} rows\n`);

const runs = new Map<string, Usage[]>();
function record(what: string, usage: Usage): void {
  runs.set(what, [...(runs.get(what) ?? []), usage]);
}

const dumpArgs = ['dump', '-q', address, '--source', 'select'];
const stdout = join(folder, 'filtered.tar.zst');
for (let turn = 0; turn < Number(options.repeat); turn++) {
  record('dump', await measure({ script: TNTAR, args: dumpArgs, stdout: archive }));
  for (const [what, code] of Object.entries(FILTERS)) {
    const file = join(folder, 'filter.mjs');
    writeFileSync(file, code);
    const args = [...dumpArgs, '--filter', file];
    record(`dump, ${what}`, await measure({ script: TNTAR, args, stdout }));
  }
  const chosen = [...dumpArgs, ...WHERE];
  record('dump, drops a tenth by --where', await measure({ script: TNTAR, args: chosen, stdout }));
  if (options.peer !== undefined) {
    const peerFolder = join(folder, `peer-${turn}`);
    const call = `dump(folder, {filter = ${LUA_FILTER}})`;
    const usage = await runPeer(source, resolve(options.peer), call, peerFolder);
    record('dump by the Lua module, sets a string field', usage);
    rmSync(peerFolder, { recursive: true });
  }
  record('verify', await measure({ script: TNTAR, args: ['verify', '-q'], stdin: archive }));
  const args = ['verify', '-q', '--space', 'small'];
  record('verify --space small', await measure({ script: TNTAR, args, stdin: archive }));
}
await source.stop();

const base = median(runs.get('dump')!).seconds;
process.stdout.write(
  '\n| what | seconds | of the dump | peak MiB |\n| --- | ---: | ---: | ---: |\n',
);
for (const [what, all] of runs) {
  const { seconds, peakMiB } = median(all);
  const peak = Number.isNaN(peakMiB) ? '-' : peakMiB.toFixed(0);
  process.stdout.write(
    `| ${what} | ${seconds.toFixed(2)} | ${(seconds / base).toFixed(2)} | ${peak} |\n`,
  );
}
