import { equal, match, notEqual, ok } from 'node:assert/strict';
import { isSameValue, typedText } from '../../../lib/diff/typed.js';
import { coded } from '../../support/msgpack.js';

/** More members than a text shows. */
const COUNT = 6000;

const array = (member: (i: number) => Buffer): Buffer =>
  Buffer.concat([coded(0xdd, 4, COUNT), ...Array.from({ length: COUNT }, (_, i) => member(i))]);

/** Returns a map from numbers to themselves, in the given order. */
const map = (keys: readonly number[]): Buffer =>
  Buffer.concat([
    coded(0xdf, 4, keys.length),
    ...keys.flatMap((key) => [coded(0xce, 4, key), coded(0xce, 4, key)]),
  ]);

const KEYS = Array.from({ length: COUNT }, (_, i) => i);

describe('long values of definitions', () => {
  it('are shown by their size and a hash', () => {
    match(typedText(array(() => Buffer.of(1))), /^array\(6000 members, [0-9a-f]{64}\)$/);
    match(typedText(map(KEYS)), /^map\(6000 pairs, [0-9a-f]{64}\)$/);
  });

  it('are equal in another encoding', () => {
    const short = array(() => Buffer.of(1));
    ok(
      isSameValue(
        short,
        array(() => coded(0xcf, 8, 1n)),
      ),
    );
    ok(isSameValue(Buffer.of(0x91, 1), Buffer.concat([coded(0xdd, 4, 1), coded(0xce, 4, 1)])));
  });

  it('are equal if a map has its pairs in another order', () => {
    ok(isSameValue(map(KEYS), map([...KEYS].reverse())));
  });

  it('differ if one member or one pair differs', () => {
    for (const at of [0, COUNT / 2, COUNT - 1]) {
      const other = array((i) => Buffer.of(i === at ? 2 : 1));
      equal(
        isSameValue(
          array(() => Buffer.of(1)),
          other,
        ),
        false,
      );
      notEqual(typedText(map(KEYS)), typedText(map(KEYS.map((key) => (key === at ? COUNT : key)))));
    }
  });

  it('differ if the long value is inside of another value', () => {
    const within = (last: number): Buffer =>
      Buffer.concat([Buffer.of(0x92, 1), array((i) => Buffer.of(i === COUNT - 1 ? last : 1))]);
    ok(isSameValue(within(1), within(1)));
    equal(isSameValue(within(1), within(2)), false);
  });
});
