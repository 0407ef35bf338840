import { deepEqual, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { TntarError } from '../../lib/base/errors.js';
import { compareValues } from '../../lib/diff/values.js';
import { bodyValue } from '../../lib/iproto/bodies.js';
import type { Connection } from '../../lib/iproto/connection.js';
import { Key, RequestType } from '../../lib/iproto/constants.js';
import { select, store } from '../../lib/iproto/requests.js';
import { Datetime } from '../../lib/tuple/datetime.js';
import { splitFields } from '../../lib/tuple/fields.js';
import { integer, readInteger } from '../../lib/tuple/integers.js';
import { isInteger } from '../../lib/tuple/msgpack.js';
import { holds } from '../property/runs.js';
import * as any from '../property/values.js';
import { ext, float32, float64, pack } from '../support/msgpack.js';
import { startServer, type TestServer } from '../support/server.js';
import { connect, isAtLeast } from './fidelity/roundtrip.js';

const hex = (bytes: Buffer): string => bytes.toString('hex');
const compare = (a: Buffer, b: Buffer): number => Math.sign(compareValues(a, 0, b, 0));

const datetime = fc
  .tuple(
    // in the second before 1970 the order of servers is broken: `hint_datetime()` of that file
    fc.bigInt(-(10n ** 10n), 10n ** 10n).filter((seconds) => seconds !== -1n),
    fc.constantFrom(0, 1, 999_999_999),
    fc.constantFrom(0, 180),
  )
  .map(
    ([seconds, nanoseconds, offsetMinutes]) =>
      new any.Node(Datetime.from({ seconds, nanoseconds, offsetMinutes }).raw),
  );

const decimalOf = (digits: bigint, scale: number): Buffer => {
  const nibbles = `${digits < 0n ? -digits : digits}${digits < 0n ? 'd' : 'c'}`;
  const packed = nibbles.padStart(nibbles.length + (nibbles.length % 2), '0');
  return ext(1, Buffer.concat([Buffer.of(scale), Buffer.from(packed, 'hex')]));
};

/** Integers that are near each other, written in several ways. */
const near = (other: (value: bigint) => Buffer): fc.Arbitrary<any.Node> =>
  fc
    .tuple(fc.constantFrom(0n, 2n ** 53n, 2n ** 63n, 10n ** 15n), fc.bigInt(-3n, 3n))
    .chain(([base, by]) => fc.constantFrom(other(base + by), pack(base + by)))
    .map((raw) => new any.Node(raw));

/** The server takes 15 digits of a double beside a decimal, which is an order only where that is all of it. */
const eighths = fc
  .integer({ min: -4000, max: 4000 })
  .chain((n) =>
    fc
      .constantFrom(float64(n / 8), float32(n / 8), decimalOf(BigInt(n) * 125n, 3))
      .map((raw) => new any.Node(raw)),
  );

/** Types of an index, with keys for it; what an older server does not know is left out there. */
const TYPES: readonly [type: string, keys: fc.Arbitrary<any.Node>][] = [
  ['unsigned', any.unsigned],
  ['integer', any.integer],
  [
    'number',
    fc.oneof(
      any.integer,
      any.double,
      near((value) => float64(Number(value))),
    ),
  ],
  [
    'number',
    fc.oneof(
      any.integer,
      any.decimal,
      near((value) => decimalOf(value, 0)),
    ),
  ],
  ['number', eighths],
  ['double', any.double],
  ['double', fc.oneof(any.double, near(integer))],
  ['decimal', any.decimal],
  ['string', any.string],
  ['boolean', any.boolean],
  ['varbinary', any.varbinary],
  ['uuid', any.uuid],
  ['datetime', datetime],
  ['scalar', fc.oneof(any.boolean, any.integer, any.double, any.string, any.varbinary, any.uuid)],
];

/** True for a server whose order of numbers is that of their values: tarantool#9965. */
function hasSoundNumbers(server: TestServer): boolean {
  return [
    ['2.11.6', '3.0'],
    ['3.2.2', '3.3'],
    ['3.3.2', '9'],
  ].some(([since, until]) => isAtLeast(server, since!) && !isAtLeast(server, until!));
}

/**
 * True for a key that all servers order by its value: others mind in how many bytes an integer is written, and
 * take one for a double in a field of that type.
 */
function isUsual(type: string, { raw }: any.Node): boolean {
  if (!isInteger(raw[0]!)) return true;
  return type !== 'double' && raw.equals(integer(readInteger(raw, 0)));
}

/** Of a select: all rows, in the order of the index. */
const ALL = 2;

/** Of a space that has one key of the type `...`; -1 where the server knows no such type. */
const MAKE = `
  local type, engine = ...
  if box.space.keys then box.space.keys:drop() end
  local space = box.schema.space.create('keys', {engine = engine})
  local ok = pcall(space.create_index, space, 'pk', {parts = {{1, type}}})
  return ok and space.id or -1`;

describe('the order of keys', () => {
  let server: TestServer;
  let connection: Connection;
  before(async () => {
    server = await startServer();
    connection = await connect(server);
  });
  after(async () => {
    connection?.close();
    await server?.stop();
  });

  /** Stores the keys that the server takes, and reads them in its order. */
  async function through(id: number, keys: readonly Buffer[]): Promise<[Buffer[], Buffer[]]> {
    const stored: Buffer[] = [];
    for (const key of keys) {
      const row = Buffer.concat([Buffer.of(0x91), key]);
      try {
        await connection.request(store(RequestType.REPLACE, id, row), 'store');
        stored.push(key);
      } catch (error) {
        if (!(error instanceof TntarError) || error.serverCode === undefined) throw error;
      }
    }
    const reply = await connection.request(select(id, 0, ALL, Buffer.of(0x90), 1000), 'read');
    const rows = splitFields(bodyValue(reply, Key.DATA) ?? Buffer.of(0x90));
    return [stored, rows.map((row) => splitFields(row)[0]!)];
  }

  for (const [i, [type, keys]] of TYPES.entries()) {
    for (const engine of ['memtx', 'vinyl']) {
      holds(
        `of type ${type} is that of the server, in ${engine} (${i})`,
        15,
        fc.asyncProperty(fc.array(keys, { minLength: 2, maxLength: 60 }), async (nodes) => {
          const id = await server.eval<number>(MAKE, type, engine);
          if (id < 0) return;
          const usual = hasSoundNumbers(server)
            ? nodes
            : nodes.filter((node) => isUsual(type, node));
          const [stored, read] = await through(
            id,
            usual.map(({ raw }) => raw),
          );
          for (const [at, behind] of read.slice(1).entries()) {
            const before = read[at]!;
            ok(compare(before, behind) < 0, `${hex(before)} comes before ${hex(behind)}`);
            ok(compare(behind, before) > 0, `${hex(behind)} comes behind ${hex(before)}`);
          }
          // and what the server takes for one key is one
          for (const key of stored)
            ok(
              read.some((each) => compare(each, key) === 0),
              hex(key),
            );
        }),
      );
    }
  }
});

describe('compareValues', () => {
  for (const [title, a, b, expected] of [
    ['numbers come before strings', '01', 'a161', -1],
    ['null comes before all', 'c0', 'c2', -1],
    ['false comes before true', 'c2', 'c3', -1],
    ['an integer is the same in every form', '05', 'd3 0000000000000005', 0],
    ['and the same as a double', '05', 'cb4014000000000000', 0],
    ['64 bits count, all of them', 'cf ffffffffffffffff', 'cf fffffffffffffffe', 1],
    ['a double beside an integer is exact', 'cf 0020000000000001', 'cb4340000000000000', 1],
    ['what is no number comes before numbers', 'cb7ff8000000000000', 'd3 8000000000000000', -1],
    ['infinity comes behind decimals', 'cb7ff0000000000000', 'c7 03 01 00 12 3c', 1],
    ['a decimal has no trailing zeros to mind', 'd5 01 00 1c', 'c7 03 01 01 01 0c', 0],
    ['of strings that begin alike the shorter is first', 'a161', 'a2 6161', -1],
    [
      'a datetime of no size that servers write is just bytes',
      'c7 01 04 00',
      'd7 04 0000000000000000',
      1,
    ],
    [
      'what has more digits than a decimal may is just bytes',
      `c8 0100 01 00${'11'.repeat(254)}1c`,
      '01',
      1,
    ],
    ['text comes before bytes', 'a161', 'c40161', -1],
  ] as const) {
    it(title, () => {
      const [left, right] = [a, b].map((text) => Buffer.from(text.replaceAll(' ', ''), 'hex'));
      deepEqual([compare(left!, right!), compare(right!, left!)], [expected, 0 - expected]);
    });
  }
});
