import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict';
import type { BackupEnd } from '../../../lib/backup/item.js';
import { TntarError } from '../../../lib/base/errors.js';
import { type Report, silent } from '../../../lib/base/report.js';
import { Budget } from '../../../lib/filters/expression/budget.js';
import { compileExpression } from '../../../lib/filters/expression/expression.js';
import type { FieldOfRow } from '../../../lib/filters/expression/types.js';
import { keepWhere, parseWhere } from '../../../lib/filters/where.js';
import { encode } from '../../../lib/tuple/codec.js';
import { Datetime } from '../../../lib/tuple/datetime.js';
import { Decimal } from '../../../lib/tuple/decimal.js';
import { Double, Float, Opaque, Raw } from '../../../lib/tuple/exact-types.js';
import { Interval } from '../../../lib/tuple/interval.js';
import { Tuple } from '../../../lib/tuple/tuple.js';
import { Uuid } from '../../../lib/tuple/uuid.js';
import { coded } from '../../support/msgpack.js';
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

/** Evaluates a condition for one row of a space with this format. */
async function isKept(
  format: { name: string; type: string }[],
  expression: string,
  row: readonly unknown[],
): Promise<boolean> {
  const filter = keepWhere([{ space: 'app:users', expression }]);
  await filter.head(headOf({ ...SPACES, 280: [[512, 1, 'app:users', 'memtx', 0, {}, format]] }));
  const batch = { kind: 'tuples', space: USERS, count: 1, bytes: encode(row) } as const;
  for await (const _ of filter.rows!(batch)) return true;
  return false;
}

async function kept(
  expressions: readonly string[],
  rows: readonly (readonly unknown[])[],
  report: Report = silent,
): Promise<{ count: number; end: BackupEnd }> {
  const wheres = expressions.map((expression) => ({ space: 'app:users', expression }));
  const filter = keepWhere(wheres);
  await filter.head(headOf(SPACES));
  const bytes = Buffer.concat(rows.map((row) => encode(row)));
  let count = 0;
  const batch = { kind: 'tuples', space: USERS, count: rows.length, bytes } as const;
  for await (const left of filter.rows!(batch)) count += left.count;
  return {
    count,
    end: filter.end!({ kind: 'end', counts: new Map(), vclock: {}, consistent: true }, report),
  };
}

/** Returns true if one row is kept. */
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
  it('splits at the first colon with a blank after it', () => {
    for (const [text, space, expression] of [
      ['users: age >= 18', 'users', 'age >= 18'],
      ['app:users:  a ? b : c ', 'app:users', 'a ? b : c'],
    ] as const) {
      deepEqual(parseWhere(text), { space, expression });
    }
  });

  it('refuses a text without a space or an expression', () => {
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
    ['v < "😀"', '\uffff', true],
    ['v > "a\uffff"', 'a😀', true],
    ['v < b"\\x02"', Buffer.of(1, 255), true],
    ['v + 1 > 5', 2n ** 63n - 1n, true],
    ['v + v - v == 18446744073709551615', 2n ** 64n - 1n, true],
    ['id - 2 == -1', 1, true],
    ['id != null', 1, true],
    ['v == 1', Decimal.from('1.10'), false],
    ['v == 1', Decimal.from('1.00'), true],
    ['v > 1 && v < 2 && v == 1.5', Decimal.from('1.50'), true],
    ['-v == -1', Decimal.from('1.00'), true],
    ['v > 18446744073709551615', Decimal.from('18446744073709551615.1'), true],
    ['v == [1]', [Decimal.from('1.0')], true],
    ['v != null', Datetime.from(new Date(0)), true],
    ['null == v', Datetime.from(new Date(0)), false],
    ['v.a != null && v.b == null', { a: Datetime.from(new Date(0)), b: null }, true],
    ['v.a == 1', { a: 1, b: Datetime.from(new Date(0)) }, true],
    [
      'v.a == 1',
      new Map<unknown, unknown>([
        [1, 2],
        ['a', 1],
      ]),
      true,
    ],
    ['"a" in v && !("b" in v)', { a: 1 }, true],
    ['v == 1 || v.a == 1', 1, true],
    ['v.a == 1 || v == 1', 1, true],
    ['!(v.a == 1 && v == 2)', 1, true],
    ['v.exists(each, each > 1)', ['a', 2], true],
    ['v.all(each, each > 1)', ['a', 1], false],
    ['v.map(each, each + 1) == [2, 3]', [1, 2], true],
    ['v.map(each, each > 1, each * 2) == [4]', [1, 2], true],
    ['v.filter(each, each > 1) + [1] == [2, 1]', [1, 2], true],
    ['v.exists_one(each, each > 1)', [1, 2], true],
    ['v.size() == 2 && v[1] == "b"', ['a', 'b'], true],
    [
      'v.constructor == 1 && v.__proto__ == 2',
      new Map([
        ['constructor', 1],
        ['__proto__', 2],
      ]),
      true,
    ],
    ['v.toString == 1 || true', {}, true],
    ['has(v.toString)', {}, false],
  ] as const) {
    it(`finds ${expression} ${expected} of ${typeof v} ${String(v)}`, async () => {
      const value = v === 'uuid' ? Uuid.from('64d22e4d-ac92-4a23-899a-e59f34af5479') : v;
      equal(await isTrue(expression, value), expected);
    });
  }

  it('compares integers with doubles by their exact values', async () => {
    equal(await isTrue('v == w', BIG, new Double(2 ** 53)), false);
    equal(await isTrue('v > w', BIG, new Double(2 ** 53)), true);
    equal(await isTrue('[v] == [w]', BIG, new Double(2 ** 53)), false);
    equal(await isTrue('v in [w]', BIG, new Double(2 ** 53)), false);
    equal(await isTrue('v == w', 2n ** 53n, new Double(2 ** 53)), true);
  });

  // The name of an element used to hide a field everywhere, and not only inside of its loop.
  for (const [expression, v, expected] of [
    ['v.exists(w, w == "x") && w == "field"', ['x'], true],
    ['w == "field" && v.exists(w, w == "x")', ['x'], true],
    ['v.exists(w, w == "field")', ['x'], false],
    ['v.exists(v, v == "x") && v[0] == "x"', ['x'], true],
    ['v.all(w, w.all(w, w == 1)) && w == "field"', [[1]], true],
    ['v.all(w, w.exists(x, x == 1) && w == [1])', [[1]], true],
    ['v.map(w, w + "!") == ["x!"] && w == "field"', ['x'], true],
    ['v.filter(w, w != "x") == [] && w == "field"', ['x'], true],
    ['v.exists_one(w, w == "x") && w == "field"', ['x'], true],
    ['v.filter(w, w > 1).exists(w, w == 2) && w == "field"', [1, 2], true],
    ['v.exists(tuple, tuple == "x")', ['x'], true],
    ['v.exists(constructor, constructor == "x")', ['x'], true],
    ['v.exists(type, type == "x")', ['x'], true],
    ['v.exists(x, v.all(y, x == y || w == "field"))', ['x', 'y'], true],
  ] as const) {
    it(`limits the name of an element to its loop in ${expression}`, async () => {
      equal(await isTrue(expression, v, 'field'), expected);
    });
  }

  it('reads fields whose names are not identifiers, or are reserved words', async () => {
    const row = [1, null, null, 'Ann', 'admin'];
    equal(
      (await kept(['field("first name") == "Ann" && field("type") == "admin"'], [row])).count,
      1,
    );
  });

  it('combines several conditions for one space', async () => {
    equal((await kept(['id > 1', 'id < 4'], [[1], [2], [3], [4]])).count, 2);
  });

  it('counts rows, and warns if none is left', async () => {
    const warned: string[] = [];
    const report = { ...silent, warn: (line: string) => warned.push(line) };
    const { end } = await kept(['id > 9'], [[1], [2]], report);
    const filter = "where 'app:users: id > 9'";
    const tally = { filter, space: 'app:users', in: 2, changed: 0, skipped: 2, out: 0 };
    deepEqual(end.filtered?.at(-1), tally);
    deepEqual(warned, [`${filter} skipped every row of 'app:users'`]);
  });

  it('hands on the rows of other spaces unchanged', async () => {
    const filter = keepWhere([parseWhere('app:users: id > 1')]);
    await filter.head(headOf(SPACES));
    const space = { id: 513, name: 'others', engine: 'memtx' };
    const batch = { kind: 'tuples', space, count: 1, bytes: encode([1]) } as const;
    for await (const left of filter.rows!(batch)) equal(left, batch);
  });

  for (const [what, value] of [
    ['a datetime', Datetime.from(new Date(0))],
    ['an interval', Interval.from({ day: 1 })],
    ['an extension of type 100', new Opaque(100, Buffer.of(1))],
    ['a string that is not valid UTF-8', new Raw(Buffer.of(0xa1, 0xff))],
    ['a large extension', new Opaque(100, Buffer.alloc(1000))],
  ] as const) {
    it(`refuses a row in which the field is ${what}, because it has no exact value`, async () => {
      const message = new RegExp(`space 'app:users', row .1.: field 'v' holds ${what}`);
      await rejects(isTrue('v == 1', value), refusal(message, 'failure', /use --filter/));
    });
  }

  for (const [expression, v, message] of [
    ['v > 5', null, /row \[1\]: no such overload: null > int/],
    ['v > 5', 'a', /row \[1\]: no such overload: string > int/],
    ['v in w', 1, /row \[1\]: no such overload: int in string/],
    ['v[0] == 1', [], /row \[1\]: index 0 of a list of 0/],
    ['v.a == 1', {}, /row \[1\]: No such key: a/],
    [
      'v == v',
      new Map([[1, 2]]),
      /row \[1\]: field 'v' holds a map with keys that are not strings/,
    ],
    ['v.a == 1', new Raw(Buffer.from('82a16101a16102', 'hex')), /map with a duplicate key/],
    ['v.size() == 1', new Raw(Buffer.from('82a16101a16102', 'hex')), /map with a duplicate key/],
    [
      'v[0] == 1',
      [new Raw(Buffer.of(0xa1, 0xff))],
      /field 'v' holds a string that is not valid UTF-8/,
    ],
    ['v == 0.1', Decimal.from('0.1'), /a decimal and the double 0.1 cannot be compared exactly/],
    ['v + 1 > 5', Decimal.from('0.1'), /no such overload: decimal \+ int/],
    ['v % 0 == 1', 5, /modulo by zero/],
    ['v + 1 > 5', 1.5, /row \[1\]: no such overload: double \+ int/],
    ['v', 1, /row \[1\]: the result has the type int, and must be true or false/],
    ['v && id == 1', 1, /row \[1\]: '&&' takes true or false, not a value of type int/],
    ['v ? true : false', 1, /row \[1\]: '\? :' takes true or false/],
    ['v.all(each, each)', [1], /row \[1\]: 'all' takes true or false/],
    ['v.exists_one(each, each > 0)', [1, 'a'], /row \[1\]: no such overload: string > int/],
    ['v.exists(each, each > 5)', [1, 'a'], /row \[1\]: no such overload: string > int/],
    ['v.all(each, each > 0)', 1, /row \[1\]: 'all' takes a list, not a value of type int/],
  ] as const) {
    it(`refuses a row for which ${expression} has no answer, with a value of ${typeof v}`, async () => {
      await rejects(isTrue(expression, v, 'b'), refusal(message, 'failure', /--filter/));
    });
  }

  for (const [expression, message, hint = /./] of [
    ['id >', /^where 'app:users: id >': Unexpected token: EOF, at its end$/],
    ['id ==\n\n1 &&', /^where 'app:users: id == 1 &&': Unexpected token: EOF, at its end$/],
    ['id = 1', /Unexpected character: =, at '= 1'$/],
    ['age > 1', /field 'age' does not exist, at 'age > 1'$/, /the format has id; v; w; first name/],
    ['field("age") > 1', /field 'age' does not exist/, /the format has id/],
    ['field(v) > 1', /field\(\) takes one name in quotes/],
    ['field(-1) > 1', /field\(\) takes one name in quotes/],
    ['type == "x"', /'type' is a reserved word/, /write field\("type"\)/],
    ['package == "x"', /Reserved identifier: package/, /field\("other name"\)/],
    ['id', /its result has the type int, and must be true or false/],
    ['id == "x"', /no such overload: int == string, at 'id == "x"'$/],
    ['id + 0.5 > v', /'\+' may round here/],
    ['id + "x" == "1x"', /no such overload: int \+ string/],
    ['id - "x" == 1', /no such overload: int - string/],
    ['id && true', /'&&' takes true or false, not a value of type int/],
    ['!id', /no such overload: !int/],
    ['id.a == 1', /a value of type int has no members/],
    ['has(id.a)', /a value of type int has no members/],
    ['id[0] == 1', /a value of type int has no members/],
    ['v[true] == 1', /an index cannot have the type bool/],
    ['1 in id', /no such overload: int in int/],
    ['id.exists(x, x == 1)', /'exists' takes a list, not a value of type int/],
    ['v.exists(x, 1)', /'exists' takes true or false, not a value of type int/],
    ['v.exists(x, x == 1) && x == 1', /field 'x' does not exist, at 'x == 1'/],
    ['x.exists(x, x == 1)', /field 'x' does not exist, at 'x\.exists/],
    ['v.size(1) == 1', /'size' cannot be called like this/],
    ['v.exists(x, y, true)', /'exists' cannot be called like this/],
    ['has(v)', /'has' cannot be called like this/],
    ['constructor == "x"', /field 'constructor' does not exist/],
    ['v.toString()', /function 'toString' does not exist/],
    [`${Array(600).fill('id').join(' + ')} > 1`, /nests deeper than 500 parts/, /--filter/],
    ['v * 1.1 > 1', /'\*' may round here/],
    ['id / 2 == 1', /'\/' would round/],
    ['v == 9007199254740993.0', /a double cannot hold 9007199254740993\.0 exactly/],
    ['v == 1.00000000000000000001', /a double cannot hold .* exactly/],
    ['v > 1e-400', /a double cannot hold .* exactly/],
    ['v == 5u', /numbers have no suffix here/],
    ['v == b"é"', /bytes must be written in ASCII/],
    ['v == {"a": 1}', /a map cannot be written here/],
    ['v.matches("(a+)+b")', /function 'matches' does not exist/, /startsWith/],
    ['double(v) == 1.0', /function 'double' does not exist/],
    ['v.constructor("x")', /function 'constructor' does not exist/],
    ['process.exit()', /function 'exit' does not exist/],
    [`${'('.repeat(1000)}id == 1${')'.repeat(1000)}`, /Exceeded maxDepth/],
  ] as const) {
    it(`refuses ${expression.slice(0, 40)} before the first row`, async () => {
      await rejects(isTrue(expression, 1), refusal(message, 'usage', hint));
    });
  }

  it('reads fields and types with the names of properties of every JavaScript object', async () => {
    for (const name of ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__']) {
      const format = [
        { name: 'id', type: 'unsigned' },
        { name, type: 'string' },
        { name: 'other', type: name },
      ];
      const own = name === '__proto__' ? 'field("__proto__")' : name;
      equal(await isKept(format, `${own} == "a" && other == 5`, [1, 'a', 5]), true, name);
      equal(await isKept(format, `field("${name}") == "a"`, [1, 'b', 5]), false, name);
    }
  });

  it('checks the type of a field before the first row, if the field is never null', async () => {
    for (const [type, expression, expected] of [
      ['double', 'f == 0 && f != 1 && f < 1 && f > -1 && f in [0]', true],
      ['integer', 'f == 0.0 && f < 0.5 && f >= 0.0', true],
      ['unsigned', 'f == 0 && f != null', true],
      ['number', 'f == 0 && f < 0.5', true],
    ] as const) {
      const format = [
        { name: 'id', type: 'unsigned' },
        { name: 'f', type },
      ];
      const value = type === 'double' ? new Double(0) : 0;
      equal(await isKept(format, expression, [1, value]), expected, type);
    }
  });

  // Such a row used to be decoded to objects of some gigabytes.
  it('decodes only the parts of a large field that are read', async () => {
    const count = 2_000_000;
    const maps = Buffer.alloc(count + 5, 0x80);
    maps[0] = 0xdd;
    maps.writeUInt32BE(count, 1);
    const before = process.memoryUsage().heapUsed;
    equal(await isTrue('v != null && size(v) == 2000000 && v[1] != 5', new Raw(maps)), true);
    ok(process.memoryUsage().heapUsed - before < 20e6);
  });

  const many = Array.from({ length: 4000 }, (_, i) => i);
  const text = 'ab'.repeat(1_000_000);
  for (const [expression, v, w] of [
    ['v.all(x, v.all(y, v.all(z, x + y + z >= 0)))', many, 1],
    ['v.map(x, v.map(y, v)) == []', many, 1],
    ['v.map(x, v.map(y, [x, y])).size() == 1', many, 1],
    ['v.exists(x, v.exists(y, x.a == y.a))', many, 1],
    ['v.all(x, w.contains("b" + w) == false)', many, text],
    ['v.all(x, w + w != "")', many, text],
    ['v.all(x, size(w) > x)', many, text],
    ['v.all(x, w >= w && w == w)', many, text],
    ['v.all(x, v.all(y, v[3999] > 5))', many, 1],
    [
      'v == v',
      { a: Object.fromEntries(Array.from({ length: 110_000 }, (_, i) => [`k${i}`, i])) },
      1,
    ],
    ['v.all(x, w.a == 1)', many, { b: many.concat(many), c: many.concat(many), a: 1 }],
    ['v.exists(x, x == -1) || v.all(x, v.all(y, v.all(z, true))) || true', many, 1],
  ] as const) {
    it(`ends ${expression} within a second of work`, async () => {
      const budget = new Budget();
      const field = (position: number): FieldOfRow => ({ position, type: 'dyn' });
      const fields = new Map([
        ['v', field(0)],
        ['w', field(1)],
      ]);
      const predicate = await compileExpression(expression, fields, 'x', budget);
      const tuple = Tuple.from([v, w]);
      budget.begin();
      const before = process.cpuUsage();
      const message = /^the expression takes more than 5,000,000 steps for this row$/;
      throws(() => predicate(tuple), refusal(message, 'failure', /--filter/));
      ok(process.cpuUsage(before).user < 1_000_000);
    });
  }

  // The bytes used to be skipped first and paid for later.
  it('skips no more of a list than its steps allow', async () => {
    const count = 100_000_000;
    const list = Buffer.concat([coded(0xdd, 4, count), Buffer.alloc(count, 1)]);
    const tuple = Tuple.from([new Raw(Buffer.concat([Buffer.of(0x92), list, Buffer.of(7)]))]);
    const budget = new Budget();
    const fields = new Map([['v', { position: 0, type: 'dyn' } as const]]);
    const predicate = await compileExpression('v[1] == 7', fields, 'x', budget);
    budget.begin();
    const before = process.cpuUsage();
    throws(() => predicate(tuple), /more than 5,000,000 steps/);
    ok(process.cpuUsage(before).user < 1_000_000);
  });

  it('gives each row its own steps, which all of its expressions share', async () => {
    const expression = 'v.all(x, v.all(y, x + y >= 0))';
    const row = [1, many.slice(0, 600)];
    equal((await kept([expression], [row, row, row])).count, 3);
    await rejects(kept([expression, expression, expression], [row]), /more than 5,000,000 steps/);
  });

  it('refuses integers that grow without end', async () => {
    const product = Array(100).fill('v').join(' * ');
    await rejects(isTrue(`${product} == 1`, 2n ** 64n - 1n), /more than 4,096 bits/);
  });

  it('parses thousands of conditions in one expression', async () => {
    const ids = Array.from({ length: 5000 }, (_, i) => `id == ${i + 1}`);
    equal(await isTrue(ids.reverse().join(' || ')), true);
  });

  it('refuses a space that does not exist', async () => {
    const filter = keepWhere([parseWhere('user: id > 1')]);
    await rejects(
      Promise.resolve().then(() => filter.head(headOf(SPACES))),
      refusal(/where 'user: id > 1': space 'user' does not exist/, 'usage', /app:users; others/),
    );
  });

  // Expressions for the previous backup used to be applied to the space with the same id.
  it('looks up the spaces of each backup again', async () => {
    const filter = keepWhere([parseWhere('app:users: id > 1')]);
    await filter.head(headOf(SPACES));
    const [users, others] = SPACES[280]!;
    const swapped = [
      [512, ...others!.slice(1)],
      [513, ...users!.slice(1)],
    ];
    await filter.head(headOf({ ...SPACES, 280: swapped as (typeof SPACES)[280] }));
    const bytes = encode([1]);
    const space = { id: 512, name: 'others', engine: 'memtx' };
    let count = 0;
    for await (const batch of filter.rows!({ kind: 'tuples', space, count: 1, bytes })) {
      count += batch.count;
    }
    equal(count, 1);
  });
});
