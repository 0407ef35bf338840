import type { Vclock } from '../archive/manifest.js';
import { TntarError } from '../errors.js';
import type { Connection } from '../iproto/connection.js';
import { Key, RequestType } from '../iproto/constants.js';
import {
  bodyDecoded,
  isError,
  LENGTH_BYTES,
  type Packet,
  PacketSplitter,
  packetLength,
  readPacket,
  replyError,
} from '../iproto/packets.js';
import { bare, toPacket } from '../iproto/requests.js';
import { headerSize, readUint } from '../tuple/msgpack.js';
import { toVclock } from './status.js';

/** Rows of one space of a read view, or the vclock at one of its ends. */
export type ReadViewItem =
  | { kind: 'vclock'; vclock: Vclock }
  | { kind: 'rows'; spaceId: number; count: number; bytes: Buffer };

const DOING = 'read the snapshot';

function broken(what: string): TntarError {
  return new TntarError('failure', `${DOING}: protocol error: ${what}`);
}

/** Where space id and tuple stand in a row: its body is `{SPACE_ID: id, TUPLE: tuple}`. */
function rowAt({ buf, body, end }: Packet): { spaceId: number; tuple: number } {
  if (body + 4 >= end || buf[body] !== 0x82 || buf[body + 1] !== Key.SPACE_ID) {
    throw broken('a row without a space');
  }
  const spaceId = readUint(buf, body + 2);
  const key = body + 2 + headerSize(buf, body + 2) + uintBytes(buf[body + 2]!);
  if (buf[key] !== Key.TUPLE) throw broken('a row without a tuple');
  return { spaceId, tuple: key + 1 };
}

/** Bytes behind the code of an unsigned integer. */
function uintBytes(code: number): number {
  return code <= 0x7f ? 0 : 1 << (code - 0xcc);
}

/** Moves the tuples of a block together, in place, and cuts them by space. */
function* blockItems(block: Buffer): Generator<ReadViewItem> {
  let pos = 0;
  let spaceId = -1;
  let count = 0;
  let start = 0;
  let written = 0;
  while (pos < block.length) {
    const body = pos + LENGTH_BYTES;
    pos = body + packetLength(block, pos);
    const packet = readPacket(block, body, pos);
    const isRow = packet.type === RequestType.INSERT;
    const row = isRow ? rowAt(packet) : undefined;
    if (count > 0 && row?.spaceId !== spaceId) {
      yield { kind: 'rows', spaceId, count, bytes: block.subarray(start, written) };
      start = written;
      count = 0;
    }
    if (row === undefined) {
      if (isError(packet)) throw replyError(packet, DOING);
      if (packet.type !== RequestType.OK) throw broken(`a packet of type ${packet.type}`);
      yield { kind: 'vclock', vclock: toVclock(bodyDecoded(packet, Key.VCLOCK)) };
    } else {
      block.copyWithin(written, row.tuple, pos);
      written += pos - row.tuple;
      spaceId = row.spaceId;
      count++;
    }
  }
  if (count > 0) yield { kind: 'rows', spaceId, count, bytes: block.subarray(start, written) };
}

/**
 * The server's read view, over the connection: one cut of all spaces but local and temporary ones,
 * while writes go on. First comes the vclock of the cut, last the vclock at the end; after it the
 * connection takes requests again. A reader that stops before has to close the connection.
 *
 * Source: `box_process_fetch_snapshot()` in the server's `src/box/box.cc`.
 *
 * @throws TntarError of kind `access` where the user may not read the universe; with a `serverCode`
 * also where the server has no read view to give (`wal_mode = 'none'`)
 */
export async function* readView(connection: Connection): AsyncGenerator<ReadViewItem> {
  const chunks = connection.chunks(true);
  const splitter = new PacketSplitter();
  connection.write(toPacket(bare(RequestType.FETCH_SNAPSHOT), connection.nextSync()));
  let vclocks = 0;
  for await (const chunk of chunks) {
    const block = splitter.push(chunk);
    if (block === undefined) continue;
    for (const item of blockItems(block)) {
      if (item.kind === 'vclock') vclocks++;
      yield item;
    }
    if (vclocks === 2) return;
  }
}
