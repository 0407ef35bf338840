import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type Salvage, salvageable } from '../../../lib/archive/salvage.js';
import { type OpenFrom, survey } from '../../../lib/archive/survey.js';
import type { BackupItem } from '../../../lib/backup/item.js';
import { salvageSource } from '../../../lib/sources/salvage.js';
import {
  archive,
  contents,
  type Entry,
  entryContents,
  framed,
  goodEntries,
  jsonEntry,
  manifest,
  rowsEntry,
  sealed,
  skippableFrame,
  trailer,
} from '../../support/archive-builder.js';
import { bin } from '../../support/msgpack.js';
import { sweep } from '../../support/sweep.js';

/** From a byte on, in chunks that cut everything. */
const opener = (bytes: Buffer, chunk = 1000): OpenFrom =>
  async function* (start) {
    for (let at = start; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
  };

async function salvaged(bytes: Buffer): Promise<Salvage> {
  return salvageable(await survey(opener(bytes)));
}

/** Rows by the id of their space, as hexadecimal, system spaces included. */
async function rowsOf(bytes: Buffer, salvage: Salvage): Promise<Map<number, string>> {
  const rows = new Map<number, string>();
  let last: BackupItem | undefined;
  for await (const item of salvageSource(opener(bytes), salvage)) {
    last = item;
    if (item.kind !== 'tuples') continue;
    const { id } = item.space;
    rows.set(id, (rows.get(id) ?? '') + item.bytes.toString('hex'));
    item.release?.();
  }
  equal(last?.kind, 'end');
  return rows;
}

function rowsIn(entries: readonly Entry[]): Map<number, string> {
  const rows = new Map<number, string>();
  for (const { name, body } of entries) {
    const id = Number.parseInt(name, 10);
    if (!Number.isNaN(id)) rows.set(id, (rows.get(id) ?? '') + body.toString('hex'));
  }
  return rows;
}

const ENTRIES = goodEntries();
const ALL = rowsIn(ENTRIES);
const WHOLE = archive(sealed(ENTRIES));
/** Where each entry starts, and where the last ends, in compressed bytes. */
const STARTS = sealed(ENTRIES).map(
  (_, i) => framed(contents(sealed(ENTRIES)).slice(0, 2 * i)).length,
);

/** The first byte of each frame, and the last of the one before. */
const EDGES = STARTS.flatMap((start) => [start - 1, start]);

const frameOf = (name: string): number => STARTS[ENTRIES.findIndex((each) => each.name === name)]!;

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1 << (at % 8);
  return copy;
}

describe('of a damaged archive', () => {
  it('nothing is lost if it is complete', async () => {
    const { damages } = await survey(opener(WHOLE));
    deepEqual(damages, []);
    const salvage = await salvaged(WHOLE);
    deepEqual(salvage.lost, []);
    deepEqual(await rowsOf(WHOLE, salvage), ALL);
  });

  it('a bit that is flipped, at every byte, costs the space that it belongs to, and no other', async function () {
    this.timeout(120_000);
    for (const at of sweep(WHOLE.length, EDGES)) {
      const bytes = flipped(WHOLE, at);
      const entry = STARTS.findLastIndex((start) => start <= at);
      let salvage: Salvage;
      try {
        salvage = await salvaged(bytes);
      } catch (error) {
        match(String(error), /manifest is damaged/, `byte ${at}`);
        equal(entry, 0, `byte ${at}`);
        continue;
      }
      const rows = await rowsOf(bytes, salvage);
      for (const [id, hex] of rows) equal(hex, ALL.get(id), `byte ${at}, space ${id}`);
      const owner = Number.parseInt(sealed(ENTRIES)[entry]!.name, 10);
      const lost = [...ALL.keys()].filter((id) => !rows.has(id));
      deepEqual(
        salvage.lost.map(({ id }) => id).sort(),
        [...lost].sort(),
        `byte ${at}: what is lost is named`,
      );
      // where the trailer is damaged, of the last spaces nobody knows whether they were whole
      if (salvage.trailer !== undefined) {
        ok(
          lost.every((id) => id === owner),
          `byte ${at} of ${owner}: lost ${lost}`,
        );
      }
    }
  });

  it('the complete parts before a cut at any byte are kept, and the rest is named', async function () {
    this.timeout(120_000);
    for (const cut of sweep(WHOLE.length, EDGES)) {
      const bytes = WHOLE.subarray(0, cut);
      let salvage: Salvage;
      try {
        salvage = await salvaged(bytes);
      } catch (error) {
        match(String(error), /manifest is damaged|no space is whole/, `cut at ${cut}`);
        ok(cut < frameOf('513.dump.00001'), `cut at ${cut}`);
        continue;
      }
      const rows = await rowsOf(bytes, salvage);
      for (const [id, hex] of rows) equal(hex, ALL.get(id), `cut at ${cut}, space ${id}`);
      const lost = [...ALL.keys()].filter((id) => !rows.has(id));
      deepEqual(salvage.lost.map(({ id }) => id).sort(), lost.sort(), `cut at ${cut}`);
      equal(rows.has(512), cut >= STARTS.at(-1)!, `cut at ${cut}`);
    }
  });

  it('lost parts and their rows are counted', async () => {
    const { lost } = await salvaged(flipped(WHOLE, frameOf('513.dump.00001') + 8));
    deepEqual(lost, [{ id: 513, what: '513.dump.00001 (1 of 2 entries, 1 of 3 rows)' }]);
  });

  it('each damaged place is reported separately', async () => {
    const twice = flipped(flipped(WHOLE, frameOf('288.dump') + 8), frameOf('512.dump') + 8);
    const { damages } = await survey(opener(twice));
    deepEqual(
      damages.map(({ start, end }) => [start, end]),
      [
        [frameOf('288.dump'), frameOf('513.dump.00000')],
        [frameOf('512.dump'), STARTS.at(-1)],
      ],
    );
  });

  it('only the first thousand damaged places are searched, and the report says so', async () => {
    const bad = Buffer.concat([
      framed([...entryContents(ENTRIES[4]!)]).subarray(0, -1),
      Buffer.of(0),
    ]);
    const at = STARTS[4]!;
    for (const [places, gaveUp] of [
      [999, undefined],
      [1000, true],
    ] as const) {
      const all = Array<Buffer>(places).fill(bad);
      const surveyed = await survey(
        opener(Buffer.concat([WHOLE.subarray(0, at), ...all, WHOLE.subarray(at)]), 100_000),
      );
      equal(surveyed.damages.length, places);
      equal(surveyed.gaveUp, gaveUp);
      equal(surveyed.trailer === undefined, gaveUp === true);
    }
  });

  it('a body names its entry', async () => {
    const at = STARTS[5]! + 2;
    const { damages } = await survey(opener(flipped(WHOLE, STARTS[6]! - 6)));
    equal(damages[0]?.entry, '512.dump');
    ok(damages[0]!.start < at);
  });

  it('skippable frames and garbage between entries cost nothing', async () => {
    const [head, tail] = [WHOLE.subarray(0, STARTS[4]), WHOLE.subarray(STARTS[4])];
    for (const between of [skippableFrame(randomBytes(300)), randomBytes(3000), Buffer.alloc(9)]) {
      const bytes = Buffer.concat([head, between, tail]);
      deepEqual(await rowsOf(bytes, await salvaged(bytes)), ALL);
    }
  });

  it('garbage after the end is damage, and costs nothing', async () => {
    const bytes = Buffer.concat([WHOLE, Buffer.from('more')]);
    equal((await survey(opener(bytes))).damages.length, 1);
    deepEqual(await rowsOf(bytes, await salvaged(bytes)), ALL);
  });

  describe('with another archive in a row', () => {
    const inner = archive(
      sealed([
        jsonEntry('manifest.json', manifest({ vclock: { 1: 41 } })),
        ...ENTRIES.slice(1, 3),
        rowsEntry('512.dump', [9, 'mallory', null]),
      ]),
    );
    const entries = [
      ...ENTRIES.slice(0, 3),
      rowsEntry('513.dump', [1, bin(Buffer.concat([randomBytes(3000), inner, randomBytes(3000)]))]),
      ENTRIES.at(-1)!,
    ];
    const outer = archive(sealed(entries));
    // its bytes stand there as they are, since zstd could make nothing of them
    const at = outer.indexOf(inner) - 2000;

    it('the inner archive is not taken for the outer one, even with its trailer', async () => {
      ok(at > 0);
      const bytes = flipped(outer, at);
      const salvage = await salvaged(bytes);
      deepEqual(
        salvage.lost.map(({ id }) => id),
        [513],
      );
      const rows = await rowsOf(bytes, salvage);
      equal(rows.get(512), ALL.get(512));
    });

    it('the inner archive is not taken for the outer one if the outer one is cut after it', async () => {
      const bytes = flipped(outer, at).subarray(0, outer.indexOf(inner) + inner.length + 100);
      await salvaged(bytes).then(
        () => ok(false, 'something was salvaged'),
        (error: Error) => match(error.message, /no space is whole/),
      );
    });
  });

  it('a trailer that lists other entries verifies none', async () => {
    const other = jsonEntry('trailer.json', trailer(ENTRIES.slice(1)));
    const bytes = archive([...ENTRIES, other]);
    const surveyed = await survey(opener(bytes));
    throws(() => salvageable(surveyed), /the trailer belongs to another archive/);
  });

  it('an entry that the trailer does not list, or lists at another place, is damage, though nothing is lost', async () => {
    const [first, ...rest] = ENTRIES as [Entry, ...Entry[]];
    const end = jsonEntry('trailer.json', trailer(ENTRIES));
    for (const entries of [
      [...ENTRIES, rowsEntry('514.dump', [1, 'x', null]), end],
      [first, ...rest.reverse(), end],
    ]) {
      const bytes = archive(entries);
      const { damages } = await survey(opener(bytes));
      deepEqual(
        damages.map(({ entry }) => entry),
        ['trailer.json'],
      );
      const salvage = await salvaged(bytes);
      deepEqual(salvage.lost, []);
      deepEqual(await rowsOf(bytes, salvage), ALL);
    }
  });

  it('an entry that differs from the trailer is lost', async () => {
    const changed = ENTRIES.map((entry) =>
      entry.name === '512.dump'
        ? rowsEntry('512.dump', [1, 'mallory', null], [2, 'bob', 1.5])
        : entry,
    );
    const bytes = archive([...changed, jsonEntry('trailer.json', trailer(ENTRIES))]);
    const { lost } = await salvaged(bytes);
    deepEqual(
      lost.map(({ id }) => id),
      [512],
    );
  });

  it('a change between two readings is an error', async () => {
    const salvage = await salvaged(WHOLE);
    await rowsOf(flipped(WHOLE, frameOf('512.dump') + 8), salvage).then(
      () => ok(false, 'nobody noticed'),
      (error: { kind?: string }) => equal(error.kind, 'archive'),
    );
  });
});
