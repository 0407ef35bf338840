import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { bodyDecoded, bodyValue, isError, replyError } from '../../../lib/iproto/bodies.js';
import { MAX_PACKET_BYTES } from '../../../lib/iproto/constants.js';
import {
  forEachPacket,
  type Packet,
  PacketSplitter,
  packetLength,
  readPacket,
} from '../../../lib/iproto/packets.js';
import { bin, coded, type Plain, pack } from '../../support/msgpack.js';
import { chunksOf } from './cutting.js';
import { errorPacket, packet, rowsPacket } from './fake-server.js';

const PACKETS = [
  packet(0, 1, new Map()),
  packet(0, 2),
  rowsPacket(3, [[1, 'one'], [2]]),
  errorPacket(4, 42, 'Read access to space is denied'),
  packet(
    2,
    5,
    new Map<Plain, Plain>([
      [0x10, 512],
      [0x21, [1, 'x'.repeat(300)]],
    ]),
  ),
  packet(0, 6, new Map([[0x26, new Map([[1, 42]])]])),
];
const STREAM = Buffer.concat(PACKETS);

/** Cuts a stream into packets, by their lengths alone. */
function cutUp(block: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  for (let pos = 0; pos < block.length; ) {
    const next = pos + 5 + block.readUInt32BE(pos + 1);
    ok(next <= block.length, 'a block ends inside of a packet');
    packets.push(block.subarray(pos, next));
    pos = next;
  }
  return packets;
}

/** The packets that a splitter makes of chunks, each in memory of its own. */
function split(chunks: Iterable<Buffer>): Buffer[] {
  const splitter = new PacketSplitter();
  const packets: Buffer[] = [];
  for (const chunk of chunks) {
    const given = Buffer.from(chunk);
    splitter.push(given, (block) => {
      ok(block.length > 0);
      packets.push(...cutUp(block).map((each) => Buffer.from(each)));
      block.fill(0xff); // its receiver may write to it
    });
    given.fill(0xff); // it was valid during the call only
  }
  ok(splitter.atBoundary);
  return packets;
}

/** The blocks that come of one more chunk, as they are. */
function blocksOf(splitter: PacketSplitter, chunk: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  splitter.push(chunk, (block) => blocks.push(block));
  return blocks;
}

/** Asserts that `block` is a view into `chunk`. */
function isPart(block: Buffer | undefined, chunk: Buffer, start: number, end = chunk.length): void {
  equal(block?.buffer, chunk.buffer);
  deepEqual([block?.byteOffset, block?.length], [chunk.byteOffset + start, end - start]);
}

describe('PacketSplitter', () => {
  it('gives the same packets for every split of a stream into chunks', () => {
    for (let size = 1; size <= STREAM.length; size++) {
      deepEqual(split(chunksOf(STREAM, size)), PACKETS, `chunks of ${size}`);
    }
  });

  it('gives the same packets for a stream that is split once, at every byte', () => {
    for (let cut = 0; cut <= STREAM.length; cut++) {
      deepEqual(split([STREAM.subarray(0, cut), STREAM.subarray(cut)]), PACKETS, `cut at ${cut}`);
    }
  });

  it('takes empty chunks', () => {
    const empty = Buffer.alloc(0);
    deepEqual(split([empty, STREAM.subarray(0, 3), empty, STREAM.subarray(3), empty]), PACKETS);
  });

  it('hands out packets as soon as they are whole', () => {
    const splitter = new PacketSplitter();
    const cut = PACKETS[0]!.length - 1;
    deepEqual(blocksOf(splitter, STREAM.subarray(0, cut)), []);
    equal(splitter.atBoundary, false);
    deepEqual(Buffer.concat(blocksOf(splitter, STREAM.subarray(cut))), STREAM);
    equal(splitter.atBoundary, true);
  });

  it('hands out the whole packets of a chunk as they are, without a copy', () => {
    for (const rest of [0, 1, 5, 20]) {
      const chunk = Buffer.concat([STREAM, PACKETS[4]!.subarray(0, rest)]);
      const [block, ...more] = blocksOf(new PacketSplitter(), chunk);
      isPart(block, chunk, 0, STREAM.length);
      equal(more.length, 0);
    }
  });

  it('completes a split packet with its missing bytes, and copies none of the packets after it', () => {
    const first = PACKETS[0]!.length;
    for (let cut = 1; cut < first; cut++) {
      const splitter = new PacketSplitter();
      deepEqual(blocksOf(splitter, STREAM.subarray(0, cut)), []);
      const chunk = STREAM.subarray(cut);
      const [completed, behind, ...more] = blocksOf(splitter, chunk);
      deepEqual(completed, PACKETS[0]);
      isPart(behind, chunk, first - cut);
      equal(more.length, 0);
    }
  });

  it('gathers packets of any size from many chunks, between small ones', () => {
    const small = [PACKETS[0]!, PACKETS[2]!];
    const frame = rowsPacket(7, [['x'.repeat(70_000)]]).length - 70_000;
    // at 16 KiB the memory for a cut packet has to grow for the first time
    for (const bytes of [16_383, 16_384, 16_385, 16_386, 3_000_000]) {
      const large = rowsPacket(7, [[bin(Buffer.alloc(bytes - frame))]]);
      equal(large.length, bytes);
      const stream = [small[0]!, large, small[1]!, large, small[0]!];
      for (const size of [1000, 16_384]) {
        deepEqual(split(chunksOf(Buffer.concat(stream), size)), stream);
      }
    }
  });

  it('hands out the complete packets before invalid bytes', () => {
    const splitter = new PacketSplitter();
    const seen: Buffer[] = [];
    const push = () =>
      splitter.push(Buffer.concat([STREAM, Buffer.alloc(5)]), (block) => seen.push(block));
    throws(push, { message: /^protocol error: a packet starts with byte 0x0/ });
    deepEqual(Buffer.concat(seen), STREAM);
  });

  it('refuses a length over the limit as soon as it is read', () => {
    for (const [length, refused] of [
      [0xffffffff, true],
      [MAX_PACKET_BYTES + 1, true],
      [MAX_PACKET_BYTES, false],
    ] as const) {
      const splitter = new PacketSplitter();
      const push = () => {
        for (const chunk of chunksOf(coded(0xce, 4, length), 2)) blocksOf(splitter, chunk);
      };
      const message = `protocol error: a packet of ${length} bytes is over the limit of ${MAX_PACKET_BYTES}`;
      if (refused) throws(push, { kind: 'failure', message });
      else push();
    }
  });

  it('refuses bytes that do not start with a length', () => {
    for (const start of ['HTTP/1.1 400 Bad Request', '\x05\0\0\0\0', '\xcd\0\x01\0\0']) {
      throws(() => split([Buffer.from(start, 'latin1')]), {
        kind: 'failure',
        message: /^protocol error: a packet starts with byte 0x(48|5|cd), not with its length$/,
      });
    }
  });

  it('refuses such bytes after a complete packet', () => {
    throws(() => split([PACKETS[0]!, Buffer.from('HTTP/1.1')]), /0x48/);
    throws(() => split([Buffer.concat([PACKETS[0]!, Buffer.from('HTTP/1.1')])]), /0x48/);
    throws(() => split(chunksOf(Buffer.concat([PACKETS[0]!, Buffer.from('HTTP/1.1')]), 3)), /0x48/);
  });
});

describe('packetLength', () => {
  it('reads a uint32 at any offset, up to the limit of the caller', () => {
    const bytes = Buffer.concat([Buffer.alloc(3), coded(0xce, 4, 0xffffffff)]);
    equal(packetLength(bytes, 3, 0xffffffff), 0xffffffff);
    throws(() => packetLength(bytes, 3, 0xfffffffe), /over the limit of 4294967294/);
  });
});

function read(header: Buffer, body: Buffer = Buffer.alloc(0)): Packet {
  const bytes = Buffer.concat([Buffer.of(0xc1), header, body, Buffer.of(0xc1)]);
  return readPacket(bytes, 1, bytes.length - 1);
}

describe('readPacket', () => {
  it('reads the header in any order, with any form of integer', () => {
    for (const header of [
      pack(
        new Map([
          [0, 0x8001],
          [1, 7],
          [5, 80],
        ]),
      ),
      pack(
        new Map([
          [5, 80],
          [1, 7],
          [0, 0x8001],
        ]),
      ),
      pack(
        new Map<Plain, Plain>([
          [0, coded(0xce, 4, 0x8001)],
          [1, coded(0xcf, 8, 7)],
          [5, 80],
        ]),
      ),
      pack(
        new Map<Plain, Plain>([
          [coded(0xcf, 8, 0), 0x8001],
          [1, 7],
          [5, 80],
          [9, [{ a: 'b' }]],
        ]),
      ),
      Buffer.concat([coded(0xde, 2, 3), ...[0, 0x8001, 1, 7, 5, 80].map(pack)]),
      Buffer.concat([coded(0xdf, 4, 3), ...[0, 0x8001, 1, 7, 5, 80].map(pack)]),
    ]) {
      const { type, sync, schemaVersion, body, end } = read(header, pack({}));
      deepEqual({ type, sync, schemaVersion }, { type: 0x8001, sync: 7, schemaVersion: 80 });
      deepEqual([body, end], [1 + header.length, 2 + header.length]);
    }
  });

  it('has no body if the packet has none', () => {
    const { body, end } = read(pack(new Map([[0, 0]])));
    equal(body, end);
  });

  it('takes zero for numbers that a header leaves out', () => {
    const { type, sync, schemaVersion } = read(pack({}));
    deepEqual([type, sync, schemaVersion], [0, 0, 0]);
  });

  it('refuses a header that is cut, at every byte', () => {
    for (const header of [
      pack(
        new Map<Plain, Plain>([
          [0, 0x8001],
          [1, coded(0xcf, 8, 7)],
          [9, ['text']],
        ]),
      ),
      Buffer.concat([coded(0xde, 2, 1), ...[1, 7].map(pack)]),
      Buffer.concat([coded(0xdf, 4, 1), ...[1, 7].map(pack)]),
    ]) {
      for (const cut of header.keys()) {
        throws(
          () => read(header.subarray(0, cut)),
          { kind: 'failure', message: /^protocol error: a packet (without a|whose) header/ },
          `${header.toString('hex')} cut at ${cut}`,
        );
      }
    }
  });

  for (const [title, header] of [
    ['is no map', pack([0, 0])],
    ['is nil', pack(null)],
    ['has an unused code', Buffer.of(0x81, 0x00, 0xc1)],
    ['claims 2^32 - 1 keys', coded(0xdf, 4, -1)],
    ['has a text as type', pack(new Map([[0, 'OK']]))],
    ['has a negative type', pack(new Map([[0, -1]]))],
    [
      'has a text as number',
      pack(
        new Map<Plain, Plain>([
          [0, 0],
          [1, 'x'],
        ]),
      ),
    ],
  ] as [string, Buffer][]) {
    it(`refuses a header that ${title}`, () => {
      throws(() => read(header), { kind: 'failure', message: /^protocol error: / });
    });
  }

  it('reads each packet of a block', () => {
    const seen: [number, number, number][] = [];
    forEachPacket(STREAM, ({ type, sync, schemaVersion }) =>
      seen.push([type, sync, schemaVersion]),
    );
    deepEqual(seen, [
      [0, 1, 80],
      [0, 2, 80],
      [0, 3, 80],
      [0x802a, 4, 80],
      [2, 5, 80],
      [0, 6, 80],
    ]);
  });
});

describe('bodyValue', () => {
  const HEADER = pack(new Map([[0, 0]]));
  const body = new Map<Plain, Plain>([
    [0x10, 512],
    [coded(0xcd, 2, 0x21), [1, { a: 'b' }]],
    ['text', 1],
    [0x30, [[1], [2]]],
  ]);
  const withBody = read(HEADER, pack(body));

  it('finds values by key, as views', () => {
    deepEqual(bodyValue(withBody, 0x10), pack(512));
    deepEqual(bodyValue(withBody, 0x21), pack([1, { a: 'b' }]));
    deepEqual(bodyValue(withBody, 0x30), pack([[1], [2]]));
    equal(bodyValue(withBody, 0x30)?.buffer, withBody.buf.buffer);
    deepEqual(bodyDecoded(withBody, 0x30), [[1], [2]]);
  });

  it('finds nothing in an empty body or without the key', () => {
    for (const packet of [
      withBody,
      read(HEADER),
      read(HEADER, pack({})),
      read(HEADER, pack([1])),
    ]) {
      equal(bodyValue(packet, 0x31), undefined);
      equal(bodyDecoded(packet, 0x31), null);
    }
  });

  it('refuses a body that is truncated before the requested value', () => {
    const bytes = pack(body);
    const lastValue = bytes.length - pack([[1], [2]]).length;
    for (let cut = 1; cut <= lastValue; cut++) {
      // the last value ends where the packet does: that it is empty is for its reader to see
      if (cut === lastValue) continue;
      throws(
        () => bodyValue(read(HEADER, bytes.subarray(0, cut)), 0x30),
        { kind: 'failure', message: 'protocol error: a packet whose body is cut' },
        `cut at ${cut}`,
      );
    }
  });
});

describe('bodyDecoded', () => {
  const read0x30 = (value: Buffer) =>
    bodyDecoded(read(pack(new Map([[0, 0]])), pack(new Map([[0x30, value]]))), 0x30);

  it('refuses a last value that is truncated, invalid or followed by other bytes', () => {
    for (const value of [
      Buffer.of(),
      Buffer.of(0x91),
      pack('abc').subarray(0, 2),
      Buffer.of(0xc1),
    ]) {
      throws(() => read0x30(value), { kind: 'failure', message: /body is cut$/ });
    }
    throws(() => read0x30(Buffer.of(1, 2)), { kind: 'failure', message: /body is cut$/ });
    throws(() => read0x30(coded(0xdd, 4, -1)), { kind: 'failure', message: /body is cut$/ });
  });

  it('refuses values that nest deeper than a server writes', () => {
    const nested = (levels: number) => Buffer.concat([Buffer.alloc(levels, 0x91), pack(1)]);
    ok(Array.isArray(read0x30(nested(128))));
    for (const levels of [129, 100_000]) {
      throws(() => read0x30(nested(levels)), { kind: 'failure', message: /nests too deep$/ });
    }
  });
});

describe('replyError', () => {
  for (const [code, kind] of [
    [42, 'access'],
    [45, 'access'],
    [47, 'access'],
    [3, 'failure'],
    [7, 'failure'],
    [116, 'failure'],
    [0x7fff, 'failure'],
  ] as const) {
    it(`is of kind ${kind} for the server's code ${code}, with its text and the failed action`, () => {
      const bytes = errorPacket(1, code, "no 'way'");
      const packet = readPacket(bytes, 5, bytes.length);
      ok(isError(packet));
      const { name, message, kind: got, serverCode } = replyError(packet, 'read x');
      deepEqual(
        [name, message, got, serverCode],
        ['TntarError', `read x: no 'way' (server error ${code})`, kind, code],
      );
    });
  }

  it('works without a text, and with another value in its place', () => {
    for (const body of [undefined, { 49: 1 }, new Map([[0x31, { toString: 1 }]])]) {
      const bytes = packet(0x8000, 1, body as Plain);
      const { message } = replyError(readPacket(bytes, 5, bytes.length), 'ping');
      equal(message, 'ping: no text (server error 0)');
    }
  });

  it('has no hash of a password, though the server quotes the row of a user', () => {
    const row = (hash: string): string =>
      `[32, 1, "ann", "user", {"chap-sha1": "${hash}"}, [], 1700000000]`;
    const text = `Duplicate key exists in unique index "name" in space "_user" with old tuple - ${row('b2xk')} and new tuple - ${row('bmV3')}`;
    const bytes = errorPacket(1, 3, text);
    const { message } = replyError(readPacket(bytes, 5, bytes.length), 'insert user');
    equal(message.match(/"chap-sha1": "\*\*\*"/g)?.length, 2);
    equal(/b2xk|bmV3/.test(message), false);
  });

  it('is not found in replies without an error', () => {
    for (const type of [0, 1, 2, 68, 0x7fff])
      equal(isError(read(pack(new Map([[0, type]])))), false);
  });
});
