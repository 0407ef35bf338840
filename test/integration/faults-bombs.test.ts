import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failsWith } from '../cli/outcome.js';
import {
  archive,
  type Entry,
  entryContents,
  frame,
  framed,
  goodEntries,
  jsonEntry,
  manifest,
  octalSize,
  sealed,
  skippableFrame,
  tarHeader,
} from '../support/archive-builder.js';
import { coded } from '../support/msgpack.js';
import { tntarMeasured } from '../support/peak.js';
import type { TestServer } from '../support/server.js';
import { startTarget } from './fidelity/roundtrip.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** What no input may make a process take more of. */
const MOST_MIB = 256;
/** The largest that docs/reference/archive-format.md lets a part be, and a manifest. */
const PART = 145 * MIB;
const JSON_LIMIT = 16 * MIB;
const [MANIFEST, SPACES, INDEXES] = goodEntries() as [Entry, Entry, Entry];

/** A frame of so many bytes, all of them the same, but for what it begins with. */
function full(bytes: number, byte = 0, start: Buffer = Buffer.alloc(0)): Buffer {
  const piece = Buffer.alloc(MIB, byte);
  const whole = Array<Buffer>(Math.floor((bytes - start.length) / MIB)).fill(piece);
  return frame([start, ...whole, piece.subarray(0, (bytes - start.length) % MIB)]);
}

/** With a checksum that is wrong. */
function flippedAtEnd(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.length - 1]! ^= 1;
  return copy;
}

const sized = (name: string, size: number | string): Buffer =>
  frame(tarHeader({ name, size: typeof size === 'string' ? size : octalSize(size) }));
const HEAD = framed([MANIFEST, SPACES, INDEXES].flatMap(entryContents));
const withPart = (size: number | string, body: Buffer): Buffer =>
  Buffer.concat([HEAD, sized('512.dump', size), body]);

/** The head of a frame that asks for a window of 2^log bytes, RFC 8878 section 3.1.1.1.2. */
const window = (log: number): Buffer =>
  Buffer.concat([Buffer.from('28b52ffd04', 'hex'), Buffer.of((log - 10) << 3), Buffer.alloc(100)]);

/** A size in base 256, of the twelve bytes that its field has. */
const base256 = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1');

const bomb = full(GIB);
const CASES: [title: string, make: () => Buffer, message: RegExp][] = [
  [
    '1 GiB in place of a manifest of 1000 bytes',
    () => Buffer.concat([sized('manifest.json', 1000), bomb]),
    /manifest\.json: more bytes than its header says/,
  ],
  ['1 GiB in place of a header', () => bomb, /first frame: more bytes than its header says/],
  ['1 GiB in place of a row', () => withPart(3, bomb), /512\.dump: more bytes than its/],
  [
    '1 GiB in place of the largest part',
    () => withPart(PART, bomb),
    /512\.dump: more bytes than its header says/,
  ],
  ['a part that claims 1 GiB', () => withPart(GIB, bomb), /claims 1073741824 bytes, over the/],
  [
    'the largest part, of zeros',
    () => withPart(PART, full(PART)),
    /512\.dump: no whole tuple at byte 0/,
  ],
  [
    'the largest part, of empty rows and a number',
    () => withPart(PART, full(PART, 0x90, Buffer.from('9090', 'hex'))),
    /./,
  ],
  [
    'a row of 2^32 - 1 fields',
    () => withPart(PART, full(PART, 0xc0, coded(0xdd, 4, 0xffffffff))),
    /512\.dump: no whole tuple at byte 0/,
  ],
  [
    'a manifest of zeros, as large as it may be',
    () => Buffer.concat([sized('manifest.json', JSON_LIMIT), full(JSON_LIMIT)]),
    /manifest\.json is not JSON/,
  ],
  [
    'a manifest of brackets',
    () => Buffer.concat([sized('manifest.json', JSON_LIMIT), full(JSON_LIMIT, 0x5b)]),
    /manifest\.json nests deeper/,
  ],
  [
    'a manifest of millions of objects',
    () => {
      const spaces = Buffer.from(`{"spaces":[${'{},'.repeat(JSON_LIMIT / 3 - 10)}{}]}`);
      return archive([{ name: 'manifest.json', body: spaces, rows: 0 }]);
    },
    /manifest\.json has over 1200000 values/,
  ],
  [
    'a trailer of brackets',
    () =>
      Buffer.concat([
        framed(entryContents(MANIFEST)),
        sized('trailer.json', JSON_LIMIT),
        full(JSON_LIMIT, 0x5b),
      ]),
    /trailer\.json nests deeper/,
  ],
  [
    'a name of 5 MB for a space',
    () => {
      const name = 'x'.repeat(5_000_000);
      const spaces = [{ id: 512, name, engine: 'memtx', format: [], rowsFrom: 'snapshot' }];
      return archive([jsonEntry('manifest.json', manifest({ spaces })), SPACES]);
    },
    /./,
  ],
  [
    'a name of 5 MB for an entry, by pax',
    () => Buffer.concat([frame(tarHeader({ type: 'x', size: octalSize(5_000_100) })), bomb]),
    /not a regular file/,
  ],
  [
    'a pax header of 8 GiB less one',
    () => frame(tarHeader({ type: 'x', size: '77777777777\0' })),
    /not a regular file/,
  ],
  ['a size of 8 EiB', () => withPart(base256('800000008000000000000000'), bomb), /header/],
  ['a negative size', () => withPart(base256('ffffffffffffffffffffffff'), bomb), /header/],
  ['a window of 2^27', () => window(27), /cannot decompress/],
  ['a window of 2^31', () => window(31), /cannot decompress/],
  ['a window of 2^41', () => window(41), /cannot decompress/],
  [
    'a frame to be passed over that claims 4 GiB',
    () => {
      const skipped = skippableFrame(Buffer.alloc(8));
      skipped.writeUInt32LE(0xffffffff, 4);
      return skipped;
    },
    /a cut frame/,
  ],
];

/** A row of _user that begins well and goes on with so many values of a kind. */
const user = (values: number, each: string): Buffer =>
  Buffer.concat([
    Buffer.from('95 21 01 a3616e6e a475736572'.replaceAll(' ', ''), 'hex'),
    coded(0xdd, 4, values),
    Buffer.alloc((values * each.length) / 2, Buffer.from(each, 'hex')),
  ]);
const MILLIONS = 8_000_000;
const DEFINITIONS: [title: string, rows: number, body: Buffer][] = [
  ['millions of rows', MILLIONS, Buffer.alloc(MILLIONS, 0x90)],
  ['millions of nils in one', 1, user(MILLIONS, 'c0')],
  ['millions of maps in one', 1, user(MILLIONS, '81a161c0')],
];

describe('an archive that decompresses to more than memory', () => {
  let folder: string;
  let target: TestServer;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-bombs-'));
    target = await startTarget();
  });
  after(async () => {
    await target.stop();
    rmSync(folder, { recursive: true });
  });

  for (const [title, make, message] of CASES) {
    it(`is refused, with little memory, and touches no disk: ${title}`, async () => {
      const result = await tntarMeasured(['verify', '-q'], { input: make(), cwd: folder });
      failsWith(result, 3, message);
      ok(result.stderr.length < 1000, `${result.stderr.length} characters`);
      ok(result.peakMiB < MOST_MIB, `${result.peakMiB} MiB`);
      deepEqual(readdirSync(folder), []);
    });
  }

  it('is refused by a restore as by verify, and nothing is written', async () => {
    for (const make of [() => bomb, () => withPart(3, bomb), () => withPart(PART, full(PART))]) {
      const result = await tntarMeasured(['restore', '-q', target.uri], { input: make() });
      failsWith(result, 3, /more bytes than its header says|no whole tuple/);
      ok(result.peakMiB < MOST_MIB, `${result.peakMiB} MiB`);
    }
    equal(await target.eval('return box.space.users == nil'), true);
  });

  for (const [title, rows, body] of DEFINITIONS) {
    it(`is refused by a restore before it decodes ${title}`, async () => {
      const users = { name: '304.dump', body, rows };
      const input = archive(sealed([MANIFEST, SPACES, INDEXES, users]));
      for (const args of [['--dry-run'], ['--no-users']]) {
        const result = await tntarMeasured(['restore', '-q', target.uri, ...args], { input });
        failsWith(result, 3, /the rows of system spaces exceed the limit of/);
        ok(result.peakMiB < MOST_MIB, `${result.peakMiB} MiB`);
      }
      equal(await target.eval('return box.space.users == nil'), true);
    });
  }

  it('is searched for whole parts with little memory, even with 150,000 starts of frames', async () => {
    const file = join(folder, 'begins.tar.zst');
    // with the flag of a checksum; none of them goes on as a frame does
    const begins = Buffer.alloc(5 * 150_000, Buffer.from('28b52ffd04', 'hex'));
    writeFileSync(file, Buffer.concat([HEAD, begins]));
    const result = await tntarMeasured(['verify', '-q', '-i', file]);
    rmSync(file);
    equal(result.code, 3, result.stderr);
    match(result.stderr, /damaged from byte [\d,]+ to the end: cannot decompress/);
    ok(result.peakMiB < MOST_MIB, `${result.peakMiB} MiB`);
  });

  it('is verified part by part, whatever the size of the parts', async function () {
    this.timeout(180_000);
    const row = Buffer.concat([Buffer.of(0x91), coded(0xc6, 4, MIB - 6), Buffer.alloc(MIB - 6)]);
    const rows = Math.floor(PART / MIB);
    const body = frame(Array<Buffer>(rows).fill(row));
    const parts = [0, 1, 2].flatMap((i) => [sized(`512.dump.0000${i}`, rows * MIB), body]);
    const input = Buffer.concat([HEAD, ...parts]);
    const file = join(folder, 'parts.tar.zst');
    writeFileSync(file, input);
    for (const options of [{ input }, { args: ['-i', file] }]) {
      const result = await tntarMeasured(['verify', '-q', ...(options.args ?? [])], {
        ...options,
        timeoutMs: 80_000,
      });
      equal(result.code, 3);
      match(
        result.stderr,
        /^tntar: the archive ends after entry 512\.dump\.00002, before its trailer$/m,
      );
      ok(result.peakMiB < MOST_MIB, `${result.peakMiB} MiB`);
    }
    rmSync(file);
  });

  it('is searched for whole parts only up to a limit', async () => {
    const body = full(PART);
    const bad = Buffer.concat([sized('512.dump', PART), flippedAtEnd(body)]);
    const file = join(folder, 'bad.tar.zst');
    writeFileSync(file, Buffer.concat([HEAD, ...Array<Buffer>(60).fill(bad)]));
    const result = await tntarMeasured(['verify', '-q', '-i', file]);
    rmSync(file);
    equal(result.code, 3);
    equal(result.stderr.match(/warning: damaged from byte/g)?.length, Math.ceil((4 * GIB) / PART));
    match(result.stderr, /too much is damaged: the rest of the archive was not searched/);
    ok(result.peakMiB < MOST_MIB, `${result.peakMiB} MiB`);
  });

  it('is accepted with little memory if it is valid, even with the largest rows', async () => {
    const body = Buffer.concat([Buffer.of(0x91), coded(0xc6, 4, PART - 6), Buffer.alloc(PART - 6)]);
    const part = (name: string): Entry => ({ name, body, rows: 1 });
    const large = sealed([MANIFEST, part('512.dump'), part('513.dump')]);
    const result = await tntarMeasured(['verify', '-q'], { input: archive(large) });
    deepEqual([result.code, result.stderr], [0, '']);
    ok(result.peakMiB < MOST_MIB, `${result.peakMiB} MiB`);
  });
});
