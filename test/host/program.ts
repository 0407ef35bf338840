import { EventEmitter } from 'node:events';
import net from 'node:net';
import stream from 'node:stream';
import tls from 'node:tls';
import { Decimal } from 'decimal.js';
import { addExtension, Packr } from 'msgpackr';

/**
 * A program that uses msgpackr for its own data, before and after it imports this package. It prints a
 * line of JSON, {@link DamageResult}. A program of its own: what it registers holds for a whole process.
 */
export interface DamageResult {
  /** Values that the program read otherwise than it wrote them, by name: before the import and after it. */
  misread: string[];
  /** What this package read of the extensions of Tarantool: type and payload in hexadecimal. */
  extensions: string[];
  /** The same of values that it decoded, encoded and decoded again. */
  again: string[];
  /** A string in bytes that this package encoded, in hexadecimal. */
  binary: string;
  /** Globals, listeners and methods of common objects that the import changed. */
  changed: string[];
}

class Point {
  constructor(readonly x: number) {}
}
class Early extends Point {}
class Late extends Point {}

function register(Class: new (x: number) => Point, type: number): void {
  addExtension({
    Class,
    type,
    pack: ({ x }: Point) => Buffer.of(x),
    unpack: (bytes: Buffer) => new Class(bytes[0]!),
  });
}

const packr = new Packr({ structuredClone: true });
const values = (): Record<string, unknown> => ({
  set: new Set([1, 'a']),
  date: new Date(1_700_000_000_123),
  error: new RangeError('too far'),
  expression: /a+/gi,
  map: new Map<unknown, unknown>([[1, { a: 2 }]]),
  bytes: Buffer.of(0, 255),
  floats: Float64Array.of(0.5, 2),
  buffer: Uint8Array.of(1, 2, 3).buffer,
  early: new Early(7),
  big: 2n ** 70n,
  record: [
    { a: 1, b: 2 },
    { a: 3, b: 4 },
  ],
});

/** The same text for the same value. */
function shown(value: unknown): string {
  const name = Object(value).constructor?.name;
  if (value instanceof Set || value instanceof Map) return `${name} ${JSON.stringify([...value])}`;
  if (value instanceof ArrayBuffer) return `${name} ${Buffer.from(value).toString('hex')}`;
  if (value instanceof Error) return `${name} ${value.name} ${value.message}`;
  if (value instanceof RegExp || typeof value === 'bigint') return `${name} ${value}`;
  return `${name} ${JSON.stringify(value)}`;
}

/** What a program shares with the packages that it imports, each by a name. */
function common(): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const add = (name: string, object: object): void => {
    for (const key of Reflect.ownKeys(object)) {
      const property = Object.getOwnPropertyDescriptor(object, key);
      found.set(`${name}.${String(key)}`, property?.get ?? property?.value);
    }
  };
  const classes = Reflect.ownKeys(globalThis)
    .map((key) => Object.getOwnPropertyDescriptor(globalThis, key)?.value)
    .concat([EventEmitter, ...[net, tls, stream].flatMap((each) => Object.values(each))])
    .filter((each) => typeof each === 'function' && Object.hasOwn(each, 'prototype'));
  for (const each of new Set(classes)) {
    add(each.name, each);
    add(`${each.name}.prototype`, each.prototype);
  }
  add('globalThis', globalThis);
  add('process', process);
  add('env', { ...process.env });
  add('Decimal', Decimal);
  for (const name of process.eventNames()) {
    found.set(`listeners of ${String(name)}`, process.listenerCount(name));
  }
  found.set('highWaterMark', stream.getDefaultHighWaterMark(false));
  found.set('autoSelectFamily', net.getDefaultAutoSelectFamily());
  return found;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

async function main(): Promise<DamageResult> {
  // what a translated page calls its function, and what some make read-only
  Object.assign(globalThis, { t: 'of the host' });
  Object.defineProperty(globalThis, 'k', { get: () => 'of the host', configurable: true });
  register(Early, 20);
  const before = Object.entries(values()).map(([name, value]) => ({
    name,
    packed: Buffer.from(packr.pack(value)),
    text: shown(packr.unpack(packr.pack(value))),
  }));
  const shared = common();

  const tntar = await import('../../lib/index.js');
  const changed = [...common()].filter(([name, value]) => !Object.is(value, shared.get(name)));
  const lost = [...shared.keys()].filter((name) => !common().has(name));

  register(Late, 21);
  const misread: string[] = [];
  for (const { name, packed, text } of before) {
    if (shown(packr.unpack(packed)) !== text) misread.push(`${name}, packed before`);
    const again = packr.unpack(packr.pack(values()[name]));
    if (shown(again) !== text) misread.push(`${name}, packed after`);
  }
  if (!(packr.unpack(packr.pack(new Late(8))) instanceof Late)) misread.push('late');

  // the program has its own meaning of each type of Tarantool's, and its own form of bytes
  for (let type = 1; type <= 8; type++) register(class extends Point {}, type);
  addExtension({ Class: Uint8Array, type: 30, pack: () => Buffer.of(1), unpack: () => 'bytes' });
  const { decode, encode } = await import('../../lib/tuple/codec.js');
  const { Opaque } = await import('../../lib/tuple/exact-types.js');
  const tell = (value: unknown): string =>
    value instanceof Opaque ? `${value.type} ${hex(value.payload)}` : shown(value);
  const raws = Array.from({ length: 8 }, (_, i) => Buffer.of(0xd5, i + 1, 0xaa, i));
  const tuple = new tntar.Tuple(Buffer.concat([Buffer.of(0x98), ...raws]));
  if (tuple.toArray().some((each) => each instanceof Point)) misread.push('a tuple');
  return {
    misread,
    extensions: raws.map((raw) => tell(decode(raw))),
    again: raws.map((raw) => tell(decode(encode(decode(raw))))),
    binary: hex(encode(Uint8Array.of(1, 2))),
    changed: [...changed.map(([name]) => name), ...lost],
  };
}

process.stdout.write(`${JSON.stringify(await main())}\n`);
