import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startServer, type TestServer } from '../test/support/server.js';
import { benchmarkSet } from './dataset.js';
import { measure, median, type Program, type Usage } from './measure.js';
import { runPeer } from './peer.js';

/**
 * `npm run bench -- [--rows N] [--repeat N] [--peer PATH/TO/dump/init.lua]`
 *
 * Measures whole processes in turns, each several times, and takes the middle run of each. So a machine that is
 * slow for a while is slow for all of them. Only the ratios within one run are comparable.
 */
const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    repeat: { type: 'string', default: '3' },
    peer: { type: 'string' },
  },
});
const rows = Number(options.rows);
const repeat = Number(options.repeat);
const TNTAR = 'bin/tntar.js';
const MEMORY = { memtx_memory: 8 * 2 ** 30, checkpoint_interval: 0 };

interface Line {
  what: string;
  usage: Usage;
  /** The name of the line that this one is compared with. */
  by?: string;
}

const folder = mkdtempSync(join(tmpdir(), 'tntar-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const archive = join(folder, 'bench.tar.zst');
const peer = options.peer === undefined ? undefined : resolve(options.peer);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function emptyServer(): Promise<TestServer> {
  return startServer({ lua: "box.schema.user.grant('guest', 'super')", cfg: MEMORY });
}

/** Each restore gets an empty server of its own in each turn. */
async function measureRestore(restore: (server: TestServer) => Promise<Usage>): Promise<Usage> {
  const target = await emptyServer();
  try {
    return await restore(target);
  } finally {
    await target.stop();
  }
}

const source = await startServer({ lua: benchmarkSet(rows), cfg: MEMORY });
say(`Tarantool ${source.version}, Node ${process.version}, ${rows} rows, middle of ${repeat} runs`);
const { address } = source;
const port = String(source.port);
const probe = await measure({ script: 'benchmarks/drain.js', args: [port] });

const programs: Record<string, Program> = {
  'drain a bare socket': { script: 'benchmarks/drain.js', args: [port, probe.stdout] },
  'dump by snapshot': {
    script: TNTAR,
    args: ['dump', '-q', address, '--source', 'snapshot'],
    stdout: join(folder, 'snapshot.tar.zst'),
  },
  'dump by select': {
    script: TNTAR,
    args: ['dump', '-q', address, '--source', 'select'],
    stdout: archive,
  },
  verify: { script: TNTAR, args: ['verify', '-q'], stdin: archive },
};
const baselines: Record<string, string> = {
  'dump by snapshot': 'drain a bare socket',
  'dump by select': 'dump by the Lua module',
  restore: 'restore by the Lua module',
};
const runs = new Map<string, Usage[]>();
function record(what: string, usage: Usage): void {
  runs.set(what, [...(runs.get(what) ?? []), usage]);
}

for (let turn = 0; turn < repeat; turn++) {
  const peerFolder = join(folder, `peer-${turn}`);
  if (peer !== undefined) {
    record('dump by the Lua module', await runPeer(source, peer, 'dump(folder)', peerFolder));
  }
  for (const [what, program] of Object.entries(programs)) record(what, await measure(program));
  if (peer !== undefined) {
    record(
      'restore by the Lua module',
      await measureRestore((target) => runPeer(target, peer, 'restore(folder)', peerFolder)),
    );
    rmSync(peerFolder, { recursive: true });
  }
  record(
    'restore',
    await measureRestore((target) =>
      measure({ script: TNTAR, args: ['restore', '-q', target.address], stdin: archive }),
    ),
  );
}
await source.stop();

const lines: Line[] = [...runs].map(([what, all]) => {
  const by = baselines[what];
  return by !== undefined && runs.has(by)
    ? { what, usage: median(all), by }
    : { what, usage: median(all) };
});
const number = (value: number, digits: number): string =>
  Number.isNaN(value) ? '-' : value.toFixed(digits);
say('');
say('| what | seconds | rows/s | CPU seconds | peak MiB | ratio |');
say('| --- | ---: | ---: | ---: | ---: | --- |');
for (const { what, usage, by } of lines) {
  const { seconds, cpuSeconds, peakMiB } = usage;
  const ratio =
    by === undefined ? '' : `${(seconds / median(runs.get(by)!).seconds).toFixed(2)} of ${by}`;
  const cells = [
    number(seconds, 2),
    Math.round(rows / seconds).toLocaleString('en-US'),
    number(cpuSeconds, 2),
    number(peakMiB, 0),
    ratio,
  ];
  say(`| ${what} | ${cells.join(' | ')} |`);
}
say('');
say(`archive: ${(statSync(archive).size / 1e6).toFixed(1)} MB`);
