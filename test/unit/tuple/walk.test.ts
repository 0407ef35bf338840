import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { countInTurns, countTuples } from '../../../lib/backup/batch.js';
import { INCOMPLETE, skip, skipTuple } from '../../../lib/tuple/msgpack.js';
import {
  Arriving,
  inOneTurn,
  isShort,
  TURN_VALUES,
  UNFINISHED,
  Walker,
} from '../../../lib/tuple/walk.js';

import { type Plain, pack } from '../../support/msgpack.js';

/** Runs all the work, and counts how often it could be interrupted. */
function finish<T>(work: Generator<void, T>): { value: T; pauses: number } {
  for (let pauses = 0; ; pauses++) {
    const { done, value } = work.next();
    if (done === true) return { value, pauses };
  }
}

function* over(walker: Walker, buf: Buffer, offset = 0): Generator<void, number> {
  const end = walker.begin(buf, offset, buf.length);
  return end === UNFINISHED ? yield* walker.rest() : end;
}

/** Returns an array of empty maps. */
function manyMaps(count: number): Buffer {
  const row = Buffer.alloc(5 + count, 0x80);
  row[0] = 0xdd;
  row.writeUInt32BE(count, 1);
  return row;
}

describe('a walk over values in turns', () => {
  it('ends where a walk in one turn ends, for any bytes', () => {
    const heads = fc.constantFrom(
      0x91,
      0x82,
      0xc1,
      0xc4,
      0xc7,
      0xcf,
      0xd9,
      0xdb,
      0xdc,
      0xdf,
      0xa1,
      1,
    );
    const bytes = fc.array(fc.oneof(heads, fc.nat(255), fc.constant(0)), { maxLength: 40 });
    fc.assert(
      fc.property(bytes, fc.nat(3), (list, offset) => {
        const buf = Buffer.from(list);
        for (const most of [1, 2, TURN_VALUES]) {
          const { value } = finish(over(new Walker(most), buf, offset));
          equal(value, skip(buf, offset, buf.length));
        }
        const tuple = new Walker().beginTuple(buf, offset, buf.length);
        equal(tuple, skipTuple(buf, offset, buf.length));
      }),
      { numRuns: 2000, seed: 15 },
    );
  });

  it('pauses after a number of values, inside of one and over several', () => {
    const one = manyMaps(3 * TURN_VALUES);
    deepEqual(finish(over(new Walker(), one)), { value: one.length, pauses: 3 });
    const walker = new Walker();
    const half = manyMaps(TURN_VALUES / 2);
    const pauses = [1, 2, 3, 4].map(() => finish(over(walker, half)).pauses);
    equal(
      pauses.reduce((sum, each) => sum + each),
      2,
    );
  });

  it('also pauses among small values', () => {
    const walker = new Walker(10);
    const values = Buffer.alloc(100, 1);
    let pauses = 0;
    for (let pos = 0; pos < 100; pos++) pauses += finish(over(walker, values, pos)).pauses;
    equal(pauses, 9);
  });

  it('ends at the same place while the bytes arrive, wherever they are cut and moved', () => {
    const values = fc.oneof(
      fc.integer(),
      fc.string({ maxLength: 300 }),
      fc.array(fc.array(fc.nat(9)), { maxLength: 20 }),
      fc.dictionary(fc.string(), fc.nat(), { maxKeys: 20 }),
    );
    fc.assert(
      fc.property(values, fc.array(fc.nat(60), { maxLength: 30 }), (value, cuts) => {
        const bytes = pack(value as Plain);
        const arriving = new Arriving();
        let filled = 0;
        for (const cut of cuts) {
          filled = Math.min(filled + cut, bytes.length - 1);
          const moved = Buffer.concat([Buffer.alloc(cut, 0xc1), bytes.subarray(0, filled)]);
          equal(arriving.walk(moved, cut, moved.length), INCOMPLETE);
        }
        equal(arriving.walk(bytes, 0, bytes.length), bytes.length);
      }),
      { numRuns: 1000, seed: 15 },
    );
    equal(new Arriving().walk(Buffer.of(0x91, 0xc1), 0, 2), skip(Buffer.of(0x91, 0xc1), 0, 2));
  });

  it('stops if one turn is not enough', () => {
    equal(inOneTurn(over(new Walker(), manyMaps(1000))), 1005);
    equal(inOneTurn(over(new Walker(), manyMaps(2 * TURN_VALUES))), undefined);
  });

  it('is not needed for a short value', () => {
    equal(isShort(manyMaps(1000), 0), true);
    equal(isShort(manyMaps(1024), 0), false);
  });

  it('counts tuples, and finds the largest', () => {
    const bytes = Buffer.concat([manyMaps(2 * TURN_VALUES), Buffer.of(0x91, 1), Buffer.of(0x90)]);
    const { value, pauses } = finish(countInTurns(bytes));
    deepEqual(value, { count: 3, largest: 5 + 2 * TURN_VALUES });
    ok(pauses >= 2);
    const rest = manyMaps(100);
    for (const cut of [1, 50]) {
      const bad = Buffer.concat([rest, rest.subarray(0, cut)]);
      deepEqual(finish(countInTurns(bad)).value, countTuples(bad));
    }
  });
});
