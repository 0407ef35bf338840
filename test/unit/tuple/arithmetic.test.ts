import { equal, throws } from 'node:assert/strict';
import { calculate, splice } from '../../../lib/tuple/arithmetic.js';
import { decodeExact } from '../../../lib/tuple/codec.js';
import { Decimal } from '../../../lib/tuple/decimal.js';
import { Float } from '../../../lib/tuple/exact-types.js';
import { float32, float64, pack } from '../../support/msgpack.js';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const { fround } = Math;

describe('calculate', () => {
  // The same as on 2.6, 2.11 and 3.9 in a field of any type.
  for (const [title, raw, operand, result] of [
    ['stays a float32 if that is exact', float32(1.5), 1, float32(2.5)],
    ['keeps the sum with an integer', float32(2 ** 24), 1, float64(2 ** 24 + 1)],
    [
      'keeps the sum of two float32',
      float32(0.1),
      new Float(0.2),
      float64(fround(0.1) + fround(0.2)),
    ],
    ['goes beyond a float32', float32(3e38), new Float(3e38), float64(2 * fround(3e38))],
    ['stays infinite', float32(Infinity), 1, float64(Infinity)],
  ] as [string, Buffer, number | Float, Buffer][]) {
    it(`adds to a float32 and ${title}`, () => {
      equal(calculate('+', raw, operand).toString('hex'), result.toString('hex'));
    });
  }

  it('keeps a float64, because a field of doubles accepts nothing else in 2.6', () => {
    equal(calculate('+', float64(1), 1).toString('hex'), float64(2).toString('hex'));
  });

  it('uses all digits of a double with a decimal', () => {
    const sum = calculate('+', Decimal.from('0.1').raw, 0.1 + 0.2);
    equal(String(decodeExact(sum)), '0.40000000000000004');
  });
});

describe('splice', () => {
  // The same as on 3.9.
  for (const [title, raw, operands, result] of [
    ['a string', 'a3616263', [1, 1, 'xyz'], 'a5617879' + '7a63'],
    ['a string, with bytes', 'a3616263', [1, 1, Uint8Array.of(0xff)], 'a361ff63'],
    ['binary, with a string', 'c403616263', [1, 1, 'xyz'], 'c405617879' + '7a63'],
    ['binary, with bytes', 'c403616263', [1, 1, Uint8Array.of(0xff)], 'c40361ff63'],
    ['binary at its end', 'c4020102', [-1, 0, Uint8Array.of(3)], 'c403010203'],
    ['binary in a longer form', 'c600000002' + '0102', [0, 1, ''], 'c40102'],
    ['a value that becomes long', 'c40101', [1, 0, 'x'.repeat(299)], `c5012c01${'78'.repeat(299)}`],
  ] as [string, string, [number, number, string | Uint8Array], string][]) {
    it(`cuts and pastes in ${title}`, () => {
      equal(splice(hex(raw), ...operands).toString('hex'), result);
    });
  }

  for (const [title, raw, pasted] of [
    ['a number', pack(1), 'x'],
    ['nil', pack(null), 'x'],
    ['a string, with a number', pack('x'), 1],
    ['a string, with half a surrogate pair', pack('x'), '\ud800'],
    ['binary, with nothing', hex('c40101'), undefined],
  ] as [string, Buffer, never][]) {
    it(`refuses ${title}`, () => throws(() => splice(raw, 0, 0, pasted), TypeError));
  }
});
