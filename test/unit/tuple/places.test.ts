import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import fc from 'fast-check';
import { splitFields } from '../../../lib/tuple/fields.js';
import { placesInTurns } from '../../../lib/tuple/places.js';
import { Tuple } from '../../../lib/tuple/tuple.js';
import { atOnce } from '../../../lib/tuple/walk.js';
import { type Plain, pack } from '../../support/msgpack.js';

const NAMES = new Map([['id', 0]]);
const field = fc.oneof(
  fc.integer(),
  fc.string(),
  fc.array(fc.nat(9), { maxLength: 20 }),
  fc.constant(null),
);

/** Returns the same tuple twice: one that walks, and one with known offsets of fields. */
function both(fields: readonly Plain[]): [Tuple, Tuple] {
  const raw = pack(fields);
  return [new Tuple(raw, NAMES), new Tuple(raw, NAMES, atOnce(placesInTurns(raw)))];
}

describe('the places of the fields of a tuple', () => {
  it('are those of a walk, also after changes', () => {
    const change = fc.record({ at: fc.nat(20), value: field });
    fc.assert(
      fc.property(
        fc.array(field, { minLength: 1, maxLength: 20 }),
        fc.array(change, { maxLength: 5 }),
        (fields, changes) => {
          let [walked, told] = both(fields as Plain[]);
          for (const { at, value } of changes) {
            const position = Math.min(at, walked.length);
            [walked, told] = [walked.set(position, value), told.set(position, value)];
          }
          ok(walked.raw.equals(told.raw));
          for (let i = 0; i <= walked.length; i++) {
            deepEqual(told.field(i)?.raw, walked.field(i)?.raw);
          }
          deepEqual(told.toArray(), walked.toArray());
          deepEqual(told.update([['!', 0, 1]]).raw, walked.update([['!', 0, 1]]).raw);
        },
      ),
      { numRuns: 100, seed: 15 },
    );
  });

  it('are right for late fields of a tuple of many, before and after a large one', () => {
    const fields: Plain[] = Array.from({ length: 120_000 }, (_, i) => i % 100);
    fields[110_000] = 'x'.repeat(10_000);
    const [walked, told] = both(fields);
    for (const i of [0, 99_999, 100_000, 109_999, 110_000, 110_001, 119_999]) {
      deepEqual(told.field(i)?.raw, walked.field(i)?.raw);
    }
    equal(told.set(110_000, 'short').get(119_999), 99);
  });

  it('are found in turns', () => {
    const raw = Buffer.concat([Buffer.of(0x92, 0xdd, 0, 0x30, 0, 0), Buffer.alloc(0x300000, 1)]);
    const whole = Buffer.concat([raw, Buffer.of(7)]);
    let turns = 0;
    const work = placesInTurns(whole);
    for (let step = work.next(); ; step = work.next(), turns++) {
      if (step.done !== true) continue;
      deepEqual([step.value(0), step.value(1)], [1, whole.length - 1]);
      break;
    }
    ok(turns >= 2, `${turns}`);
  });

  it('do not allow an update of a tuple with too many fields', () => {
    const count = 250_001;
    const raw = Buffer.concat([Buffer.of(0xdd, 0, 3, 0xd0, 0x91), Buffer.alloc(count, 1)]);
    equal(splitFields(raw).length, count);
    throws(() => new Tuple(raw).update([['=', 0, 2]]), {
      message: 'an update takes up to 250,000 fields, and the tuple has 250,001',
      hint: /tuple\.set\(\)/,
    });
    equal(new Tuple(raw).set(0, 2).get(0), 2);
  });
});
