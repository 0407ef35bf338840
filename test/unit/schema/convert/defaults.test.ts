import { deepEqual, equal } from 'node:assert/strict';
import { parseDefault } from '../../../../lib/schema/convert/defaults.js';
import { float64, type Plain, pack } from '../../../support/msgpack.js';

/** Returns the bytes of the value, the expression, or any other result. */
function parsed(sql: string, type: string, source: [number, number] = [2, 11]): unknown {
  const result = parseDefault(sql, type, source);
  if (result === null || result === undefined) return result;
  return 'value' in result ? result.value.toString('hex') : result.expression;
}

describe('a default of 2.x, as a value', () => {
  const cases: [sql: string, type: string, value: Plain][] = [
    ["'Brno'", 'string', 'Brno'],
    ["'it''s'", 'any', "it's"],
    ["''", 'scalar', ''],
    ['5', 'integer', 5],
    ['+5', 'unsigned', 5],
    ['-5', 'number', -5],
    ['- 5', 'integer', -5],
    ['0x10', 'unsigned', 16],
    ['18446744073709551615', 'unsigned', 18446744073709551615n],
    ['-9223372036854775808', 'integer', -9223372036854775808n],
    ['4294967296', 'integer', 4294967296n],
    ['5', 'any', 5],
    ['1', 'double', float64(1)],
    ['1.5', 'double', float64(1.5)],
    ['-0.5', 'double', float64(-0.5)],
    ['1e3', 'number', float64(1000)],
    ['1.5e-3', 'scalar', float64(0.0015)],
    ['true', 'boolean', true],
    ['FALSE', 'any', false],
    ["x'ff00'", 'varbinary', Buffer.of(0xc4, 2, 0xff, 0)],
  ];
  for (const [sql, type, value] of cases) {
    it(`reads ${sql} of a field of type ${type}`, () => {
      equal(parsed(sql, type), pack(value).toString('hex'));
    });
  }

  it('is a double before 2.10, which made it a decimal', () => {
    equal(parsed('1.5', 'number', [2, 6]), float64(1.5).toString('hex'));
    equal(parsed('1.5', 'number', [2, 10]), '(CAST((1.5) AS NUMBER))');
    equal(parsed('1.5', 'any', [2, 10]), '(1.5)');
  });

  it('is missing for NULL', () => {
    for (const sql of ['NULL', 'null', '/* no */ NULL']) equal(parsed(sql, 'string'), undefined);
  });
});

describe('a default of 2.x, as a function', () => {
  const cases: [sql: string, type: string, expression: string][] = [
    ["UPPER('x') || 'y'", 'string', "(UPPER('x') || 'y')"],
    ["'a' || 'b'", 'string', "('a' || 'b')"],
    ['UUID()', 'uuid', '(UUID())'],
    ['NOT true', 'boolean', '(NOT true)'],
    ['1 + 2', 'integer', '(CAST((1 + 2) AS INTEGER))'],
    ['1.0', 'integer', '(CAST((1.0) AS INTEGER))'],
    ['1', 'decimal', '(CAST((1) AS DECIMAL))'],
    ['18446744073709551616', 'unsigned', '(CAST((18446744073709551616) AS UNSIGNED))'],
    ['-1', 'unsigned', '(CAST((-1) AS UNSIGNED))'],
  ];
  for (const [sql, type, expression] of cases) {
    it(`is ${sql} of a field of type ${type}`, () => equal(parsed(sql, type), expression));
  }

  it('fails on insert as before if the value does not have the type', () => {
    equal(parsed("'5'", 'integer'), "('5')");
    equal(parsed('5', 'string'), '(5)');
  });

  it('is refused if it uses a name, because it is not a constant then', () => {
    deepEqual(
      ['filled', '"Brno"', 'a + 1', 'UPPER(name)'].map((sql) => parsed(sql, 'string')),
      [null, null, null, null],
    );
  });
});
