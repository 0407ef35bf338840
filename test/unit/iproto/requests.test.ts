import { deepEqual, equal, ok } from 'node:assert/strict';
import {
  bare,
  evaluate,
  insertHead,
  PREFIX_BYTES,
  type Request,
  remove,
  select,
  store,
  storePackets,
  toPacket,
  writePrefix,
} from '../../../lib/iproto/requests.js';
import { bin, float64, pack } from '../../support/msgpack.js';
import { decodeRequest, type Received } from './fake-server.js';

const SYNCS = [0, 1, 127, 128, 65_536, 0xffffffff];

type Expected = Pick<Received, 'type' | 'body'>;

const TUPLE = [1, 'two', bin(Buffer.of(3)), float64(4), null];
const DECODED = [1, 'two', Buffer.of(3), 4, null];

const REQUESTS: [string, Request, Expected][] = [
  ['PING', bare(64), { type: 64, body: new Map() }],
  ['VOTE', bare(68), { type: 68, body: new Map() }],
  ['FETCH_SNAPSHOT', bare(69), { type: 69, body: new Map() }],
  ...[0, 280, 512, 65_536, 2 ** 31 - 1].map((id): [string, Request, Expected] => [
    `SELECT from ${id}`,
    select(id, 2, 6, pack(TUPLE), 8192),
    {
      type: 1,
      body: new Map<number, unknown>([
        [0x10, id],
        [0x11, 2],
        [0x14, 6],
        [0x13, 0],
        [0x12, 8192],
        [0x20, DECODED],
      ]),
    },
  ]),
  [
    'SELECT of all',
    select(512, 0, 2, pack([]), 0xffffffff),
    {
      type: 1,
      body: new Map<number, unknown>([
        [0x10, 512],
        [0x11, 0],
        [0x14, 2],
        [0x13, 0],
        [0x12, 0xffffffff],
        [0x20, []],
      ]),
    },
  ],
  ...[2, 3].flatMap((type) =>
    [280, 2 ** 31 - 1].map((id): [string, Request, Expected] => [
      `${type === 2 ? 'INSERT' : 'REPLACE'} into ${id}`,
      store(type, id, pack(TUPLE)),
      {
        type,
        body: new Map<number, unknown>([
          [0x10, id],
          [0x21, DECODED],
        ]),
      },
    ]),
  ),
  ...[280, 2 ** 31 - 1].map((id): [string, Request, Expected] => [
    `DELETE from ${id}`,
    remove(id, pack([1, 'space', 281])),
    {
      type: 5,
      body: new Map<number, unknown>([
        [0x10, id],
        [0x11, 0],
        [0x20, [1, 'space', 281]],
      ]),
    },
  ]),
  [
    'EVAL without arguments',
    evaluate('return 1'),
    {
      type: 8,
      body: new Map<number, unknown>([
        [0x27, 'return 1'],
        [0x21, []],
      ]),
    },
  ],
  [
    'EVAL of a long text, with arguments',
    evaluate(`return '${'ü'.repeat(40_000)}'`, [512, 'x', null, [true]]),
    {
      type: 8,
      body: new Map<number, unknown>([
        [0x27, `return '${'ü'.repeat(40_000)}'`],
        [0x21, [512, 'x', null, [true]]],
      ]),
    },
  ],
];

describe('a request', () => {
  for (const [title, request, expected] of REQUESTS) {
    it(`${title} is read by msgpackr, under any number`, () => {
      for (const sync of SYNCS) {
        const raw = toPacket(request, sync);
        deepEqual(decodeRequest(raw), { ...expected, sync, raw });
      }
    });
  }

  it('keeps the bytes of a tuple and of a key as they are', () => {
    const odd = Buffer.from('dd00000001cf0000000000000001', 'hex'); // [1], as long as can be
    for (const request of [store(2, 512, odd), select(512, 0, 6, odd, 1), remove(512, odd)]) {
      const bytes = toPacket(request, 1);
      deepEqual(bytes.subarray(-odd.length), odd);
    }
  });

  it('can be written in place, tuple by tuple', () => {
    const head = insertHead(70_000);
    const tuple = pack(TUPLE);
    const out = Buffer.alloc(5 + PREFIX_BYTES + head.length + tuple.length, 0xff);
    writePrefix(out, 5, 2, 0xfffffffe, head.length + tuple.length);
    head.copy(out, 5 + PREFIX_BYTES);
    tuple.copy(out, 5 + PREFIX_BYTES + head.length);
    deepEqual(out.subarray(5), toPacket(store(2, 70_000, tuple), 0xfffffffe));
    equal(out.subarray(0, 5).toString('hex'), 'ffffffffff');
  });
});

describe('storePackets', () => {
  const rows = [[], [1], [2, 'x'.repeat(300)], [3, null], ['y'.repeat(70_000)], [5]].map(pack);
  const bytes = Buffer.concat(rows);
  const offsets = Uint32Array.from(
    [...rows, 0].keys(),
    (i) => Buffer.concat(rows.slice(0, i)).length,
  );

  for (const [type, spaceId] of [
    [2, 0],
    [2, 512],
    [3, 512],
    [2, 70_000],
  ] as const) {
    it(`writes a request of type ${type} to ${spaceId} for each of any tuples in a row`, () => {
      for (let first = 0; first <= rows.length; first++) {
        for (let end = first; end <= rows.length; end++) {
          const expected = Buffer.concat(
            rows
              .slice(first, end)
              .map((row, i) => toPacket(store(type, spaceId, row), 0xffffff00 + i)),
          );
          for (const room of [0, -1, 1].map((more) => Math.max(0, expected.length + more))) {
            const memory = Buffer.alloc(room, 0xff);
            const tuples = { type, spaceId, bytes, offsets };
            const packets = storePackets(tuples, first, end, 0xffffff00, memory);
            ok(packets.equals(expected), `from ${first} to ${end}`);
            const isUsed = packets.buffer === memory.buffer;
            equal(isUsed, room >= expected.length);
            ok(memory.subarray(isUsed ? expected.length : 0).every((byte) => byte === 0xff));
          }
        }
      }
      ok(bytes.equals(Buffer.concat(rows)));
    });
  }
});
