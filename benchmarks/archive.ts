import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  createReadStream,
  createWriteStream,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { archiveSink, archiveSource, type BackupItem } from '../lib/index.js';
import { startServer } from '../test/support/server.js';
import { measure, median, type Usage } from './measure.js';

/**
 * `npm run bench:archive -- [--megabytes N] [--repeat N]`
 *
 * Measures commands that need not read all of a large archive: whole processes, with its seek table and
 * without, the middle one of several runs. Rows are random bytes, so the archive is as large as they are. The
 * small space is the last one.
 */
const { values: options } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '1000' },
    repeat: { type: 'string', default: '5' },
  },
});
const TNTAR = 'bin/tntar.js';
const PAYLOAD_BYTES = 1000;
const BATCH_ROWS = 256;
const batches = Math.ceil((Number(options.megabytes) * 1e6) / PAYLOAD_BYTES / BATCH_ROWS);

const SPACES = `
  local format = {{'id', 'unsigned'}, {'payload', 'any'}}
  for _, name in ipairs({'large', 'small'}) do
    box.schema.space.create(name, {format = format}):create_index('primary')
  end
  for i = 1, 100 do box.space.small:insert({i, 'row ' .. i}) end
  box.schema.user.grant('guest', 'super')`;

/** More random bytes than a frame has, so that no frame can be compressed. */
const noise = randomBytes(16 * 2 ** 20);

/** MessagePack of `[uint32, bin of PAYLOAD_BYTES]`, back to back. */
function rowsFrom(first: number): Buffer {
  const row = Buffer.alloc(9);
  row.set([0x92, 0xce], 0);
  row[6] = 0xc5;
  row.writeUInt16BE(PAYLOAD_BYTES, 7);
  const pieces: Buffer[] = [];
  for (let id = first; id < first + BATCH_ROWS; id++) {
    const head = Buffer.from(row);
    head.writeUInt32BE(id, 2);
    const at = (id * PAYLOAD_BYTES) % (noise.length - PAYLOAD_BYTES);
    pieces.push(head, noise.subarray(at, at + PAYLOAD_BYTES));
  }
  return Buffer.concat(pieces);
}

/** Yields the items of the small archive, with many rows before those of the small space. */
async function* enlarged(items: AsyncIterable<BackupItem>): AsyncGenerator<BackupItem> {
  let id = 0;
  let isLarge = false;
  const large = { rows: 0, bytes: 0 };
  for await (const item of items) {
    if (item.kind === 'start') id = item.manifest.spaces[0]!.id;
    if (item.kind === 'tuples' && item.space.id > id && !isLarge) {
      isLarge = true;
      for (let i = 0; i < batches; i++) {
        const bytes = rowsFrom(i * BATCH_ROWS);
        large.rows += BATCH_ROWS;
        large.bytes += bytes.length;
        const space = { id, name: 'large', engine: 'memtx' };
        yield { kind: 'tuples', space, count: BATCH_ROWS, bytes };
      }
    }
    yield item.kind === 'end' ? { ...item, counts: new Map(item.counts).set(id, large) } : item;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'tntar-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const archive = join(folder, 'large.tar.zst');
const seed = join(folder, 'seed.tar.zst');
const stdout = join(folder, 'printed');

const source = await startServer({ lua: SPACES });
await measure({ script: TNTAR, args: ['dump', '-q', source.address], stdout: seed });
await source.stop();
await pipeline(
  Readable.from(enlarged(archiveSource(createReadStream(seed))), { highWaterMark: 1 }),
  archiveSink(),
  createWriteStream(archive),
);
const { size } = statSync(archive);

const runs = new Map<string, Usage[]>();
async function record(what: string, args: readonly string[]): Promise<void> {
  const usage = await measure({ script: TNTAR, args: [...args, '-q', '-i', archive], stdout });
  runs.set(what, [...(runs.get(what) ?? []), usage]);
}

async function recordRestore(what: string): Promise<void> {
  const target = await startServer({ lua: "box.schema.user.grant('guest', 'super')" });
  await record(what, ['restore', target.address, '--space', 'small']);
  await target.stop();
}

function lastBytes(bytes: number): Buffer {
  const last = Buffer.alloc(bytes);
  const file = openSync(archive, 'r');
  readSync(file, last, 0, bytes, size - bytes);
  closeSync(file);
  return last;
}

/** Removes the seek table for a while. Its last bytes give the number of its frames. */
async function withoutTable(work: () => Promise<void>): Promise<void> {
  const table = lastBytes(lastBytes(9).readUInt32LE(0) * 8 + 17);
  truncateSync(archive, size - table.length);
  await work();
  appendFileSync(archive, table);
}

for (let turn = 0; turn < Number(options.repeat); turn++) {
  await record('list', ['list']);
  await record('list --schema', ['list', '--schema']);
  await record('list --space small', ['list', '--space', 'small']);
  await recordRestore('restore --space small');
  await record('verify', ['verify']);
  await withoutTable(async () => {
    await record('list, no seek table', ['list']);
    await recordRestore('the same restore, no seek table');
  });
}

const lines = [
  `Node ${process.version}, an archive of ${(size / 1e6).toFixed(0)} MB, middle of ${options.repeat} runs`,
  '',
  '| what | seconds | CPU seconds | peak MiB |',
  '| --- | ---: | ---: | ---: |',
  ...[...runs].map(([what, all]) => {
    const { seconds, cpuSeconds, peakMiB } = median(all);
    const cells = [seconds.toFixed(2), cpuSeconds.toFixed(2), peakMiB.toFixed(0)];
    return `| ${what} | ${cells.join(' | ')} |`;
  }),
];
process.stdout.write(`${lines.join('\n')}\n`);
