import { Carried, extension } from './exact-types.js';
import { integer, readInteger } from './integers.js';
import { isInteger, skip } from './msgpack.js';

/** The type of an interval: `MP_INTERVAL` of the server's `src/lib/core/mp_extension_types.h`. */
const TYPE = 6;

/** The parts in the order of their keys, `enum interval_fields` of `src/lib/core/mp_interval.c`. */
const PARTS = [
  'year',
  'month',
  'week',
  'day',
  'hour',
  'minute',
  'second',
  'nanosecond',
  'adjust',
] as const;

type Part = (typeof PARTS)[number];

const INT32 = [-(2n ** 31n), 2n ** 31n - 1n] as const;
const INT64 = [-(2n ** 63n), 2n ** 63n - 1n] as const;

/** The limits of parts, from `interval_unpack` of the server's `src/lib/core/mp_interval.c` in 3.9. */
const LIMITS: Readonly<Record<Part, readonly [least: bigint, most: bigint]>> = {
  year: INT32,
  month: INT32,
  week: INT32,
  day: INT64,
  hour: INT64,
  minute: INT64,
  second: INT64,
  nanosecond: INT32,
  adjust: [0n, 2n],
};

/** The default of `adjust`: `DEF_DT_ADJUST` of `src/lua/datetime.lua`. Missing parts of an encoded interval are 0. */
const DEFAULT_ADJUST = 1;

/**
 * The parts of an interval, each in the unit of its name. Missing parts are 0. `adjust` defines the handling of the
 * last days of a month: 0 for 'excess', 1 for 'none', which is the default, and 2 for 'last'.
 *
 * @example
 * const parts: IntervalParts = { hour: 1, nanosecond: 500_000_000 };
 */
export type IntervalParts = { readonly [part in Part]?: number | bigint };

/**
 * An interval in units of the calendar, for `tuple.set` and from `tuple.get`.
 *
 * @example
 * Interval.from({ month: 1, day: -3 }).parts.day; // -3
 */
export class Interval extends Carried {
  private constructor(
    readonly parts: IntervalParts,
    readonly raw: Buffer,
  ) {
    super();
  }

  /**
   * @throws TypeError for an unknown part, and for a value other than an exact integer; RangeError for a value that
   * the server does not accept: days, hours, minutes and seconds have 64 bits, all others 32
   */
  static from(parts: IntervalParts): Interval {
    for (const name of Object.keys(parts)) {
      if (!PARTS.some((part) => part === name)) {
        throw new TypeError(
          `an interval has no part '${name}'; its parts are: ${PARTS.join(', ')}`,
        );
      }
    }
    const { adjust = DEFAULT_ADJUST } = parts;
    const all: IntervalParts = { ...parts, adjust };
    const pairs = PARTS.flatMap((part, key) => {
      const { [part]: value = 0 } = all;
      check(part, value);
      return Number(value) === 0 ? [] : [Buffer.concat([Buffer.of(key), integer(value)])];
    });
    const payload = Buffer.concat([Buffer.of(pairs.length), ...pairs]);
    return new Interval(all, extension(TYPE, payload));
  }

  /**
   * Reads an interval.
   *
   * @returns undefined if the payload is not an interval of the server
   */
  static read(payload: Buffer, raw: Buffer): Interval | undefined {
    const parts: Partial<Record<Part, number | bigint>> = { adjust: 0 };
    let pos = 1;
    for (let count = payload[0] ?? 0; count > 0; count--) {
      const part = PARTS[payload[pos] ?? PARTS.length];
      const end = skip(payload, pos + 1, payload.length);
      if (part === undefined || end < 0 || !isInteger(payload[pos + 1]!)) return undefined;
      parts[part] = readInteger(payload, pos + 1);
      pos = end;
    }
    return pos === payload.length ? new Interval(parts, raw) : undefined;
  }

  override toString(): string {
    return PARTS.filter((part) => part !== 'adjust' && this.parts[part])
      .map((part) => `${this.parts[part]} ${part}`)
      .join(', ');
  }
}

function check(part: Part, value: number | bigint): void {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) {
    throw new TypeError(`'${part}' of an interval must be an exact whole number, not ${value}`);
  }
  const [least, most] = LIMITS[part];
  if (value >= least && value <= most) return;
  throw new RangeError(`'${part}' of an interval must be from ${least} to ${most}, not ${value}`);
}
