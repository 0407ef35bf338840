import { deepEqual, equal, rejects } from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { interleaved } from '../../../lib/flow/interleave.js';

/** A stream whose items come when they are given. */
class Hand<T> {
  #give: ((result: IteratorResult<T>) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;
  asked = 0;
  isReturned = false;

  give(value: T): void {
    this.#give!({ done: false, value });
  }

  end(): void {
    this.#give!({ done: true, value: undefined });
  }

  fail(error: Error): void {
    this.#fail!(error);
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return {
      next: () => {
        this.asked++;
        return new Promise<IteratorResult<T>>((resolve, reject) => {
          this.#give = resolve;
          this.#fail = reject;
        });
      },
      return: async () => {
        this.isReturned = true;
        return { done: true, value: undefined };
      },
    };
  }
}

async function* of<T>(...items: T[]): AsyncGenerator<T> {
  yield* items;
}

describe('several streams as one', () => {
  it('give all items, each with the position of its stream', async () => {
    const got: [number, string][] = [];
    const streams = [of('a', 'b'), of<string>(), of('c')];
    for await (const { index, item } of interleaved(streams)) got.push([index, item]);
    deepEqual(
      got.filter(([index]) => index === 0),
      [
        [0, 'a'],
        [0, 'b'],
      ],
    );
    deepEqual(
      got.filter(([index]) => index !== 0),
      [[2, 'c']],
    );
  });

  it('end at once if there are none', async () => {
    for await (const _ of interleaved([])) throw new Error('an item came');
  });

  it('go on while one of them is silent', async () => {
    const [silent, busy] = [new Hand<number>(), new Hand<number>()];
    const items = interleaved([silent, busy]);
    for (let i = 0; i < 3; i++) {
      const next = items.next();
      await setImmediate();
      busy.give(i);
      deepEqual((await next).value, { index: 1, item: i });
    }
    equal(silent.asked, 1);
    await items.return(undefined);
  });

  it('are not asked for more than one item ahead', async () => {
    const hand = new Hand<number>();
    const items = interleaved([hand]);
    const first = items.next();
    await setImmediate();
    hand.give(1);
    await first;
    await setImmediate();
    equal(hand.asked, 1);
    void items.next();
    await setImmediate();
    equal(hand.asked, 2);
  });

  it('end with the error of the first that fails, and the others are returned', async () => {
    const [failing, other] = [new Hand<number>(), new Hand<number>()];
    const items = interleaved([failing, other]);
    const next = items.next();
    await setImmediate();
    failing.fail(new Error('lost'));
    await rejects(next, /lost/);
    deepEqual([failing.isReturned, other.isReturned], [false, true]);
  });

  it('are returned if nobody reads on', async () => {
    const hand = new Hand<number>();
    const items = interleaved([hand, of(1)]);
    await items.next();
    await items.return(undefined);
    equal(hand.isReturned, true);
  });

  it('may end while others go on', async () => {
    const hand = new Hand<number>();
    const items = interleaved([of<number>(), hand]);
    const next = items.next();
    await setImmediate();
    hand.give(7);
    deepEqual((await next).value, { index: 1, item: 7 });
    const last = items.next();
    await setImmediate();
    hand.end();
    equal((await last).done, true);
  });
});
