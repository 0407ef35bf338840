import { deepEqual, equal, throws } from 'node:assert/strict';
import { decodeExact, encode } from '../../../lib/tuple/codec.js';
import { Double, Float, Opaque, Raw } from '../../../lib/tuple/exact-types.js';
import { float32, float64 } from '../../support/msgpack.js';

const hex = ({ raw }: { raw: Buffer }): string => raw.toString('hex');

describe('numbers of a fixed size', () => {
  for (const given of [null, undefined, 'x', '', '1', true, 1n, {}, [1]]) {
    it(`refuse ${typeof given} ${String(given)}, which would become another number`, () => {
      throws(() => new Double(given as never), TypeError);
      throws(() => new Float(given as never), TypeError);
    });
  }

  it('accept any number that they can hold', () => {
    for (const value of [0, -0, 1, 0.5, Infinity, -Infinity]) {
      equal(hex(new Double(value)), float64(value).toString('hex'));
      equal(hex(new Float(value)), float32(value).toString('hex'));
    }
    equal(new Double(Number.NaN).value, Number.NaN);
    equal(new Float(Number.NaN).value, Number.NaN);
  });

  it('do not become infinite beyond the limit of float32', () => {
    throws(() => new Float(1e39), RangeError);
    throws(() => new Float(-Number.MAX_VALUE), RangeError);
    equal(new Float(3.4028234663852886e38).value, 3.4028234663852886e38);
  });
});

describe('a value with its bytes', () => {
  const nothing = Buffer.of(0xc1);

  it('refuses bytes of another type', () => {
    const made = [
      new (Double as new (...args: unknown[]) => Double)(1, nothing),
      new (Float as new (...args: unknown[]) => Float)(1, nothing),
      new (Opaque as new (...args: unknown[]) => Opaque)(9, Buffer.of(1), nothing),
    ];
    deepEqual(made.map(hex), [float64(1).toString('hex'), float32(1).toString('hex'), 'd40901']);
  });

  it('keeps its bytes, whatever happens to their source later', () => {
    const bytes = Buffer.from([0x92, 1, 2]);
    const raw = new Raw(bytes);
    bytes.fill(0xc1);
    deepEqual(decodeExact(encode(raw)), [1, 2]);
  });

  it('is made of bytes with one whole value', () => {
    for (const given of ['\x01', [1], nothing, Buffer.of(1, 1), Buffer.alloc(0)]) {
      throws(() => new Raw(given as Buffer), TypeError);
    }
    equal(hex(new Raw(new Uint8Array([0xc0]) as Buffer)), 'c0');
  });
});
