import { deepEqual, equal, rejects } from 'node:assert/strict';
import { Readable } from 'node:stream';
import { chooseSpaces } from '../../../lib/filters/choose.js';
import { verify } from '../../../lib/pipelines/verify.js';
import {
  archive,
  type Entry,
  jsonEntry,
  keyedEntries,
  manifest,
  rowsEntry,
  trailer,
} from '../../support/archive-builder.js';

/** What a filter made of 'users' before the archive was written. */
const FILTERED = { filter: 'by hand', space: 'users', in: 5, changed: 1, skipped: 3, out: 2 };

function entries(given: object = {}): Entry[] {
  return keyedEntries().map((entry) =>
    entry.name === 'manifest.json' ? jsonEntry(entry.name, manifest(given)) : entry,
  );
}

const read = (given: object = {}, end: object = {}, only?: string[]) => {
  const all = entries(given);
  const bytes = archive([...all, jsonEntry('trailer.json', trailer(all, end))]);
  const filters = only === undefined ? [] : [chooseSpaces({ only })];
  return verify(Readable.from([bytes]), { filters });
};

describe('verify', () => {
  it('tells what is chosen on this run from what the archive is a part of', async () => {
    const whole = await read({}, {}, ['users']);
    deepEqual(whole.shown, ["only spaces 'users' and what they need"]);
    equal(whole.manifest.partial, undefined);
    deepEqual(
      whole.spaces.map(({ name }) => name),
      ['users'],
    );

    const words = { partial: ['only the best'], changed: ['all in blue'] };
    const part = await read(words, {}, ['users']);
    deepEqual([part.manifest.partial, part.manifest.changed], [words.partial, words.changed]);
    deepEqual(part.shown, whole.shown);
  });

  it('gives the manifest as it stands in the archive, and of spaces what was chosen', async () => {
    const all = await read();
    const some = await read({}, {}, ['users']);
    deepEqual(some.manifest, all.manifest);
    equal('shown' in all, false);
    equal(all.spaces.length, 2);
  });

  it('gives what filters made of rows, whatever is chosen', async () => {
    for (const only of [undefined, ['log']]) {
      const { filtered } = await read({}, { filtered: [FILTERED] }, only);
      deepEqual(filtered, [FILTERED]);
    }
    deepEqual((await read()).filtered, []);
  });

  it('fails with what is wrong with a definition', async () => {
    const sql = `CREATE VIEW v AS SELECT ${'('.repeat(200)}`;
    const all = entries().map((entry) =>
      entry.name === '280.dump'
        ? rowsEntry(entry.name, [512, 1, 'users', 'memtx', 0, { view: true, sql }, []])
        : entry,
    );
    const bytes = archive([...all, jsonEntry('trailer.json', trailer(all))]);
    await rejects(
      verify(Readable.from([bytes]), { definitions: true }),
      /more than 100 nested parentheses/,
    );
  });
});
