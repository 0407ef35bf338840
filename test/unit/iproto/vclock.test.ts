import { deepEqual, ok, throws } from 'node:assert/strict';
import { toVclock } from '../../../lib/iproto/vclock.js';
import { Opaque } from '../../../lib/tuple/exact-types.js';

describe('a vclock of a reply', () => {
  it('has a number for each replica, and is empty if the server sends none', () => {
    deepEqual(toVclock({ 0: 5, 1: 2n ** 53n - 1n }), { 0: 5, 1: 2 ** 53 - 1 });
    deepEqual(toVclock({}), {});
    deepEqual(toVclock(null), {});
    deepEqual(toVclock(undefined), {});
  });

  const invalid = /: an invalid vclock$/;
  for (const [title, value, message = invalid] of [
    ['a text', 'x'],
    ['a long text', 'x'.repeat(30_000_000)],
    ['bytes', Buffer.alloc(30_000_000)],
    ['an array', Array(1000).fill(1)],
    ['an extension', new Opaque(1, Buffer.of(1))],
    ['true', true],
    ['a number', 7],
    [
      'a map of too many replicas',
      Object.fromEntries(Array.from({ length: 33 }, (_, i) => [i, 1])),
      /: a vclock of 33 replicas$/,
    ],
    ['a map with a key that is no replica', { a: 1 }],
    ['a map with a text as a number', { 1: '5' }],
  ] as [string, unknown, RegExp?][]) {
    it(`cannot be ${title} and is refused at once`, () => {
      const before = process.cpuUsage();
      throws(() => toVclock(value), { kind: 'failure', message });
      // a walk through its characters would take seconds
      ok(process.cpuUsage(before).user < 1e6);
    });
  }
});
