import { deepEqual, equal } from 'node:assert/strict';
import { BUILTINS, questionAbout, SqlFunctions } from '../../../../lib/schema/sql/functions.js';
import type { Plain } from '../../../support/msgpack.js';
import { catalogOf } from '../catalogs.js';

/** Returns a row of `_func` of a function in Lua. */
function lua(id: number, name: string, parameters: string[], exports: string[]): Plain[] {
  const rest = ['any', 'none', 'none', true, true, true, exports, {}, '', '', ''];
  return [id, 1, name, 0, 'LUA', 'function() end', 'function', parameters, ...rest];
}

const FUNCTIONS = new SqlFunctions(
  [3, 0],
  [
    catalogOf({
      296: [
        lua(70, 'TAX', ['number'], ['LUA', 'SQL']),
        lua(71, 'next_no', [], ['SQL']),
        lua(72, 'HIDDEN', [], ['LUA']),
      ],
    }),
  ],
);

describe('the functions that SQL can call', () => {
  it('include built-in functions, with the numbers of their arguments', () => {
    equal(BUILTINS.size, 42);
    deepEqual(BUILTINS.get('ROUND'), [1, 2]);
    deepEqual(BUILTINS.get('COALESCE'), [2, Number.POSITIVE_INFINITY]);
    deepEqual(BUILTINS.get('NOW'), [0, 0]);
  });

  const good = [
    `("UPPER"('a') || upper('b'))`,
    `("COALESCE"(NULL, ("ABS"(-1)), 1))`,
    `replace('a', 'b', 'c')`,
    `CAST((TRIM(BOTH 'a' FROM 'b')) AS VARCHAR(10))`,
    `("A" IN (1, 2) AND ("B" = 1))`,
    `("COUNT"(*))`,
    `('f(' || 'nosuch(1)') -- nosuch()`,
    `("TAX"(1) + tax("ABS"(2)))`,
    `("next_no"() + next_no())`,
    `("B" LIKE ('a', 'b'))`,
  ];
  for (const sql of good)
    it(`are sufficient for ${sql}`, () => equal(FUNCTIONS.problemOf(sql), undefined));

  const bad: [sql: string, problem: string][] = [
    [`("NOSUCH"())`, "function 'NOSUCH' does not exist"],
    [`(1 + (nosuch(1)))`, "function 'nosuch' does not exist"],
    // The server has it in upper case only.
    [`("upper"('a'))`, "function 'upper' does not exist"],
    [`("JULIANDAY"('now'))`, "function 'JULIANDAY' does not exist"],
    [`("NEXT_NO"())`, "function 'NEXT_NO' does not exist"],
    [`("HIDDEN"())`, "function 'HIDDEN' is not exported to SQL"],
    [`("MAX"(1, 2))`, "function 'MAX' cannot be called with 2 arguments"],
    [`("TAX"())`, "function 'TAX' cannot be called with 0 arguments"],
    [`("UPPER"(("HIDDEN"())))`, "function 'HIDDEN' is not exported to SQL"],
    [`("ROUND"("ABS"(1, 2), (3)))`, "function 'ABS' cannot be called with 2 arguments"],
  ];
  for (const [sql, problem] of bad) {
    it(`are not sufficient for ${sql}: ${problem}`, () => equal(FUNCTIONS.problemOf(sql), problem));
  }

  it('are distinguished from built-in functions in an expression', () => {
    deepEqual(FUNCTIONS.calledBy('("UPPER"(tax(1)) || "next_no"() || nosuch())'), [
      'TAX',
      'next_no',
    ]);
  });
});

describe('a question about an expression', () => {
  const cases: [sql: string, question: string][] = [
    [`("HEX"('a'))`, `SELECT (("HEX"('a')))`],
    [
      '"UPPER"("a") > b AND "a" > 1',
      'SELECT ("UPPER"("a") > b AND "a" > 1) FROM (SELECT CAST(NULL AS ANY) AS "a", CAST(NULL AS ANY) AS b)',
    ],
    [
      '"a" COLLATE "unicode" = CAST(1 AS STRING)',
      'SELECT ("a" COLLATE "unicode" = CAST(1 AS STRING)) FROM (SELECT CAST(NULL AS ANY) AS "a")',
    ],
  ];
  for (const [sql, question] of cases) {
    it(`is ${question}`, () => equal(questionAbout(sql, [3, 0]), question));
  }
});
