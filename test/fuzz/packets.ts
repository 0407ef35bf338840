import { deepEqual, ok } from 'node:assert/strict';
import { TntarError } from '../../lib/base/errors.js';
import { Pool } from '../../lib/base/memory.js';
import { bodyDecoded, bodyValue, isError, replyError } from '../../lib/iproto/bodies.js';
import { Key } from '../../lib/iproto/constants.js';
import { parseGreeting } from '../../lib/iproto/greeting.js';
import { forEachPacket, type Packet, PacketSplitter } from '../../lib/iproto/packets.js';
import { RowsReader } from '../../lib/iproto/select-reader.js';
import { chunksOf } from '../unit/iproto/cutting.js';

/** The message of the error that ends `read`, which has to be ours; undefined where none does. */
function refusal(read: () => void): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    ok(error instanceof TntarError, error as Error);
    return error.message;
  }
}

function look(packet: Packet): void {
  ok(packet.body <= packet.end);
  for (const key of [Key.DATA, Key.VCLOCK]) {
    refusal(() => bodyValue(packet, key));
    refusal(() => bodyDecoded(packet, key));
  }
  if (isError(packet)) refusal(() => replyError(packet, 'ask'));
}

interface Outcome {
  packets: Buffer[];
  refused: string | undefined;
}

function read(chunks: Iterable<Buffer>): Outcome {
  const splitter = new PacketSplitter();
  const packets: Buffer[] = [];
  const refused = refusal(() => {
    for (const chunk of chunks) {
      splitter.push(Buffer.from(chunk), (block) => {
        forEachPacket(block, (packet) => {
          look(packet);
          packets.push(Buffer.from(block.subarray(packet.body, packet.end)));
        });
      });
    }
  });
  return { packets, refused };
}

function rows(chunks: Iterable<Buffer>): void {
  const reader = new RowsReader('read', new Pool(64, 2), ({ release }) => release());
  refusal(() => {
    for (const chunk of chunks) if (reader.push(chunk)) break;
    reader.flush();
  });
}

/** Reads `data` as a server says it: a byte for how it is cut into chunks, and packets. */
export function fuzz(data: Buffer): void {
  const stream = data.subarray(1);
  const size = 1 + (data[0] ?? 0);
  refusal(() => parseGreeting(stream.subarray(0, 128), 'here'));
  deepEqual(read(chunksOf(stream, size)), read([stream]));
  rows(chunksOf(stream, size));
}
