import { deepEqual, doesNotThrow, equal, throws } from 'node:assert/strict';
import {
  compareEntries,
  decodeTrailer,
  type EntryRecord,
  encodeTrailer,
  hashEntries,
} from '../../../lib/archive/trailer.js';
import { goodEntries, records, trailer } from '../../support/archive-builder.js';

const ENTRIES = goodEntries();
const LIST = records(ENTRIES);
const decode = (document: unknown) => decodeTrailer(Buffer.from(JSON.stringify(document)));
/** A trailer with one line changed, sums and hash included. */
const withLine = (change: object): object =>
  trailer([], {}, [{ ...LIST[0]!, ...change }, ...LIST.slice(1)]);

describe('a trailer', () => {
  it('is read as it was written', () => {
    for (const consistent of [true, false]) {
      const written = { entries: LIST, vclock: { 1: 42, 2: 0 }, consistent };
      deepEqual(decodeTrailer(encodeTrailer(written)), written);
    }
    const sequences = [
      { id: 1, value: '41' },
      { id: 2, value: '-9223372036854775808' },
    ];
    const moved = { entries: LIST, vclock: { 1: 42 }, consistent: false, sequences };
    deepEqual(decodeTrailer(encodeTrailer(moved)), moved);
    const empty = { entries: [], vclock: {}, consistent: true };
    deepEqual(decodeTrailer(encodeTrailer(empty)), empty);
  });

  it('may give the size of the largest tuple of an entry without a change of its hash', () => {
    const [first, ...rest] = LIST;
    const entries = [{ ...first!, largest: 20 }, ...rest];
    const bytes = encodeTrailer({ entries, vclock: {}, consistent: true });
    deepEqual(decodeTrailer(bytes).entries, entries);
    equal(hashEntries(entries), hashEntries(LIST));
    const wrong = [{ ...first!, largest: -1 }, ...rest];
    throws(() => decode(trailer([], {}, wrong)), /'largest'/);
  });

  it('is read and written like a trailer that was written by hand', () => {
    const byHand = trailer(ENTRIES);
    const { vclock, consistent } = byHand;
    deepEqual(decode({ ...byHand, comment: 'x' }), { entries: LIST, vclock, consistent });
    deepEqual(JSON.parse(String(encodeTrailer({ entries: LIST, vclock, consistent }))), byHand);
  });

  it('has another hash for every change of its list', () => {
    const [first, second, ...rest] = LIST;
    const lists: EntryRecord[][] = [
      LIST,
      [],
      [second!, first!, ...rest],
      [first!, ...rest],
      [...LIST, first!],
      [{ ...first!, name: '512.dump' }, second!, ...rest],
      [{ ...first!, rows: 1 }, second!, ...rest],
      [{ ...first!, bytes: 1 }, second!, ...rest],
      [{ ...first!, sha256: second!.sha256 }, second!, ...rest],
    ];
    equal(new Set(lists.map(hashEntries)).size, lists.length);
  });

  for (const [title, document, message] of [
    ['no object', [], /trailer\.json is not an object/],
    ['empty', {}, /'format'/],
    ['of another format', trailer(ENTRIES, { format: 'tar' }), /the format is 'tar'/],
    ['of a newer version', trailer(ENTRIES, { version: 3 }), /newer version/],
    ['without a vclock', trailer(ENTRIES, { vclock: undefined }), /vclock is not an object/],
    ['of a negative LSN', trailer(ENTRIES, { vclock: { 1: -1 } }), /vclock/],
    ['without a word on its cut', trailer(ENTRIES, { consistent: undefined }), /'consistent'/],
    ['of a cut that is text', trailer(ENTRIES, { consistent: 'true' }), /'consistent'/],
    ['of sequences that are none', trailer(ENTRIES, { sequences: 5 }), /'sequences'/],
    [
      'of a sequence that is at a text',
      trailer(ENTRIES, { sequences: [{ id: 1, value: '1e9' }] }),
      /'1e9' is no value of a sequence/,
    ],
    ['of a sequence without an id', trailer(ENTRIES, { sequences: [{ value: '1' }] }), /'id'/],
    ['without entries', trailer(ENTRIES, { entries: undefined }), /'entries'/],
    ['of entries that are no list', trailer(ENTRIES, { entries: {} }), /'entries'/],
    ['of an entry that is text', trailer(ENTRIES, { entries: ['x'] }), /entries\[0\]/],
    ['of an entry without a name', withLine({ name: undefined }), /entries\[0\] .*'name'/],
    ['of an entry of negative rows', withLine({ rows: -1 }), /entries\[0\] .*'rows'/],
    ['of an entry of half a row', withLine({ rows: 0.5 }), /entries\[0\] .*'rows'/],
    ['of an entry of rows in text', withLine({ rows: '0' }), /entries\[0\] .*'rows'/],
    ['of an entry of negative bytes', withLine({ bytes: -512 }), /entries\[0\] .*'bytes'/],
    ['of an entry over 2^53 bytes', withLine({ bytes: 2 ** 53 }), /entries\[0\] .*'bytes'/],
    ['of an entry without a hash', withLine({ sha256: undefined }), /entries\[0\] .*'sha256'/],
    ['without a sum of rows', trailer(ENTRIES, { rows: undefined }), /'rows'/],
    ['of another sum of rows', trailer(ENTRIES, { rows: 7 }), /not the sum/],
    ['of another sum of bytes', trailer(ENTRIES, { bytes: 0 }), /not the sum/],
    ['without a hash', trailer(ENTRIES, { sha256: undefined }), /'sha256'/],
    ['of another hash', trailer(ENTRIES, { sha256: '0'.repeat(64) }), /hash over the list/],
    ['of an empty hash', trailer(ENTRIES, { sha256: '' }), /hash over the list/],
    ['with a line less', trailer(ENTRIES, { entries: LIST.slice(1) }), /not the sum|hash over/],
    ['with its lines swapped', trailer(ENTRIES, { entries: LIST.toReversed() }), /hash over/],
  ] as [string, unknown, RegExp][]) {
    it(`${title} is refused`, () => {
      throws(() => decode(document), { name: 'TntarError', kind: 'archive', message });
    });
  }
});

describe('comparing entries with what the trailer says', () => {
  const [first, second, third] = LIST as [EntryRecord, EntryRecord, EntryRecord];

  it('returns nothing if they are equal', () => {
    doesNotThrow(() => compareEntries(LIST, records(ENTRIES)));
    doesNotThrow(() => compareEntries([], []));
  });

  for (const [title, seen, promised, message] of [
    [
      'a missing entry',
      [first],
      [first, second],
      'entry 2: the trailer expects 280.dump, got none',
    ],
    ['an extra entry', [first, second], [first], 'entry 2: the trailer expects none, got 280.dump'],
    [
      'an entry in the wrong place',
      [first, third, second],
      [first, second, third],
      'entry 2: the trailer expects 280.dump, got 288.dump',
    ],
    ['other rows', [{ ...second, rows: 3 }], [second], 'entry 280.dump: rows should be 2, got 3'],
    [
      'other bytes',
      [{ ...second, bytes: 1 }],
      [second],
      `entry 280.dump: bytes should be ${second.bytes}, got 1`,
    ],
    [
      'another hash',
      [{ ...second, sha256: 'f' }],
      [second],
      `entry 280.dump: sha256 should be ${second.sha256}, got f`,
    ],
  ] as [string, EntryRecord[], EntryRecord[], string][]) {
    it(`names ${title}`, () => {
      throws(() => compareEntries(seen, promised), { kind: 'archive', message });
    });
  }
});
