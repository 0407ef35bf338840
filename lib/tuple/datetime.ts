import { Carried, extension } from './exact-types.js';

/** The type of a datetime: `MP_DATETIME` of the server's `src/lib/core/mp_extension_types.h`. */
const TYPE = 4;
/** The sizes of seconds alone, and with all other parts: `src/lib/core/mp_datetime.c`. */
const SHORT = 8;
const LONG = 16;
const DAY = 86400n;
/** The least and the largest value of each part, from `datetime_validate` of the server's `src/lib/core/datetime.h`. */
const LIMITS = [
  ['seconds', -185_604_722_870_400n, 185_480_451_417_600n],
  // The server accepts one second more, but never writes it.
  ['nanoseconds', 0, 999_999_999],
  ['offsetMinutes', -12 * 60, 14 * 60],
  ['tzIndex', 0, 1024],
] as const;
/** Days from 0000-03-01 to 1970-01-01, and in 400 years, after which the calendar repeats. */
const EPOCH_DAY = 719468;
const ERA_DAYS = 146097;

const TEXT =
  /^([+-]\d{4,7}|\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d\d):?(\d\d))?)?$/;

/**
 * The parts of a datetime. Missing parts are 0.
 *
 * @example
 * const parts: DatetimeParts = { seconds: 1_709_197_200n, offsetMinutes: 180 };
 */
export interface DatetimeParts {
  /** Seconds from 1970, UTC; in the years from -5879610 to 5879611. */
  readonly seconds: bigint;
  /** Nanoseconds after these, 0 to 999,999,999. */
  readonly nanoseconds?: number;
  /** The offset east of UTC, -720 to 840. */
  readonly offsetMinutes?: number;
  /** The server's number of a time zone, up to 1024; 0 for none. */
  readonly tzIndex?: number;
}

/**
 * A datetime with nanoseconds and the offset of a time zone.
 *
 * @example
 * String(Datetime.from('2024-02-29T12:00:00.5+03:00')); // '2024-02-29T12:00:00.500000000+03:00'
 */
export class Datetime extends Carried {
  private constructor(
    readonly seconds: bigint,
    readonly nanoseconds: number,
    readonly offsetMinutes: number,
    readonly tzIndex: number,
    readonly raw: Buffer,
  ) {
    super();
  }

  /**
   * @param source - text is ISO 8601, in UTC if it has no offset
   * @throws TypeError for anything but a datetime, RangeError for a day that does not exist, and for a part that no
   * server accepts
   */
  static from(source: Date | string | DatetimeParts): Datetime {
    if (typeof source === 'string') return Datetime.of(parse(source));
    if (!(source instanceof Date)) return Datetime.of(source);
    const time = source.getTime();
    if (Number.isNaN(time)) throw new TypeError('an invalid Date is not a datetime');
    const seconds = Math.floor(time / 1000);
    const nanoseconds = (time - seconds * 1000) * 1_000_000;
    return Datetime.of({ seconds: BigInt(seconds), nanoseconds });
  }

  private static of({
    seconds,
    nanoseconds = 0,
    offsetMinutes = 0,
    tzIndex = 0,
  }: DatetimeParts): Datetime {
    const parts = { seconds, nanoseconds, offsetMinutes, tzIndex };
    const raw = extension(TYPE, pack(parts));
    return new Datetime(seconds, nanoseconds, offsetMinutes, tzIndex, raw);
  }

  /**
   * Reads a datetime.
   *
   * @returns undefined if the payload is not a datetime of the server
   */
  static read(this: void, payload: Buffer, raw: Buffer): Datetime | undefined {
    if (payload.length !== SHORT && payload.length !== LONG) return undefined;
    const long = payload.length === LONG;
    const seconds = payload.readBigInt64LE(0);
    const nanoseconds = long ? payload.readInt32LE(8) : 0;
    const [offsetMinutes, tzIndex] = long
      ? [payload.readInt16LE(12), payload.readInt16LE(14)]
      : [0, 0];
    if (beyond({ seconds, nanoseconds, offsetMinutes, tzIndex }) !== undefined) return undefined;
    return new Datetime(seconds, nanoseconds, offsetMinutes, tzIndex, raw);
  }

  /** Returns a Date, which has milliseconds and no offset. */
  toDate(): Date {
    return new Date(Number(this.seconds) * 1000 + Math.floor(this.nanoseconds / 1_000_000));
  }

  override toString(): string {
    const local = this.seconds + BigInt(this.offsetMinutes) * 60n;
    const inDay = Number(((local % DAY) + DAY) % DAY);
    const date = dateOf(Number((local - BigInt(inDay)) / DAY));
    const time = [inDay / 3600, (inDay / 60) % 60, inDay % 60].map((n) => two(Math.floor(n)));
    const fraction = this.nanoseconds === 0 ? '' : `.${String(this.nanoseconds).padStart(9, '0')}`;
    return `${date}T${time.join(':')}${fraction}${offsetText(this.offsetMinutes)}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Returns a message about the first part outside of its limits; undefined if there is none. */
function beyond(parts: Required<DatetimeParts>): string | undefined {
  for (const [part, least, most] of LIMITS) {
    const value = parts[part];
    if (value < least || value > most)
      return `${part} must be from ${least} to ${most}, not ${value}`;
  }
  return undefined;
}

function pack(parts: Required<DatetimeParts>): Buffer {
  const { seconds, nanoseconds, offsetMinutes, tzIndex } = parts;
  if (typeof seconds !== 'bigint')
    throw new TypeError('the seconds of a datetime must be a bigint');
  if (![nanoseconds, offsetMinutes, tzIndex].every(Number.isSafeInteger)) {
    throw new TypeError('all parts of a datetime except its seconds must be whole numbers');
  }
  const problem = beyond(parts);
  if (problem !== undefined) throw new RangeError(`no server accepts such a datetime: ${problem}`);
  const short = nanoseconds === 0 && offsetMinutes === 0 && tzIndex === 0;
  const payload = Buffer.alloc(short ? SHORT : LONG);
  payload.writeBigInt64LE(seconds);
  if (!short) {
    payload.writeInt32LE(nanoseconds, 8);
    payload.writeInt16LE(offsetMinutes, 12);
    payload.writeInt16LE(tzIndex, 14);
  }
  return payload;
}

function parse(text: string): DatetimeParts {
  const match = TEXT.exec(text);
  if (match === null) throw new TypeError(`'${text.slice(0, 100)}' is not an ISO 8601 datetime`);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((n) => Number(n ?? 0));
  const [fraction = '', sign, hours = '0', minutes = '0'] = match.slice(7);
  const days = dayOf(year!, month!, day!);
  const isTime = hour! <= 23 && [minute!, second!, Number(minutes)].every((each) => each <= 59);
  // A date that does not exist becomes another one.
  if (!isTime || !sameDate(dateOf(days), year!, month!, day!)) {
    throw new RangeError(`the time '${text}' does not exist`);
  }
  const offsetMinutes = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1) + 0;
  const inDay = hour! * 3600 + minute! * 60 + second! - offsetMinutes * 60;
  return {
    seconds: BigInt(days) * DAY + BigInt(inDay),
    nanoseconds: Number(fraction.padEnd(9, '0')),
    offsetMinutes,
  };
}

function sameDate(date: string, year: number, month: number, day: number): boolean {
  return date === `${yearText(year)}-${two(month)}-${two(day)}`;
}

/** Returns the days from 1970 to a date. The year begins in March, so that a leap day is its last. */
function dayOf(year: number, month: number, day: number): number {
  const fromMarch = month <= 2 ? year - 1 : year;
  const era = Math.floor(fromMarch / 400);
  const inEra = fromMarch - era * 400;
  const inYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leaps = Math.floor(inEra / 4) - Math.floor(inEra / 100);
  return era * ERA_DAYS + inEra * 365 + leaps + inYear - EPOCH_DAY;
}

/** Returns the date of a day from 1970; see {@link dayOf}. */
function dateOf(days: number): string {
  const shifted = days + EPOCH_DAY;
  const era = Math.floor(shifted / ERA_DAYS);
  const inEra = shifted - era * ERA_DAYS;
  const fourth = Math.floor(inEra / 1460) - Math.floor(inEra / 36524);
  const years = Math.floor((inEra - fourth - Math.floor(inEra / 146096)) / 365);
  const inYear = inEra - (365 * years + Math.floor(years / 4) - Math.floor(years / 100));
  const fromMarch = Math.floor((5 * inYear + 2) / 153);
  const day = inYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = ((fromMarch + 2) % 12) + 1;
  const year = years + era * 400 + (month <= 2 ? 1 : 0);
  return `${yearText(year)}-${two(month)}-${two(day)}`;
}

function yearText(year: number): string {
  if (year >= 0 && year <= 9999) return String(year).padStart(4, '0');
  return `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}`;
}

function offsetText(minutes: number): string {
  if (minutes === 0) return 'Z';
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
