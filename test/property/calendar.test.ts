import { deepEqual, equal } from 'node:assert/strict';
import fc from 'fast-check';
import { decodeExact, encode } from '../../lib/tuple/codec.js';
import { Datetime } from '../../lib/tuple/datetime.js';
import { startServer, type TestServer } from '../support/server.js';
import { holds } from './runs.js';

/** `MIN_EPOCH_SECS_VALUE` and `MAX_EPOCH_SECS_VALUE` of the server's `src/lib/core/datetime.h`. */
const FIRST = -185_604_722_870_400n;
const LAST = 185_480_451_417_600n;
const DAY = 86_400n;
/** The calendar of Gregory is the same again after 400 years. */
const CYCLE_DAYS = 146_097n;
const CYCLE = CYCLE_DAYS * DAY;

const pad = (value: number | bigint, digits: number): string => String(value).padStart(digits, '0');

function yearText(year: number): string {
  if (year >= 0 && year <= 9999) return pad(year, 4);
  return `${year < 0 ? '-' : '+'}${pad(Math.abs(year), 6)}`;
}

/** A moment by the calendar of JavaScript, which ends far before the server's: whole cycles are taken off. */
function byDate(seconds: bigint, nanoseconds: number, offsetMinutes: number): string {
  const local = seconds + BigInt(offsetMinutes) * 60n;
  const cycles = local / CYCLE;
  const date = new Date(Number(local - cycles * CYCLE) * 1000);
  const year = date.getUTCFullYear() + 400 * Number(cycles);
  const monthToSecond = date.toISOString().slice(-20, -5);
  const size = Math.abs(offsetMinutes);
  const zone = `${offsetMinutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60), 2)}:${pad(size % 60, 2)}`;
  const fraction = nanoseconds === 0 ? '' : `.${pad(nanoseconds, 9)}`;
  return `${yearText(year)}${monthToSecond}${fraction}${size === 0 ? 'Z' : zone}`;
}

/** Moments near the ends of months and years as well as anywhere, over the whole range of the server. */
const seconds = fc.oneof(
  fc.bigInt(FIRST, LAST),
  fc
    .record({
      year: fc.integer({ min: -13_000, max: 13_000 }).map((n) => n * 400),
      more: fc.constantFrom(0, 4, 100, 200, 300, 399),
      day: fc.bigInt(-2n, 62n),
      second: fc.bigInt(-1n, DAY),
    })
    .map(({ year, more, day, second }) => {
      const cycle = new Date(0).setUTCFullYear(2000 + more, 0, 1);
      return BigInt(cycle) / 1000n + (BigInt(year) / 400n) * CYCLE + day * DAY + second;
    }),
  fc.bigInt(-4n * CYCLE, 4n * CYCLE),
);
const nanoseconds = fc.oneof(fc.constant(0), fc.nat(999_999_999));
const offsetMinutes = fc.oneof(fc.constant(0), fc.integer({ min: -720, max: 840 }));

/** Those that stay in the range of the server in every zone. */
const localSeconds = seconds.filter((local) => local > FIRST + DAY && local < LAST - DAY);

describe('the calendar of datetimes', () => {
  it('has each day of 400 years, leap days included', () => {
    const first = -CYCLE_DAYS / 2n;
    for (let day = first; day < first + CYCLE_DAYS; day++) {
      const text = byDate(day * DAY, 0, 0);
      equal(String(Datetime.from({ seconds: day * DAY })), text);
      equal(Datetime.from(text).seconds, day * DAY, text);
    }
  });

  it('has 29 February in years that 400 divides', () => {
    for (const year of ['-000400', '0000', '1600', '2000', '2400', '+012000']) {
      equal(String(Datetime.from(`${year}-02-29`)), `${year}-02-29T00:00:00Z`);
    }
  });

  holds(
    'agrees with JavaScript for all offsets, to the nanosecond',
    20_000,
    fc.property(seconds, nanoseconds, offsetMinutes, (second, nano, offset) => {
      const given = { seconds: second, nanoseconds: nano, offsetMinutes: offset };
      const text = String(Datetime.from(given));
      equal(text, byDate(second, nano, offset));
      equal(String(decodeExact(encode(Datetime.from(given)))), text);
      const { seconds, nanoseconds, offsetMinutes } = Datetime.from(text);
      deepEqual({ seconds, nanoseconds, offsetMinutes }, given);
    }),
  );

  holds(
    'gives back the same Date',
    2000,
    fc.property(fc.date({ noInvalidDate: true }), (date) => {
      deepEqual(Datetime.from(date).toDate(), date);
    }),
  );

  describe('of a server', () => {
    let server: TestServer;
    before(async function () {
      server = await startServer();
      if (!(await server.eval("return (pcall(require, 'datetime'))"))) this.skip();
    });
    after(() => server.stop());

    holds(
      'is the same as that of tntar',
      100,
      fc.asyncProperty(
        fc.array(fc.tuple(localSeconds, offsetMinutes), { minLength: 100, maxLength: 100 }),
        async (moments) => {
          const told = await server.eval(
            `local told = {}
             for i, given in ipairs({...}) do
                 local options = {timestamp = tonumber(given[1]), tzoffset = given[2]}
                 local moment = require('datetime').new(options)
                 told[i] = {moment.year, moment.month, moment.day, moment.hour, moment.min, moment.sec}
             end
             return told`,
            ...moments.map(([local, offset]) => [Number(local), offset]),
          );
          const ours = moments.map(([local, offset]) => partsOf(local, offset));
          deepEqual(told, ours);
        },
      ),
    );
  });
});

/** Returns year, month, day, hour, minute and second of a datetime that is made of its local time. */
function partsOf(local: bigint, offsetMinutes: number): number[] {
  const seconds = local - 60n * BigInt(offsetMinutes);
  const text = String(Datetime.from({ seconds, offsetMinutes }));
  const [, ...parts] = /^([+-]?\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)/.exec(text) ?? [];
  return parts.map(Number);
}
