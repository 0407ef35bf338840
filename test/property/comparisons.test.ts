import { deepEqual, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { TntarError } from '../../lib/errors.js';
import { compileExpression } from '../../lib/filters/expression.js';
import { Double } from '../../lib/tuple/carried.js';
import { Tuple } from '../../lib/tuple/tuple.js';
import { startServer, type TestServer } from '../support/server.js';
import { holds } from './runs.js';

/** A number of a field, and of a fraction: all doubles are whole numbers by a power of two. */
interface Num {
  type: 'int' | 'double';
  value: bigint | number;
}

const EDGES = [0n, 1n, 2n ** 31n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
const whole = fc
  .oneof(
    fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n),
    fc.bigInt(-3n, 3n),
    fc.tuple(fc.constantFrom(...EDGES), fc.bigInt(-2n, 2n)).map(([edge, by]) => edge + by),
  )
  .filter((value) => value >= -(2n ** 63n) && value < 2n ** 64n);
const int: fc.Arbitrary<Num> = whole.map((value) => ({ type: 'int', value }));
const double: fc.Arbitrary<Num> = fc
  .oneof(fc.double({ noNaN: true }), whole.map(Number), fc.constantFrom(0.5, -0.5, 1.5))
  .map((value) => ({ type: 'double', value }));
const num = fc.oneof(int, double);
const OPERATORS = ['<', '<=', '>', '>=', '==', '!='] as const;

const raw = ({ type, value }: Num): unknown =>
  type === 'int' ? value : new Double(value as number);
const NAMES = ['a', 'b', 'c'];
const POSITIONS = new Map(NAMES.map((name, i) => [name, i]));
const tupleOf = (values: readonly Num[]): Tuple => Tuple.from(values.map(raw), POSITIONS);

async function decide(
  expression: string,
  values: readonly Num[],
  isTyped: boolean,
): Promise<boolean | string> {
  const types = new Map(
    NAMES.map((name, i) => [name, isTyped ? (values[i]?.type ?? 'dyn') : 'dyn']),
  );
  try {
    return (await compileExpression(expression, types, 'test'))(tupleOf(values));
  } catch (error) {
    if (!(error instanceof TntarError)) throw error;
    return error.message;
  }
}

/** In Lua, exactly as in the source; Lua itself would round integers. */
const luaOf = ({ type, value }: Num): string => {
  if (type === 'double') {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value as number);
    return `double('${bytes.toString('hex')}')`;
  }
  return (value as bigint) < 0n ? `tonumber64('${value}')` : `tonumber64('${value}')`;
};

/** -1, 0 or 1 by the order of an index, for each pair. */
const ORDER = `
  local ffi = require('ffi')
  local known = {tonumber64 = tonumber64, double = function(hex)
    return ffi.cast('double', ffi.cast('double *', ffi.cast('const char *', hex:fromhex()))[0])
  end}
  local key = require('key_def').new({{fieldno = 1, type = 'number'}})
  local orders = {}
  for _, pair in ipairs(...) do
    local two = setfenv(assert(loadstring('return {{' .. pair[1] .. '}, {' .. pair[2] .. '}}')), known)()
    local order = key:compare(box.tuple.new(two[1]), box.tuple.new(two[2]))
    table.insert(orders, order < 0 and -1 or order > 0 and 1 or 0)
  end
  return orders`;

const decidedBy = (order: number): Record<(typeof OPERATORS)[number], boolean> => ({
  '<': order < 0,
  '<=': order <= 0,
  '>': order > 0,
  '>=': order >= 0,
  '==': order === 0,
  '!=': order !== 0,
});

describe('comparisons of --where', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.stop());

  holds(
    'order integers and doubles as an index of the server does',
    100,
    fc.asyncProperty(
      fc.array(fc.tuple(num, num), { minLength: 1, maxLength: 20 }),
      async (pairs) => {
        const orders = await server.eval<number[]>(
          ORDER,
          pairs.map((pair) => pair.map(luaOf)),
        );
        for (const [i, pair] of pairs.entries()) {
          for (const isTyped of [true, false]) {
            const decided = await Promise.all(
              OPERATORS.map(async (operator) => [
                operator,
                await decide(`a ${operator} b`, pair, isTyped),
              ]),
            );
            deepEqual(
              Object.fromEntries(decided),
              decidedBy(orders[i]!),
              pair.map(luaOf).join(' '),
            );
          }
        }
      },
    ),
  );

  const sum = fc.letrec<{ sum: [string, (values: bigint[]) => bigint] }>((tie) => ({
    sum: fc.oneof(
      { maxDepth: 4 },
      fc
        .constantFrom(...NAMES)
        .map((name): [string, (values: bigint[]) => bigint] => [
          name,
          (values) => values[NAMES.indexOf(name)]!,
        ]),
      fc.nat(9).map((value): [string, () => bigint] => [`${value}`, () => BigInt(value)]),
      fc
        .tuple(fc.constantFrom('+', '-', '*', '%'), tie('sum'), tie('sum'))
        .map(([operator, [a, fa], [b, fb]]): [string, (values: bigint[]) => bigint] => [
          `(${a} ${operator} ${b})`,
          (values) => {
            const [x, y] = [fa(values), fb(values)];
            if (operator === '+') return x + y;
            if (operator === '-') return x - y;
            return operator === '*' ? x * y : x % y;
          },
        ]),
    ),
  })).sum;

  let compared = 0;
  holds(
    'calculate with integers without an end of their range',
    1000,
    fc.asyncProperty(
      sum,
      sum,
      fc.array(int, { minLength: 3, maxLength: 3 }),
      async (a, b, values) => {
        const numbers = values.map(({ value }) => value as bigint);
        let expected: boolean;
        try {
          expected = a[1](numbers) < b[1](numbers);
        } catch {
          return; // modulo by zero
        }
        compared++;
        deepEqual(await decide(`${a[0]} < ${b[0]}`, values, true), expected);
      },
    ),
    (tries) => ok(compared > tries / 2),
  );
});
