import { deepEqual, equal } from 'node:assert/strict';
import type { Bucket, BucketState, Buckets } from '../../../lib/cluster/buckets.js';
import { decideOwners, ownerOf, type Verdict } from '../../../lib/cluster/owners.js';

/** A bucket by a word, e.g. `active`, or `active 3` with its generation; `-` if the shard does not have it. */
function bucket(word: string): Bucket | undefined {
  if (word === '-') return undefined;
  const [state, generation = '0'] = word.split(' ');
  return { state: state as BucketState, generation: Number(generation) };
}

describe('the owner of a bucket', () => {
  for (const [title, claims, expected] of [
    ['is the shard where it is active', ['-', 'active'], 2],
    ['is the shard where it is pinned', ['pinned', '-'], 1],
    ['is the active one while the other has it as garbage', ['garbage', 'active 1'], 2],
    ['is the active one while the other has sent it', ['sent 1', 'active 1'], 2],
    ['is the sender until the receiver has all of it', ['sending 1', 'receiving 1'], 1],
    [
      'is the sender that has sent it, while the receiver does not know',
      ['sent 1', 'receiving 1'],
      1,
    ],
    ['is the sender if the view of the receiver is from before', ['sent 1', '-'], 1],
    ['is the shard where it is about to move away', ['readonly', '-'], 1],
    ['is the later of two that have it active', ['active 4', 'active 5'], 2],
    ['is the later of two that have it active, whichever comes first', ['active 5', 'active 4'], 1],
    ['is the active one, though a sender is later', ['active 4', 'sending 6', '-'], 1],
    [
      'is the one that is about to send it, though another one has sent it',
      ['sent 2', 'readonly 2'],
      2,
    ],
    ['is twice if two have it active of one generation', ['active 4', 'active 4'], 'twice'],
    ['is one of three if two of them are older', ['active 4', 'active 4', 'active 5'], 3],
    ['is none if nobody has it', ['-', '-'], 'none'],
    ['is none if it only comes', ['receiving 1', '-'], 'none'],
    ['is none if it is only garbage', ['garbage', 'garbage'], 'none'],
    ['is the pinned one before an older active one', ['active 1', 'pinned 2'], 2],
  ] as [string, string[], Verdict][]) {
    it(title, () => {
      equal(ownerOf(claims.map(bucket)), expected);
    });
  }
});

describe('the owners of all buckets', () => {
  /** A shard by its buckets, in words. */
  const shard = (buckets: Record<number, string>): Buckets =>
    new Map(Object.entries(buckets).map(([id, word]) => [Number(id), bucket(word)!]));
  const still = (buckets: Record<number, string>) => {
    const seen = shard(buckets);
    return { before: seen, after: seen };
  };

  it('are found by number', () => {
    const { owners, none, twice, unsure } = decideOwners([
      still({ 1: 'active', 2: 'active' }),
      still({ 3: 'active' }),
    ]);
    deepEqual([...owners], [0, 1, 1, 2]);
    deepEqual([none, twice, unsure], [[], [], []]);
  });

  it('are missing for a bucket that no shard has, also behind the last one', () => {
    deepEqual(decideOwners([still({ 1: 'active', 3: 'active' })]).none, [2]);
    deepEqual(decideOwners([still({ 1: 'active' })], 4).none, [2, 3, 4]);
  });

  it('are certain if a bucket changed and stayed with its shard', () => {
    const changing = { before: shard({ 1: 'active 1' }), after: shard({ 1: 'readonly 1' }) };
    const { owners, unsure } = decideOwners([changing, still({ 2: 'active' })]);
    deepEqual([[...owners], unsure], [[0, 1, 2], []]);
  });

  it('are not certain if a bucket arrived while the view was opened', () => {
    const receiver = { before: shard({ 1: 'receiving 2' }), after: shard({ 1: 'active 2' }) };
    const { owners, unsure } = decideOwners([still({ 1: 'sent 2' }), receiver]);
    deepEqual([[...owners], unsure], [[0, 0], [1]]);
  });

  it('are not certain if a bucket appeared while the view was opened', () => {
    const receiver = { before: shard({}), after: shard({ 1: 'active 2' }) };
    deepEqual(decideOwners([still({ 1: 'sent 2' }), receiver]).unsure, [1]);
    deepEqual(decideOwners([still({}), receiver]).unsure, [1]);
  });

  it('are none where there is no bucket at all', () => {
    deepEqual([...decideOwners([still({}), still({})]).owners], [0]);
  });
});
