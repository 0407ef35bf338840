import type { TntarError } from '../base/errors.js';
import { isError, replyError } from './bodies.js';
import { RequestType } from './constants.js';
import type { Packet } from './packets.js';

/** Requests that are answered when what they wrote is confirmed. */
const WRITES: readonly number[] = [
  RequestType.INSERT,
  RequestType.REPLACE,
  RequestType.DELETE,
  RequestType.UPSERT,
];

interface Waiting {
  doing: string;
  isWrite: boolean;
  resolve(packet: Packet): void;
  reject(error: TntarError): void;
}

/**
 * Requests of a connection that wait for their replies.
 *
 * @example
 * const replies = new Replies();
 * const reply = replies.expect(7, RequestType.PING, 'ping');
 * socket.write(packet);
 * forEachPacket(block, (packet) => replies.settle(packet));
 */
export class Replies {
  readonly #waiting = new Map<number, Waiting>();
  #since = 0;

  /** The time at which the first of those that wait was sent, by `performance.now()`; undefined if none waits. */
  get since(): number | undefined {
    return this.#waiting.size > 0 ? this.#since : undefined;
  }

  /** True if a write is among them. */
  get hasWrite(): boolean {
    return [...this.#waiting.values()].some(({ isWrite }) => isWrite);
  }

  /** True if a request waits for the reply with this number. */
  has(sync: number): boolean {
    return this.#waiting.has(sync);
  }

  /**
   * @param type - of the request
   * @param doing - stands before the server's text where it answers with an error
   */
  expect(sync: number, type: number, doing: string): Promise<Packet> {
    if (this.#waiting.size === 0) this.#since = performance.now();
    return new Promise((resolve, reject) => {
      this.#waiting.set(sync, { doing, isWrite: WRITES.includes(type), resolve, reject });
    });
  }

  /** @returns false for a packet that no request waits for */
  settle(packet: Packet): boolean {
    const waiting = this.#waiting.get(packet.sync);
    if (waiting === undefined) return false;
    this.#waiting.delete(packet.sync);
    if (isError(packet)) waiting.reject(replyError(packet, waiting.doing));
    else waiting.resolve(packet);
    return true;
  }

  fail(error: TntarError): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(error);
  }
}
