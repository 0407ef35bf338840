import { deepEqual } from 'node:assert/strict';
import { ACCOUNTS, BALANCE, type Engine, type Facts, KEPT_MOVES } from './bank.js';
import { type Bounds, type DamageResult, differences, examine, rowsLacking } from './checks.js';

const LAST = 1000;
const journal = (last: number): Facts['journals'][number] => ({
  rows: KEPT_MOVES,
  first: last - KEPT_MOVES + 1,
  last,
});
const facts = (last: number, other = last): Record<Engine, Facts> => {
  const accounts = 2 * ACCOUNTS;
  const sums = { accounts, indexed: accounts, total: accounts * BALANCE };
  return {
    memtx: { ...sums, journals: [journal(last)] },
    vinyl: { ...sums, journals: [journal(other)] },
  };
};
const BOUNDS: Bounds = {
  least: { memtx: [LAST], vinyl: [LAST] },
  most: { memtx: [LAST + 5], vinyl: [LAST + 5] },
};

/** What is found where one thing is not as it should be. */
function found(change: (facts: Record<Engine, Facts>) => void): DamageResult {
  const changed = facts(LAST);
  change(changed);
  return examine(changed, BOUNDS);
}

describe('the checks of a soak', () => {
  it('find nothing if all rows are correct', () => {
    for (const last of [LAST, LAST + 1, LAST + 5]) {
      deepEqual(examine(facts(last), BOUNDS), { wrong: [], lost: 0 });
    }
    deepEqual(examine(facts(LAST + 1, LAST), BOUNDS), { wrong: [], lost: 0 });
  });

  it('find the moves that are missing at the end', () => {
    deepEqual(examine(facts(LAST - 2), BOUNDS), {
      wrong: ['memtx', 'vinyl'].map(
        (engine) => `${engine}, writer 1: ends with move ${LAST - 2} of ${LAST}`,
      ),
      lost: 4,
    });
  });

  it('find a missing row in the middle', () => {
    deepEqual(
      found(({ memtx }) => memtx.journals[0]!.rows--),
      {
        wrong: [`memtx, writer 1: ${KEPT_MOVES - 1} of ${KEPT_MOVES} rows up to move ${LAST}`],
        lost: 1,
      },
    );
  });

  it('find a row that was deleted', () => {
    const { wrong, lost } = found(({ vinyl }) => {
      const [first] = vinyl.journals;
      first!.rows++;
      first!.first--;
    });
    deepEqual([wrong.length, lost], [2, 0]);
  });

  it('find a move that nobody has made', () => {
    const { wrong } = examine(facts(LAST + 6), BOUNDS);
    deepEqual(
      wrong,
      ['memtx', 'vinyl'].map(
        (engine) => `${engine}, writer 1: has move ${LAST + 6}, and ${LAST + 5} was the last one`,
      ),
    );
  });

  it('find engines that are not from one moment', () => {
    for (const [memtx, vinyl] of [
      [LAST, LAST + 1],
      [LAST + 2, LAST],
    ] as const) {
      deepEqual(examine(facts(memtx, vinyl), BOUNDS), {
        wrong: [`writer 1: move ${memtx} in memtx, ${vinyl} in vinyl`],
        lost: 0,
      });
    }
  });

  it('find accounts that are missing, also in an index, and money that was added or lost', () => {
    deepEqual(
      found(({ memtx, vinyl }) => {
        memtx.accounts -= 2;
        memtx.indexed -= 3;
        vinyl.total -= 1;
      }),
      {
        wrong: [
          'memtx: 998 of 1000 accounts',
          'memtx: 997 of 998 accounts in the index',
          'vinyl: balances are 999999 together, and were 1000000',
        ],
        lost: 2,
      },
    );
  });

  it('find spaces that differ, and count the rows that are missing', () => {
    const expected = { a: { rows: 3, hash: 'x' }, b: { rows: 2, hash: 'y' } };
    const actual = { a: { rows: 3, hash: 'z' }, c: { rows: 1, hash: 'y' } };
    deepEqual(differences(expected, expected), []);
    deepEqual(differences(actual, expected), [
      'space a: 3 rows, and 3 expected',
      'space b: no rows, and 2 expected',
      'space c: 1 rows, and no expected',
    ]);
    deepEqual(rowsLacking(actual, expected), 2);
  });
});
