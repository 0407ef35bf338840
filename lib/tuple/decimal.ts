import { Carried, extension } from './exact-types.js';
import { integer, readInteger } from './integers.js';
import { isInteger, skip } from './msgpack.js';

/**
 * The limit of digits: `DECIMAL_MAX_DIGITS` of the server's `src/lib/core/decimal.h` in 3.9. Up to 2.11 it is 38, and
 * such a server refuses a row with more.
 */
export const MAX_DIGITS = 76;
/** The type of a decimal: `MP_DECIMAL` of `src/lib/core/mp_extension_types.h`. */
const TYPE = 1;

/**
 * A decimal as exact text, for `tuple.set` and from `tuple.get`.
 *
 * Source of the bytes: the server's `src/lib/core/mp_decimal.c`: the scale, then four bits for each digit, and the
 * sign in the last four bits.
 *
 * @example
 * String(Decimal.from('-12.50')); // '-12.50'
 */
export class Decimal extends Carried {
  private constructor(
    private readonly text: string,
    readonly raw: Buffer,
  ) {
    super();
  }

  /**
   * @param text - up to 76 digits, with or without an exponent; servers before 3.x accept 38 digits
   * @throws TypeError for anything but a number, RangeError for more digits
   */
  static from(text: string | number | bigint): Decimal {
    const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?$/i.exec(String(text));
    const [, sign, whole = '', fraction = '', exponent = '0'] = match ?? [];
    if (match === null || whole + fraction === '') {
      throw new TypeError(`'${String(text).slice(0, 100)}' is not a decimal`);
    }
    let scale = fraction.length - Number(exponent);
    let digits = (whole + fraction).replace(/^0+/, '');
    if (digits === '') scale = Math.max(scale, 0);
    else if (scale < 0) {
      digits += '0'.repeat(-scale);
      scale = 0;
    }
    if (digits.length > MAX_DIGITS || scale > MAX_DIGITS) {
      throw new RangeError(`a decimal can have at most ${MAX_DIGITS} digits`);
    }
    const minus = sign === '-' && digits !== '';
    const nibbles = `${digits || '0'}${minus ? 'd' : 'c'}`;
    const packed = Buffer.from(nibbles.padStart(nibbles.length + (nibbles.length % 2), '0'), 'hex');
    return new Decimal(
      plain(minus, digits, scale),
      extension(TYPE, Buffer.concat([integer(scale), packed])),
    );
  }

  /**
   * Reads a decimal.
   *
   * @returns undefined if the payload is not a decimal of the server
   */
  static read(payload: Buffer, raw: Buffer): Decimal | undefined {
    if (payload.length < 2 || !isInteger(payload[0]!)) return undefined;
    const start = skip(payload, 0, payload.length);
    if (start < 0) return undefined;
    const scale = Number(readInteger(payload, 0));
    const match = /^0*(\d*)([a-f])$/.exec(payload.toString('hex', start));
    if (match === null || Math.abs(scale) > MAX_DIGITS) return undefined;
    const [, digits = '', sign = ''] = match;
    return new Decimal(plain('bd'.includes(sign), digits, scale), raw);
  }

  /** The number of digits after the point. */
  get scale(): number {
    const point = this.text.indexOf('.');
    return point < 0 ? 0 : this.text.length - point - 1;
  }

  override toString(): string {
    return this.text;
  }

  toJSON(): string {
    return this.text;
  }
}

function plain(minus: boolean, digits: string, scale: number): string {
  const sign = minus ? '-' : '';
  if (scale <= 0) return digits === '' ? `${sign}0` : sign + digits + '0'.repeat(-scale);
  const padded = digits.padStart(scale + 1, '0');
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}
