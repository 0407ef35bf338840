import { gunzipSync, gzipSync } from 'node:zlib';
import { Unpackr } from 'msgpackr';

/** One packet of a conversation, or the greeting of a server. */
export interface RecordedPacket {
  /** Counts from 1, in the order in which the client connected. */
  connection: number;
  from: 'client' | 'server';
  /** With its length in front, as it went over the wire. */
  bytes: Buffer;
}

/** All that a command and a server said to each other. */
export interface Recording {
  /** Version of the server. */
  server: string;
  /** The command's arguments, without the server's address. */
  args: string[];
  /** As whom it logged in, and with which password. */
  login: string;
  /** The command's exit code. */
  code: number;
  packets: RecordedPacket[];
}

/** A recording as a file; README.md beside the files tells of the format. */
export function encodeRecording({ packets, ...head }: Recording): Buffer {
  const lines = packets.map(({ bytes, ...line }) => ({ ...line, hex: bytes.toString('hex') }));
  const text = [head, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('');
  return gzipSync(text, { level: 9 });
}

export function decodeRecording(file: Buffer): Recording {
  const [head, ...lines] = String(gunzipSync(file)).trimEnd().split('\n');
  const packets = lines.map((line) => {
    const { hex, ...packet } = JSON.parse(line) as Omit<RecordedPacket, 'bytes'> & { hex: string };
    return { ...packet, bytes: Buffer.from(hex, 'hex') };
  });
  return { ...(JSON.parse(head ?? '') as Omit<Recording, 'packets'>), packets };
}

const GREETING_BYTES = 128;
/** A length in front of each packet: 0xce and four bytes. */
const LENGTH_BYTES = 5;

/** Cuts what one side of a connection says into its packets. */
export class PacketCutter {
  #rest = Buffer.alloc(0);
  #isGreeted: boolean;

  constructor(from: RecordedPacket['from']) {
    this.#isGreeted = from === 'client'; // a client says no greeting
  }

  /** @returns the packets that are whole now */
  push(chunk: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const packets: Buffer[] = [];
    for (let size = this.#size(); size <= this.#rest.length; size = this.#size()) {
      packets.push(this.#rest.subarray(0, size));
      this.#rest = this.#rest.subarray(size);
      this.#isGreeted = true;
    }
    return packets;
  }

  #size(): number {
    if (!this.#isGreeted) return GREETING_BYTES;
    if (this.#rest.length < LENGTH_BYTES) return LENGTH_BYTES;
    if (this.#rest[0] !== 0xce) throw new Error('a packet without its length');
    return LENGTH_BYTES + this.#rest.readUInt32BE(1);
  }
}

const SYNC = 1;

/** The number by which a request and the replies to it are told; undefined for a greeting. */
export function syncOf(packet: Buffer): number | undefined {
  if (packet[0] !== 0xce) return undefined;
  let header: Map<number, unknown> = new Map();
  new Unpackr({ mapsAsObjects: false }).unpackMultiple(
    packet.subarray(LENGTH_BYTES),
    (value: Map<number, unknown>) => {
      header = value;
      return false;
    },
  );
  return Number(header.get(SYNC));
}
