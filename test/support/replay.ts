import type { Socket } from 'node:net';
import { type Peer, startPeer } from './proxy.js';
import { PacketCutter, type RecordedPacket, type Recording, syncOf } from './recording.js';

/** A server that says what was recorded. */
export interface Replay extends Peer {
  /** What the clients have said otherwise than they did, or not at all; empty where all is as it was. */
  problems(): string[];
}

/** Cuts what the server says into the pieces in which it is sent. */
export type Cut = (bytes: Buffer) => Iterable<Buffer>;

/** Lets the other side, if it is in this process, see what was written so far. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The server's side of one connection. */
class Conversation {
  readonly #number: number;
  readonly #expected: readonly Buffer[];
  readonly #replies: Buffer[];
  /** Numbers of requests that are recorded and did not come yet. */
  readonly #open: Set<number | undefined>;
  readonly #cut: Cut;
  #received = 0;
  #socket: Socket | undefined;
  #isSending = false;
  problem: string | undefined;

  constructor(number: number, packets: readonly RecordedPacket[], cut: Cut) {
    const said = (by: RecordedPacket['from']): Buffer[] =>
      packets.filter(({ from }) => from === by).map(({ bytes }) => bytes);
    this.#number = number;
    this.#expected = said('client');
    this.#replies = said('server');
    this.#open = new Set(this.#expected.map(syncOf));
    this.#cut = cut;
  }

  get isDone(): boolean {
    return this.#received === this.#expected.length;
  }

  /** E.g. `request 3 of connection 1`. */
  get position(): string {
    return `request ${this.#received + 1} of connection ${this.#number}`;
  }

  serve(socket: Socket): void {
    this.#socket = socket.setNoDelay(true);
    const cutter = new PacketCutter('client');
    socket.on('data', (chunk: Buffer) => {
      for (const packet of cutter.push(chunk)) this.#take(packet);
      void this.#send();
    });
    void this.#send();
  }

  #take(packet: Buffer): void {
    const expected = this.#expected[this.#received];
    if (!expected?.equals(packet)) {
      const recorded = expected?.toString('hex') ?? 'nothing';
      this.problem ??= `${this.position}: ${recorded} was recorded, ${packet.toString('hex')} came`;
      this.#socket?.destroy();
      return;
    }
    this.#open.delete(syncOf(packet));
    this.#received++;
  }

  /** Replies go out in their order, each as soon as its request is there. */
  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    for (let ready = this.#ready(); ready.length > 0; ready = this.#ready()) {
      for (const piece of this.#cut(ready)) {
        if (this.#socket?.destroyed) return; // the client has heard enough
        this.#socket?.write(piece);
        await turn();
      }
    }
    this.#isSending = false;
  }

  /** Takes the replies that may go out now, back to back. */
  #ready(): Buffer {
    const waiting = this.#replies.findIndex((reply) => this.#open.has(syncOf(reply)));
    const count = waiting < 0 ? this.#replies.length : waiting;
    return Buffer.concat(this.#replies.splice(0, count));
  }
}

/**
 * Listens like the server of a recording, and answers each request as that did, provided that it is
 * the recorded one to the byte: numbers count up, and a login follows from the salt of the greeting.
 */
export async function startReplay(
  recording: Recording,
  cut: Cut = (bytes) => [bytes],
): Promise<Replay> {
  const count = Math.max(0, ...recording.packets.map(({ connection }) => connection));
  const conversations = Array.from({ length: count }, (_, i) => {
    const packets = recording.packets.filter(({ connection }) => connection === i + 1);
    return new Conversation(i + 1, packets, cut);
  });
  let connections = 0;
  const peer = await startPeer((socket) => {
    const conversation = conversations[connections++];
    if (conversation === undefined) socket.destroy();
    else conversation.serve(socket);
  });
  return Object.assign(peer, {
    problems(): string[] {
      const problems = conversations
        .filter(({ problem, isDone }) => problem !== undefined || !isDone)
        .map(({ problem, position }) => problem ?? `${position} did not come`);
      if (connections > count) problems.push(`${connections - count} connections too many`);
      return problems;
    },
  });
}
