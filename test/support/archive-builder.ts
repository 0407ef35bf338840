import { createHash } from 'node:crypto';
import binding from 'zstd-napi/binding.js';
import { type Plain, pack } from './msgpack.js';

/**
 * Archives put together by hand, after docs/reference/archive-format.md: whole ones, and wrong ones of any kind. Nothing here
 * is taken from the code under test.
 */
export interface Entry {
  name: string;
  body: Buffer;
  /** What the trailer says of it; 0 for JSON. */
  rows: number;
}

const BLOCK = 512;
const END = Buffer.alloc(2 * BLOCK);

/** Offset and size of each field of a ustar header. */
const HEADER_FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  linkName: [157, 100],
  magic: [257, 8],
  prefix: [345, 155],
} as const;

/** Raw content of fields, one character a byte. */
export type HeaderFields = Partial<Record<keyof typeof HEADER_FIELDS, string>>;

/** Eleven octal digits and a zero byte. */
export function octalSize(size: number): string {
  return `${size.toString(8).padStart(11, '0')}\0`;
}

/** A ustar header of a regular, empty file, but for the given fields; its checksum is right. */
export function tarHeader(given: HeaderFields = {}): Buffer {
  const fields: HeaderFields = {
    name: 'a',
    mode: '0000600\0',
    uid: '0000000\0',
    gid: '0000000\0',
    size: octalSize(0),
    mtime: octalSize(0),
    checksum: ' '.repeat(8),
    type: '0',
    magic: 'ustar\x0000',
    ...given,
  };
  const block = Buffer.alloc(BLOCK);
  for (const [key, text] of Object.entries(fields)) {
    const [offset, size] = HEADER_FIELDS[key as keyof typeof HEADER_FIELDS];
    block.write(text.slice(0, size), offset, 'latin1');
  }
  if (given.checksum === undefined) {
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, HEADER_FIELDS.checksum[0], 'latin1');
  }
  return block;
}

/** `body`, filled up to a whole number of blocks. */
export function padded(body: Buffer, filling = 0): Buffer {
  return Buffer.concat([body, Buffer.alloc(-body.length & (BLOCK - 1), filling)]);
}

/** What a frame is made with, other than what docs/reference/archive-format.md asks for. */
export interface FrameOptions {
  checksum?: boolean;
  /** Rather than the one of the level. */
  windowLog?: number;
}

const { CCtx, CParameter, EndDirective } = binding;

/** Contexts take long to make: those of one kind of frame are used again. */
const contexts = new Map<string, InstanceType<typeof CCtx>>();
const output = Buffer.alloc(1 << 16);

function contextFor({ checksum, windowLog }: FrameOptions): InstanceType<typeof CCtx> {
  const kind = `${checksum} ${windowLog}`;
  const made = contexts.get(kind);
  if (made !== undefined) return made;
  const context = new CCtx();
  context.setParameter(CParameter.checksumFlag, checksum === false ? 0 : 1);
  if (windowLog !== undefined) context.setParameter(CParameter.windowLog, windowLog);
  contexts.set(kind, context);
  return context;
}

/**
 * One zstd frame around `chunks`. It is made as a stream, so it does not say how much it holds.
 *
 * @param chunks - one Buffer, or many so that a large content need not be in memory
 */
export function frame(chunks: Buffer | Iterable<Buffer>, options: FrameOptions = {}): Buffer {
  const context = contextFor(options);
  const pieces: Buffer[] = [];
  const feed = (chunk: Buffer, isLast: boolean): void => {
    const directive = isLast ? EndDirective.end : EndDirective.continue;
    for (let rest = chunk, left = 1; isLast ? left > 0 : rest.length > 0; ) {
      const [remaining, produced, consumed] = context.compressStream2(output, rest, directive);
      pieces.push(Buffer.from(output.subarray(0, produced)));
      rest = rest.subarray(consumed);
      left = remaining;
    }
  };
  for (const chunk of Buffer.isBuffer(chunks) ? [chunks] : chunks) feed(chunk, false);
  feed(Buffer.alloc(0), true);
  return Buffer.concat(pieces);
}

/** A frame that decoders pass over, RFC 8878 section 3.1.2. */
export function skippableFrame(content: Buffer, variant = 0): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50 + variant, 0);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}

/** Rows of one space. */
export function rowsEntry(name: string, ...rows: readonly (readonly Plain[])[]): Entry {
  return manyRowsEntry(name, rows);
}

/** The same for more rows than a call has room for. */
export function manyRowsEntry(name: string, rows: readonly (readonly Plain[])[]): Entry {
  return { name, body: Buffer.concat(rows.map(pack)), rows: rows.length };
}

export function jsonEntry(name: string, document: unknown): Entry {
  return { name, body: Buffer.from(JSON.stringify(document)), rows: 0 };
}

/** A manifest of the spaces 512 `users` and 513 `log`, but for the given keys. */
export function manifest(given: object = {}): Record<string, unknown> {
  return {
    format: 'tntar',
    version: 1,
    tool: 'by hand',
    created: '2026-01-02T03:04:05.678Z',
    server: { version: '2.6.0', uuid: '00000000-0000-4000-8000-000000000000' },
    source: 'snapshot',
    vclock: { 1: 42 },
    spaces: [
      { id: 512, name: 'users', engine: 'memtx', format: [], rowsFrom: 'snapshot' },
      { id: 513, name: 'log', engine: 'vinyl', format: [], rowsFrom: 'snapshot' },
    ],
    omitted: [],
    revoked: [],
    ...given,
  };
}

function sha256(text: Buffer | string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The line of each entry in a trailer. */
export function records(entries: readonly Entry[]) {
  return entries.map(({ name, rows, body }) => ({
    name,
    rows,
    bytes: body.length,
    sha256: sha256(body),
  }));
}

/** The trailer that fits a list of entries, but for the given keys. `list` makes sums and hash fit too. */
export function trailer(entries: readonly Entry[], given: object = {}, list = records(entries)) {
  const lines = list.map((each) => `${each.name} ${each.rows} ${each.bytes} ${each.sha256}\n`);
  return {
    format: 'tntar',
    version: 1,
    vclock: { 1: 43 },
    consistent: true,
    rows: list.reduce((sum, { rows }) => sum + rows, 0),
    bytes: list.reduce((sum, { bytes }) => sum + bytes, 0),
    sha256: sha256(lines.join('')),
    entries: list,
    ...given,
  };
}

/** Two system spaces, and two spaces of a user, one of them in two parts. */
export function goodEntries(): Entry[] {
  return [
    jsonEntry('manifest.json', manifest()),
    rowsEntry(
      '280.dump',
      [512, 1, 'users', 'memtx', 0, {}, []],
      [513, 1, 'log', 'vinyl', 0, {}, []],
    ),
    rowsEntry('288.dump', [512, 0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]]),
    rowsEntry('513.dump.00000', [1, 'one'], [2, 'two']),
    rowsEntry('513.dump.00001', [3, 'three']),
    rowsEntry('512.dump', [1, 'alice', null], [2, 'bob', 1.5]),
  ];
}

const PRIMARY = [0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]] as const;

/** The primary keys of the spaces 512 and 513. */
export function keysEntry(): Entry {
  return rowsEntry('288.dump', [512, ...PRIMARY], [513, ...PRIMARY]);
}

/** {@link goodEntries} of which both spaces have a primary key. */
export function keyedEntries(): Entry[] {
  return goodEntries().map((entry) => (entry.name === '288.dump' ? keysEntry() : entry));
}

/** `entries` and the trailer that fits them. */
export function sealed(entries: readonly Entry[]): Entry[] {
  return [...entries, jsonEntry('trailer.json', trailer(entries))];
}

/** Header and body of an entry, each the content of a frame. */
export function entryContents({ name, body }: Entry): Buffer[] {
  return [tarHeader({ name, size: octalSize(body.length) }), padded(body)];
}

/** The content of all frames of an archive, its end included. */
export function contents(entries: readonly Entry[]): Buffer[] {
  return [...entries.flatMap(entryContents), END];
}

/** An archive of `entries` as they are. */
export function archive(entries: readonly Entry[]): Buffer {
  return framed(contents(entries));
}

/** The seek table behind frames of these contents, each of so many compressed bytes. */
export function seekTable(each: readonly { frame: number; content: number }[]): Buffer {
  const sizes = each.map(({ frame: bytes, content }) => {
    const entry = Buffer.alloc(8);
    entry.writeUInt32LE(bytes, 0);
    entry.writeUInt32LE(content, 4);
    return entry;
  });
  const footer = Buffer.alloc(9);
  footer.writeUInt32LE(each.length, 0);
  footer.writeUInt32LE(0x8f92eab1, 5);
  return skippableFrame(Buffer.concat([...sizes, footer]), 0xe);
}

/** An archive of `entries` as they are, and the seek table that fits it. */
export function seekable(entries: readonly Entry[]): Buffer {
  const each = contents(entries).map((content) => ({ content, bytes: frame(content) }));
  const sizes = each.map(({ content, bytes }) => ({
    frame: bytes.length,
    content: content.length,
  }));
  return Buffer.concat([...each.map(({ bytes }) => bytes), seekTable(sizes)]);
}

/** A frame around each of `each`. */
export function framed(each: readonly Buffer[]): Buffer {
  return Buffer.concat(each.map((content) => frame(content)));
}
