import { deepEqual, equal, match } from 'node:assert/strict';
import { TntarError } from '../../../lib/base/errors.js';
import { planRestore } from '../../../lib/schema/plan/plan.js';
import { type Load, loadsOf, shortagesOf, withRoomHint } from '../../../lib/sinks/capacity.js';
import { catalogOf, EMPTY, indexRow, type SystemRows, spaceRow } from '../schema/catalogs.js';

const MIB = 1024 * 1024;
const CAPACITY = { largest: { memtx: MIB, vinyl: 2 * MIB }, memory: 64 * MIB, used: MIB, freed: 0 };

function load(given: Partial<Load>): Load {
  const size = { rows: 1, bytes: 10 };
  return { id: 512, name: 's', engine: 'memtx', isCompressed: false, size, ...given };
}

const settings = (loads: Load[], capacity = CAPACITY): unknown[] =>
  shortagesOf(loads, capacity).map(({ setting, least }) => [setting, least]);

describe('a shortage of room on the target', () => {
  it('is found for a row that exceeds the limit of the engine together with its header', () => {
    const size = (largest: number) => ({ rows: 1, bytes: largest, largest });
    deepEqual(settings([load({ size: size(MIB - 10) })]), []);
    deepEqual(settings([load({ size: size(MIB - 9) })]), [['memtx_max_tuple_size', MIB + 1]]);
    deepEqual(settings([load({ engine: 'vinyl', size: size(MIB) })]), []);
    deepEqual(settings([load({ engine: 'vinyl', size: size(3 * MIB) })]), [
      ['vinyl_max_tuple_size', 3 * MIB + 10],
    ]);
    const [shortage] = shortagesOf([load({ size: size(MIB) })], CAPACITY);
    equal(
      shortage?.what,
      "space 's': a row has 1048576 bytes, and the target allows 1048576 (memtx_max_tuple_size)",
    );
  });

  it('is found for rows of memtx that need more memory than is left', () => {
    const rows = (bytes: number, count = 0) => load({ size: { rows: count, bytes } });
    deepEqual(settings([rows(63 * MIB)]), []);
    deepEqual(settings([rows(63 * MIB), rows(1)]), [['memtx_memory', 64 * MIB + 1]]);
    // A row also takes a header, and its address in the primary index.
    const many = load({ size: { rows: MIB, bytes: 49 * MIB } });
    deepEqual(settings([many]), []);
    deepEqual(settings([many, rows(1)]), [['memtx_memory', 64 * MIB + 1]]);
    deepEqual(settings([load({ engine: 'vinyl', size: { rows: 1, bytes: 999 * MIB } })]), []);
  });

  it('does not count the memory of spaces that are dropped, emptied or overwritten', () => {
    const full = { ...CAPACITY, used: 60 * MIB };
    const size = { rows: 0, bytes: 50 * MIB };
    deepEqual(settings([load({ size })], full), [['memtx_memory', 110 * MIB]]);
    deepEqual(settings([load({ size })], { ...full, freed: 55 * MIB }), []);
    deepEqual(settings([load({ size })], { ...full, freed: 99 * MIB }), []);
  });

  it('is not found for unknown figures or compressed rows', () => {
    deepEqual(
      settings([load({ engine: 'blackhole', size: { rows: 1, bytes: 1, largest: 9 * MIB } })]),
      [],
    );
    const size = { rows: 1, bytes: 99 * MIB, largest: 9 * MIB };
    deepEqual(settings([load({ size, isCompressed: true })]), []);
    deepEqual(settings([load({ size: { rows: 1, bytes: 1, atMost: 9 * MIB } })]), []);
  });
});

describe('loadsOf', () => {
  const backup: SystemRows = {
    280: [
      spaceRow(512, 'new', { format: [{ name: 'id', compression: 'zstd' }] }),
      spaceRow(513, 'there', { engine: 'vinyl' }),
      spaceRow(514, 'unknown'),
    ],
    288: [512, 513, 514].flatMap((id) => [indexRow(id, 0, 'pk')]),
  };
  const target: SystemRows = {
    ...EMPTY,
    280: [spaceRow(600, 'there')],
    288: [indexRow(600, 0, 'pk'), indexRow(600, 1, 'second')],
  };
  const sizes = new Map([512, 513].map((id) => [id, { rows: id, bytes: id * 10 }]));

  it('lists new spaces and existing ones, which have the engine of the target', () => {
    const [ours, theirs] = [catalogOf(backup), catalogOf(target)];
    const plan = planRestore(ours, theirs, { existing: 'replace' });
    deepEqual(loadsOf(plan, sizes, ours, theirs, plan.made), [
      {
        id: 512,
        name: 'new',
        engine: 'memtx',
        size: { rows: 512, bytes: 5120 },
        isCompressed: true,
      },
      {
        id: 513,
        name: 'there',
        engine: 'memtx',
        size: { rows: 513, bytes: 5130 },
        isCompressed: false,
      },
    ]);
    const skip = planRestore(ours, theirs, { existing: 'skip' });
    deepEqual(
      loadsOf(skip, sizes, ours, theirs, skip.made).map(({ name }) => name),
      ['new'],
    );
  });
});

describe('withRoomHint', () => {
  for (const [serverCode, setting] of [
    [2, 'memtx_memory'],
    [110, 'memtx_max_tuple_size'],
    [139, 'vinyl_max_tuple_size'],
    [135, 'vinyl_memory'],
  ] as const) {
    it(`adds a hint that names ${setting} to error ${serverCode}`, () => {
      const {
        hint,
        message,
        serverCode: code,
      } = withRoomHint(new TntarError('failure', 'no', { serverCode }));
      match(hint ?? '', new RegExp(setting));
      deepEqual([message, code], ['no', serverCode]);
    });
  }

  it('adds no hint to other errors', () => {
    for (const details of [{}, { serverCode: 3 }]) {
      const error = new TntarError('failure', 'no', details);
      equal(withRoomHint(error), error);
    }
  });
});
