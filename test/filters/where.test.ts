import { deepEqual, equal, match, rejects, throws } from 'node:assert/strict';
import type { BackupEnd } from '../../lib/archive/items.js';
import { TntarError } from '../../lib/errors.js';
import { keepWhere, parseWhere } from '../../lib/filters/where.js';
import { type Report, silent } from '../../lib/report.js';
import { Double, Float, Opaque, Raw } from '../../lib/tuple/carried.js';
import { Datetime } from '../../lib/tuple/datetime.js';
import { Decimal } from '../../lib/tuple/decimal.js';
import { encodeExact } from '../../lib/tuple/exact.js';
import { Interval } from '../../lib/tuple/interval.js';
import { Uuid } from '../../lib/tuple/uuid.js';
import { headOf } from './heads.js';

const FORMAT = [
  { name: 'id', type: 'unsigned' },
  { name: 'v', type: 'any', is_nullable: true },
  { name: 'w', type: 'any', is_nullable: true },
  { name: 'first name', type: 'string', is_nullable: true },
  { name: 'type', type: 'string', is_nullable: true },
];
const SPACES = {
  280: [
    [512, 1, 'app:users', 'memtx', 0, {}, FORMAT],
    [513, 1, 'others', 'memtx', 0, {}, []],
  ],
  288: [
    [512, 0, 'pk', 'tree', { unique: true }, [{ field: 0, type: 'unsigned' }]],
    [513, 0, 'pk', 'tree', { unique: true }, [{ field: 0, type: 'unsigned' }]],
  ],
};
const USERS = { id: 512, name: 'app:users', engine: 'memtx' };

async function kept(
  expressions: readonly string[],
  rows: readonly (readonly unknown[])[],
  report: Report = silent,
): Promise<{ count: number; end: BackupEnd }> {
  const wheres = expressions.map((expression) => ({ space: 'app:users', expression }));
  const rewrite = keepWhere(wheres);
  await rewrite.head(headOf(SPACES));
  const bytes = Buffer.concat(rows.map((row) => encodeExact(row)));
  let count = 0;
  const batch = { kind: 'tuples', space: USERS, count: rows.length, bytes } as const;
  for await (const left of rewrite.rows!(batch)) count += left.count;
  return {
    count,
    end: rewrite.end!({ kind: 'end', counts: new Map(), vclock: {}, consistent: true }, report),
  };
}

/** Whether one row stays. */
async function isTrue(expression: string, v?: unknown, ...more: unknown[]): Promise<boolean> {
  return (await kept([expression], [v === undefined ? [1] : [1, v, ...more]])).count === 1;
}

const refusal =
  (message: RegExp, kind = 'usage', hint = /./) =>
  (error: unknown): boolean => {
    equal(error instanceof TntarError && error.kind, kind, String(error));
    match((error as TntarError).message, message);
    match((error as TntarError).hint ?? '', hint);
    return true;
  };

describe('parseWhere', () => {
  it('parts at the first colon that has a blank behind it', () => {
    for (const [text, space, expression] of [
      ['users: age >= 18', 'users', 'age >= 18'],
      ['app:users:  a ? b : c ', 'app:users', 'a ? b : c'],
    ] as const) {
      deepEqual(parseWhere(text), { space, expression });
    }
  });

  it('refuses what has no space, or no expression', () => {
    for (const text of ['age >= 18', 'users:age >= 18', ': age', 'users: ']) {
      throws(() => parseWhere(text), refusal(/cannot read the condition/));
    }
  });
});

describe('keepWhere', () => {
  const BIG = 2n ** 53n + 1n;
  for (const [expression, v, expected] of [
    ['v == 9007199254740993', BIG, true],
    ['v == 9007199254740992', BIG, false],
    ['v == 18446744073709551615', 2n ** 64n - 1n, true],
    ['v < 18446744073709551615', 2n ** 64n - 2n, true],
    ['v == -9223372036854775808', -(2n ** 63n), true],
    ['v % 10 == 3', BIG, true],
    ['v == 1', new Double(1), true],
    ['v == 1.5', 1.5, true],
    ['v > 1', 1.5, true],
    ['v == 0.1', new Float(0.1), false],
    ['v == v', Number.NaN, false],
    ['v in [1, 2]', 2, true],
    ['v in [id, 1.5, "x", w]', 1, true],
    ['v in [id, 1.5, "x", w]', 1.5, true],
    ['v in [id, 1.5, "x", w]', true, false],
    ['v == null', null, true],
    ['v == null', undefined, true],
    ['w == null', 1, true],
    ['v == "é"', 'é', true],
    ['v == "1"', 1, false],
    ['v < "b"', 'a😀', true],
    ['v > "a" && v.startsWith("x") && v.size() == 2', 'x😀', true],
    ['v == b"\\x00\\xff"', Buffer.of(0, 255), true],
    ['v', true, true],
    ['!v', true, false],
    ['v.a.b == 5', { a: { b: 5 } }, true],
    ['has(v.a) && !has(v.b)', { a: null }, true],
    ['v.exists(id, id == "x")', ['y', 'x'], true],
    ['v.all(each, each > 0) && size(v) == 2', [1, 2], true],
    ['v == [1, 2]', [1, 2], true],
    ['v == "64d22e4d-ac92-4a23-899a-e59f34af5479"', 'uuid', true],
    ['v == null || v > 5', null, true],
    ['field(1) == 5 && field("v") == 5 && field(9) == null', 5, true],
  ] as const) {
    it(`finds ${expression} ${expected} of ${typeof v} ${String(v)}`, async () => {
      const value = v === 'uuid' ? Uuid.from('64d22e4d-ac92-4a23-899a-e59f34af5479') : v;
      equal(await isTrue(expression, value), expected);
    });
  }

  it('compares integers with doubles as the numbers that they are', async () => {
    equal(await isTrue('v == w', BIG, new Double(2 ** 53)), false);
    equal(await isTrue('v > w', BIG, new Double(2 ** 53)), true);
    equal(await isTrue('[v] == [w]', BIG, new Double(2 ** 53)), false);
    equal(await isTrue('v in [w]', BIG, new Double(2 ** 53)), false);
    equal(await isTrue('v == w', 2n ** 53n, new Double(2 ** 53)), true);
  });

  it('has a name for fields whose own are no words, or words of the language', async () => {
    const row = [1, null, null, 'Ann', 'admin'];
    equal(
      (await kept(['field("first name") == "Ann" && field("type") == "admin"'], [row])).count,
      1,
    );
  });

  it('takes several for one space together', async () => {
    equal((await kept(['id > 1', 'id < 4'], [[1], [2], [3], [4]])).count, 2);
  });

  it('counts what it does, and warns where nothing is left', async () => {
    const warned: string[] = [];
    const report = { ...silent, warn: (line: string) => warned.push(line) };
    const { end } = await kept(['id > 9'], [[1], [2]], report);
    const filter = "where 'app:users: id > 9'";
    const tally = { filter, space: 'app:users', in: 2, changed: 0, skipped: 2, out: 0 };
    deepEqual(end.filtered?.at(-1), tally);
    deepEqual(warned, [`${filter} skipped every row of 'app:users'`]);
  });

  it('hands on the rows of other spaces as they came', async () => {
    const rewrite = keepWhere([parseWhere('app:users: id > 1')]);
    await rewrite.head(headOf(SPACES));
    const space = { id: 513, name: 'others', engine: 'memtx' };
    const batch = { kind: 'tuples', space, count: 1, bytes: encodeExact([1]) } as const;
    for await (const left of rewrite.rows!(batch)) equal(left, batch);
  });

  for (const [what, value] of [
    ['a decimal', Decimal.from('1.10')],
    ['a datetime', Datetime.from(new Date(0))],
    ['an interval', Interval.from({ day: 1 })],
    ['an extension of type 100', new Opaque(100, Buffer.of(1))],
    ['a text that is no UTF-8', new Raw(Buffer.of(0xa1, 0xff))],
    ['a map with keys that are no strings', new Map([[1, 2]])],
    ['a decimal', [Decimal.from('1.10')]],
  ] as const) {
    it(`refuses a row in which the field is ${what}, for there is no exact value`, async () => {
      const message = new RegExp(`space 'app:users', row .1.: field 'v' holds ${what}`);
      await rejects(isTrue('v == 1', value), refusal(message, 'failure', /write a --filter/));
    });
  }

  for (const [expression, v, message] of [
    ['v > 5', null, /row \[1\]: no such overload: null > int/],
    ['v > 5', 'a', /row \[1\]: no such overload: string > int/],
    ['v + 1 > 5', 2n ** 63n - 1n, /row \[1\]: integer overflow: 9223372036854775808/],
    ['v + 1 > 5', 1.5, /row \[1\]: no such overload: double \+ int/],
    ['v', 1, /row \[1\]: it is neither true nor false/],
    ['v < w', 'a😀', /row \[1\]: field 'v' holds a text with characters beyond U\+FFFF/],
  ] as const) {
    it(`refuses a row for which ${expression} has no answer, as of ${typeof v}`, async () => {
      await rejects(isTrue(expression, v, 'b'), refusal(message, 'failure', /--filter/));
    });
  }

  for (const [expression, message, hint = /./] of [
    ['id >', /^where 'app:users: id >': Unexpected token: EOF, at its end$/],
    ['id ==\n\n1 &&', /^where 'app:users: id == 1 &&': Unexpected token: EOF, at its end$/],
    ['id = 1', /Unexpected character: =, at '= 1'$/],
    ['age > 1', /there is no field 'age', at 'age > 1'$/, /the format has id; v; w; first name/],
    ['field("age") > 1', /there is no field 'age'/, /the format has id/],
    ['field(v) > 1', /field\(\) takes one name in quotes/],
    ['field(-1) > 1', /field\(\) takes one name in quotes/],
    ['type == "x"', /'type' is a word of the language/, /write field\("type"\)/],
    ['package == "x"', /Reserved identifier: package/, /field\("other name"\)/],
    ['id', /neither true nor false, but a value of type int/],
    ['id == "x"', /no such overload: int == string, at 'id == "x"'$/],
    ['id + 0.5 > v', /no such overload: int \+ double/],
    ['v + w > 1', /'\+' may round here/],
    ['v * 1.1 > 1', /'\*' may round here/],
    ['id / 2 == 1', /'\/' rounds/],
    ['v == 9007199254740993.0', /9007199254740993\.0 is more exact than a double/],
    ['v == 1.00000000000000000001', /is more exact than a double/],
    ['v > 1e-400', /is more exact than a double/],
    ['v == 5u', /numbers have no suffix here/],
    ['v == b"é"', /bytes are written in ASCII/],
    ['v == {"a": 1}', /a map cannot be written here/],
    ['v < "😀"', /characters beyond U\+FFFF cannot stand here/],
    ['v.matches("(a+)+b")', /there is no function 'matches'/, /startsWith/],
    ['double(v) == 1.0', /there is no function 'double'/],
    ['v.constructor("x")', /there is no function 'constructor'/],
    ['process.exit()', /there is no function 'exit'/],
    [`${'('.repeat(1000)}id == 1${')'.repeat(1000)}`, /Exceeded maxDepth/],
  ] as const) {
    it(`refuses ${expression.slice(0, 40)} before the first row`, async () => {
      await rejects(isTrue(expression, 1), refusal(message, 'usage', hint));
    });
  }

  it('refuses a space that is not there', async () => {
    const rewrite = keepWhere([parseWhere('user: id > 1')]);
    await rejects(
      Promise.resolve().then(() => rewrite.head(headOf(SPACES))),
      refusal(/where 'user: id > 1': there is no space 'user'/, 'usage', /app:users; others/),
    );
  });

  // Expressions of the backup before were asked of the space that had got the id.
  it('asks the spaces of each backup anew', async () => {
    const rewrite = keepWhere([parseWhere('app:users: id > 1')]);
    await rewrite.head(headOf(SPACES));
    const [users, others] = SPACES[280]!;
    const swapped = [
      [512, ...others!.slice(1)],
      [513, ...users!.slice(1)],
    ];
    await rewrite.head(headOf({ ...SPACES, 280: swapped as (typeof SPACES)[280] }));
    const bytes = encodeExact([1]);
    const space = { id: 512, name: 'others', engine: 'memtx' };
    let count = 0;
    for await (const batch of rewrite.rows!({ kind: 'tuples', space, count: 1, bytes })) {
      count += batch.count;
    }
    equal(count, 1);
  });
});
