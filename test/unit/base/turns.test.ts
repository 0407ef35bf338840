import { equal, rejects } from 'node:assert/strict';
import { inTurns } from '../../../lib/base/turns.js';

describe('work in turns', () => {
  it('returns what the work returns', async () => {
    function* work(): Generator<void, number> {
      yield;
      return 5;
    }
    equal(await inTurns(work(), new AbortController().signal), 5);
  });

  it('ends at the next turn if its signal is aborted, and closes the work', async () => {
    const stop = new AbortController();
    let isClosed = false;
    function* endless(): Generator<void, never> {
      try {
        for (;;) yield;
      } finally {
        isClosed = true;
      }
    }
    setTimeout(() => stop.abort(new Error('stopped')), 10);
    await rejects(inTurns(endless(), stop.signal), /stopped/);
    equal(isClosed, true);
  });
});
