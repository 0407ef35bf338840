import type { Value } from '../tuple/codec.js';
import { bodyDecoded } from './bodies.js';
import { Key } from './constants.js';
import { broken, type Packet } from './packets.js';

/** Tells whether a value is a table with names as its keys. */
function isTable(value: Value | undefined): value is Record<string, Value> {
  return value !== null && value?.constructor === Object;
}

/**
 * The values that an expression returned. A server may return anything, so each is checked before it is used.
 *
 * @throws TntarError of kind `failure`, from each method, where the value is of another type
 * @example
 * const reply = await connection.request(evaluate('return {1, 2}, 3'), 'ask for numbers');
 * const returned = Returned.by(reply);
 * returned.list(0).numbers(); // [1, 2]
 * returned.number(1); // 3
 */
export class Returned {
  private constructor(private readonly values: readonly Value[]) {}

  /** Decodes the reply to an expression. */
  static by(reply: Packet): Returned {
    return Returned.#within(bodyDecoded(reply, Key.DATA));
  }

  static #within(value: Value | undefined): Returned {
    if (Array.isArray(value)) return new Returned(value);
    throw broken('a reply without a list');
  }

  /** False if the value is nil, or missing. */
  has(i: number): boolean {
    return this.values[i] !== undefined && this.values[i] !== null;
  }

  number(i: number): number {
    const value = this.values[i];
    if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
    throw broken('a reply without a number');
  }

  /** A whole number from 0 on. */
  count(i: number): number {
    const count = this.number(i);
    if (Number.isSafeInteger(count) && count >= 0) return count;
    throw broken(`a reply that has ${count} instead of a count`);
  }

  text(i: number): string {
    const value = this.values[i];
    if (typeof value === 'string') return value;
    throw broken('a reply without a text');
  }

  list(i: number): Returned {
    return Returned.#within(this.values[i]);
  }

  /** A table with names as its keys. */
  table(i: number): Readonly<Record<string, Value>> {
    const value = this.values[i];
    if (isTable(value)) return value;
    throw broken('a reply without a table');
  }

  /** All values, which have to be lists. */
  lists(): Returned[] {
    return this.values.map((value) => Returned.#within(value));
  }

  /** All values, which have to be numbers. */
  numbers(): number[] {
    return this.values.map((_, i) => this.number(i));
  }
}
