import { deepEqual, equal, ok } from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { readEntries } from '../../../lib/archive/reader.js';
import { MAX_PART_BYTES } from '../../../lib/backup/limits.js';
import {
  archive,
  contents,
  type Entry,
  entryContents,
  frame,
  framed,
  goodEntries,
  type HeaderFields,
  jsonEntry,
  manifest,
  octalSize,
  padded,
  records,
  rowsEntry,
  sealed,
  skippableFrame,
  tarHeader,
  trailer,
} from '../../support/archive-builder.js';
import { coded, pack, tuples } from '../../support/msgpack.js';
import { chunked, readArchive, refuses } from './reading.js';

const GOOD = goodEntries();
const WHOLE = archive(sealed(GOOD));
// by what they are, in GOOD
const [MANIFEST, SPACES, INDEXES, PART_0, PART_1, USERS] = GOOD as [
  Entry,
  Entry,
  Entry,
  Entry,
  Entry,
  Entry,
];
const TRAILER = sealed(GOOD).at(-1)!;

/** GOOD with entries in the place of one of them. */
function replaced(entry: Entry, ...by: Entry[]): Entry[] {
  return GOOD.flatMap((each) => (each === entry ? by : [each]));
}

/** An archive whose trailer fits entries that should not be there, or not so. */
const consistent = (entries: Entry[]): Buffer => archive(sealed(entries));
/** An archive whose trailer is that of GOOD. */
const changed = (entries: Entry[]): Buffer => archive([...entries, TRAILER]);
/** A whole archive but for one of its frames, by the entry and by header (0) or body (1). */
function withContent(entry: Entry, which: 0 | 1, content: Buffer): Buffer {
  const entries = sealed(GOOD);
  const at = 2 * entries.findIndex(({ name }) => name === entry.name) + which;
  return framed(contents(entries).with(at, content));
}
const withHeader = (fields: HeaderFields): Buffer =>
  withContent(
    USERS,
    0,
    tarHeader({ name: USERS.name, size: octalSize(USERS.body.length), ...fields }),
  );
const withRecord = (change: object): Buffer => {
  const list = records(GOOD).map((each) =>
    each.name === USERS.name ? { ...each, ...change } : each,
  );
  return archive([...GOOD, jsonEntry('trailer.json', trailer(GOOD, {}, list))]);
};
const withUsers = (body: Buffer, rows = 1): Buffer =>
  consistent(replaced(USERS, { ...USERS, body, rows }));

const bodyOf = (entry: Entry): Buffer => entryContents(entry)[1]!;
const END = contents([])[0]!;

describe('an archive made by hand', () => {
  it('is read if it follows docs/reference/archive-format.md', async () => {
    const { items, error } = await readArchive(WHOLE);
    equal(error, undefined);
    const { format: _, version: __, ...rest } = manifest();
    const space = (id: number, name: string, engine = 'memtx') => ({ id, name, engine });
    const batch = (entry: Entry, of: object) => ({
      kind: 'tuples',
      space: of,
      count: entry.rows,
      bytes: entry.body,
    });
    deepEqual(items, [
      { kind: 'start', manifest: rest },
      batch(SPACES, space(280, '_space')),
      batch(INDEXES, space(288, '_index')),
      batch(PART_0, space(513, 'log', 'vinyl')),
      batch(PART_1, space(513, 'log', 'vinyl')),
      batch(USERS, space(512, 'users')),
      {
        kind: 'end',
        vclock: { 1: 43 },
        consistent: true,
        counts: new Map([
          [280, { rows: 2, bytes: SPACES.body.length }],
          [288, { rows: 1, bytes: INDEXES.body.length }],
          [513, { rows: 3, bytes: PART_0.body.length + PART_1.body.length }],
          [512, { rows: 2, bytes: USERS.body.length }],
        ]),
      },
    ]);
  });

  for (const chunkSize of [1, 2, 3, 100, 511, 512, 513]) {
    it(`is read the same in chunks of ${chunkSize}`, async () => {
      deepEqual(await readArchive(WHOLE, chunkSize), await readArchive(WHOLE));
    });
  }

  for (const [title, bytes] of [
    ['without rows', consistent([MANIFEST])],
    ['with users’ spaces in any order', consistent([MANIFEST, SPACES, USERS, PART_0, PART_1])],
    ['with one part that has a number', consistent([MANIFEST, PART_0])],
    ['with a frame to be passed over between any two', skippablesBetween()],
    ['with a frame to be passed over at both ends', Buffer.concat([SKIPPED(), WHOLE, SKIPPED()])],
  ] as const) {
    it(`is read ${title}`, async () => {
      const { items, error } = await readArchive(bytes);
      equal(error, undefined);
      deepEqual([items.at(0)?.kind, items.at(-1)?.kind], ['start', 'end']);
    });
  }
});

function SKIPPED(): Buffer {
  return skippableFrame(Buffer.from('an index, say'), 3);
}

function skippablesBetween(): Buffer {
  return Buffer.concat(contents(sealed(GOOD)).flatMap((each) => [frame(each), SKIPPED()]));
}

describe('an archive is refused', () => {
  const cases: Record<string, [string, Buffer, RegExp][]> = {
    'as another thing altogether': [
      ['empty input', Buffer.alloc(0), /^empty input$/],
      ['one byte', Buffer.of(0x28), /1 bytes follow/],
      ['gzip', gzipSync(WHOLE), /not a tar\.zst backup: it starts with the bytes 1f8b/],
      ['a plain tar', Buffer.concat(contents(sealed(GOOD))), /not a tar\.zst backup: .* 6d616e69/],
      ['text', Buffer.from('ERROR: no such host\n'), /not a tar\.zst backup: .* 4552524f/],
      ['zeros', Buffer.alloc(100_000), /not a tar\.zst backup: .* 0{16}/],
      ['zip', Buffer.from('504b0304140000000800', 'hex'), /not a tar\.zst backup: .* 504b0304/],
      [
        'zstd of text',
        frame(Buffer.from('hello')),
        /not a tntar archive: its first frame: 512 bytes expected, .* 5$/,
      ],
      [
        'zstd of nothing',
        frame(Buffer.alloc(0)),
        /not a tntar archive: its first frame: 512 bytes expected, .* 0$/,
      ],
      ['zstd of zeros', frame(Buffer.alloc(512)), /a tar header whose checksum is/],
      [
        'a tar in one frame, as `tar --zstd` makes it',
        frame(contents(sealed(GOOD))),
        /not a tntar archive: its first frame: more bytes/,
      ],
      ['frames without checksums', frame(entryContents(MANIFEST), { checksum: false }), /checksum/],
      ['a frame to be passed over, alone', SKIPPED(), /^empty input$/],
      [
        'the end of a tar, alone',
        framed([END]),
        /not a tntar archive: its first frame: more bytes/,
      ],
    ],
    'for its trailer, when it is': [
      [
        'missing',
        framed([...contents(GOOD).slice(0, -1)]),
        /ends after entry 512\.dump, before its/,
      ],
      ['missing, but not the end', archive(GOOD), /a tar header: more bytes/],
      [
        'there twice',
        archive([...GOOD, TRAILER, TRAILER]),
        /the end of the tar: 1024 bytes expect/,
      ],
      [
        'not last',
        archive([...sealed(GOOD.slice(0, -1)), USERS]),
        /the end of the tar: 1024 bytes/,
      ],
      [
        'not last, and expects what follows',
        archive([...GOOD.slice(0, -1), TRAILER, USERS]),
        /entry 6: the trailer expects 512\.dump, got none/,
      ],
      [
        'first',
        archive([TRAILER, ...GOOD]),
        /the first entry is trailer\.json, not the manifest|entry 1: the trailer expects/,
      ],
      ['alone', archive(sealed([])), /manifest/],
      [
        'that of another archive',
        archive([...GOOD, sealed([MANIFEST]).at(-1)!]),
        /entry 2: .* none, /,
      ],
      [
        'no JSON',
        archive([...GOOD, { ...TRAILER, body: Buffer.from('{') }]),
        /trailer\.json is not/,
      ],
      [
        'empty',
        archive([...GOOD, { ...TRAILER, body: Buffer.alloc(0) }]),
        /trailer\.json is not JSON/,
      ],
    ],
    'for its manifest, when it is': [
      ['missing', consistent(GOOD.slice(1)), /the first entry is 280\.dump, not the manifest/],
      ['there twice', consistent([MANIFEST, ...GOOD]), /a second entry manifest\.json/],
      ['not first', consistent([SPACES, MANIFEST, USERS]), /the first entry is 280\.dump/],
      ['last', consistent([...GOOD.slice(1), MANIFEST]), /the first entry is 280\.dump/],
      [
        'no JSON',
        consistent([{ ...MANIFEST, body: Buffer.from('[') }]),
        /manifest\.json is not JSON/,
      ],
      [
        'that of a newer version',
        consistent([jsonEntry('manifest.json', manifest({ version: 3 })), ...GOOD.slice(1)]),
        /made by a newer version/,
      ],
      [
        'without a space that has rows',
        consistent([jsonEntry('manifest.json', manifest({ spaces: [] })), ...GOOD.slice(1)]),
        /entry 513\.dump\.00000: the space is not in the manifest/,
      ],
      [
        'changed',
        changed(replaced(MANIFEST, jsonEntry('manifest.json', manifest({ tool: 'x' })))),
        /entry manifest\.json: (bytes|sha256) should be/,
      ],
    ],
    'for an entry that is': [
      ['missing', changed(replaced(USERS)), /entry 6: the trailer expects 512\.dump, got none/],
      [
        'missing in the middle',
        changed(replaced(INDEXES)),
        /entry 3: the trailer expects 288\.dump, got 513/,
      ],
      [
        'extra',
        changed([...GOOD.slice(0, 3), USERS, PART_0, PART_1]),
        /entry 4: the trailer expects 513/,
      ],
      [
        'extra at the end',
        archive([...GOOD, rowsEntry('514.dump', [1]), TRAILER]),
        /514\.dump: the space is not in the manifest/,
      ],
      [
        'there twice',
        consistent([...GOOD, USERS]),
        /entry 512\.dump is out of order or occurs twice/,
      ],
      [
        'there twice in a row',
        consistent(replaced(INDEXES, INDEXES, INDEXES)),
        /entry 288\.dump is out of/,
      ],
      [
        'there twice, apart',
        consistent([MANIFEST, USERS, PART_0, USERS]),
        /entry 512\.dump is out of/,
      ],
      [
        'in another’s place',
        changed([MANIFEST, SPACES, INDEXES, USERS, PART_0, PART_1]),
        /entry 4: the/,
      ],
      [
        'of a system space, in descending order',
        consistent([MANIFEST, INDEXES, SPACES]),
        /entry 280\.dump: system spaces must come first, in ascending order/,
      ],
      [
        'of a system space behind a user’s',
        consistent([MANIFEST, USERS, SPACES]),
        /entry 280\.dump: system spaces must come first/,
      ],
      [
        'of a system space that no user can fill',
        consistent([MANIFEST, rowsEntry('320.dump', [1, 'x'])]),
        /entry 320\.dump: the space is not in the manifest/,
      ],
      [
        'of a space that is not in the manifest',
        consistent([MANIFEST, rowsEntry('600.dump', [1])]),
        /entry 600\.dump: the space is not in the manifest/,
      ],
    ],
    'for the parts of a space, when they': [
      ['start at one', consistent([MANIFEST, PART_1]), /entry 513\.dump\.00001 is out of order/],
      [
        'have a hole',
        consistent([MANIFEST, PART_0, { ...PART_1, name: '513.dump.00002' }]),
        /513\.dump\.00002 is out of order/,
      ],
      [
        'have one twice',
        consistent([MANIFEST, PART_0, PART_0]),
        /513\.dump\.00000 is out of order or occurs twice/,
      ],
      [
        'descend',
        consistent([MANIFEST, PART_0, PART_1, PART_0]),
        /513\.dump\.00000 is out of order/,
      ],
      [
        'are apart',
        consistent([MANIFEST, PART_0, USERS, PART_1]),
        /513\.dump\.00001 is out of order/,
      ],
      [
        'follow a whole',
        consistent([MANIFEST, { ...PART_0, name: '513.dump' }, PART_0]),
        /513\.dump\.00000 is out/,
      ],
      [
        'go on behind a whole',
        consistent([MANIFEST, { ...PART_0, name: '513.dump' }, PART_1]),
        /513\.dump\.00001 is out/,
      ],
      [
        'come before a whole',
        consistent([MANIFEST, PART_0, { ...PART_1, name: '513.dump' }]),
        /entry 513\.dump is out of order/,
      ],
      [
        'lack the last',
        changed(replaced(PART_1)),
        /entry 5: the trailer expects 513\.dump\.00001, got 512\.dump/,
      ],
    ],
    'for what the trailer says of an entry, when it differs in': [
      ['rows', withRecord({ rows: 1 }), /entry 512\.dump: rows should be 1, got 2/],
      [
        'bytes',
        withRecord({ bytes: 5 }),
        new RegExp(`entry 512\\.dump: bytes should be 5, got ${USERS.body.length}`),
      ],
      [
        'the hash',
        withRecord({ sha256: '0'.repeat(64) }),
        /entry 512\.dump: sha256 should be 0{64}, got [0-9a-f]{64}/,
      ],
      [
        'the name',
        withRecord({ name: '514.dump' }),
        /entry 6: the trailer expects 514\.dump, got 512\.dump/,
      ],
      [
        'a byte of the body',
        changed(replaced(USERS, rowsEntry(USERS.name, [1, 'alicf', null], [2, 'bob', 1.5]))),
        /entry 512\.dump: sha256 should be/,
      ],
      [
        'the order of rows',
        changed(replaced(USERS, rowsEntry(USERS.name, [2, 'bob', 1.5], [1, 'alice', null]))),
        /entry 512\.dump: sha256 should be/,
      ],
      [
        'a row less',
        changed(replaced(USERS, rowsEntry(USERS.name, [1, 'alice', null]))),
        /entry 512\.dump: rows should be 2, got 1/,
      ],
      [
        'a sum',
        archive([...GOOD, jsonEntry('trailer.json', trailer(GOOD, { rows: 9 }))]),
        /not the sum of the entries/,
      ],
      [
        'the hash over all',
        archive([...GOOD, jsonEntry('trailer.json', trailer(GOOD, { sha256: 'f' }))]),
        /the hash over the list/,
      ],
    ],
    'for a body, when it is': [
      ['empty', withUsers(Buffer.alloc(0), 0), /entry 512\.dump is empty/],
      ['zeros', withUsers(Buffer.alloc(64)), /entry 512\.dump: no whole tuple at byte 0/],
      ['a number', withUsers(pack(1)), /entry 512\.dump: no whole tuple at byte 0/],
      ['a map', withUsers(pack({ id: 1 })), /entry 512\.dump: no whole tuple at byte 0/],
      ['text', withUsers(Buffer.from('id;name\n')), /entry 512\.dump: no whole tuple at byte 0/],
      ['half a tuple', withUsers(pack([1, 'alice']).subarray(0, -1)), /no whole tuple at byte 0/],
      [
        'a tuple and a half',
        withUsers(tuples([1], [2, 'bob']).subarray(0, -1)),
        /no whole tuple at byte 2/,
      ],
      [
        'a tuple and a zero',
        withUsers(Buffer.concat([pack([1]), Buffer.of(0)])),
        /no whole tuple at byte 2/,
      ],
      ['an unused code', withUsers(Buffer.of(0x91, 0xc1)), /no whole tuple at byte 0/],
      [
        'a string beyond its end',
        withUsers(Buffer.concat([Buffer.of(0x91), coded(0xdb, 4, -1)])),
        /no whole tuple at byte 0/,
      ],
      ['an array beyond its end', withUsers(coded(0xdd, 4, -1)), /no whole tuple at byte 0/],
      [
        'half a part, with its header’s size',
        withContent(USERS, 1, bodyOf(USERS).subarray(0, 256)),
        /entry 512\.dump: 512 bytes expected, its frame has 256/,
      ],
      [
        'without its padding',
        withContent(USERS, 1, USERS.body),
        /entry 512\.dump: 512 bytes expected/,
      ],
      [
        'longer than its header says',
        withContent(USERS, 1, Buffer.concat([bodyOf(USERS), END])),
        /entry 512\.dump: more bytes than its header says/,
      ],
      [
        'one byte longer',
        withContent(USERS, 1, Buffer.concat([bodyOf(USERS), Buffer.of(0)])),
        /512 bytes expected, its frame has 513/,
      ],
      [
        'padded with something',
        withContent(USERS, 1, padded(USERS.body, 1)),
        /entry 512\.dump: bytes other than zero after its end/,
      ],
      [
        'padded with one bit',
        withContent(USERS, 1, Buffer.concat([bodyOf(USERS).subarray(0, -1), Buffer.of(1)])),
        /entry 512\.dump: bytes other than zero/,
      ],
      [
        'missing behind its header',
        framed(contents(sealed(GOOD)).toSpliced(-4, 1)),
        /entry 512\.dump: bytes other than zero/,
      ],
    ],
    'for a header, when it is': [
      [
        'that of a link',
        withHeader({ type: '2', linkName: '/etc/passwd' }),
        /entry "512\.dump": not a regular file/,
      ],
      ['that of a device', withHeader({ type: '3' }), /not a regular file/],
      ['that of a pax record', withHeader({ type: 'x' }), /not a regular file/],
      ['that of a sparse file', withHeader({ type: 'S' }), /not a regular file/],
      [
        'of another name',
        withHeader({ name: '../512.dump' }),
        /an entry of the name "\.\.\/512\.dump"/,
      ],
      [
        'of an absolute name',
        withHeader({ name: '/etc/passwd' }),
        /an entry of the name "\/etc\/passwd"/,
      ],
      ['of a name with a drive', withHeader({ name: 'C:\\x' }), /an entry of the name "C:/],
      [
        'of a name with a zero',
        withHeader({ name: '512.dump\0x' }),
        /an entry of the name "512\.dump\\u0000x"/,
      ],
      ['of no name', withHeader({ name: '' }), /an entry of the name ""/],
      ['of a long name', withHeader({ name: 'x'.repeat(100) }), /an entry of the name "x{40}"$/],
      [
        'of a size over the limit',
        withHeader({ size: octalSize(MAX_PART_BYTES + 1) }),
        new RegExp(
          `entry 512\\.dump claims ${MAX_PART_BYTES + 1} bytes, over the limit of ${MAX_PART_BYTES}`,
        ),
      ],
      [
        'of a size of 8 GiB',
        withHeader({ size: octalSize(8 * 2 ** 30 - 1) }),
        /entry 512\.dump claims 8589934591 bytes/,
      ],
      [
        'of a manifest of 16 MiB and more',
        framed([tarHeader({ name: 'manifest.json', size: octalSize(16 * 2 ** 20 + 1) })]),
        /entry manifest\.json claims 16777217 bytes/,
      ],
      [
        'of a size in base 256',
        withHeader({ size: `\x80${'\0'.repeat(9)}\x02\0` }),
        /a tar header whose size is/,
      ],
      [
        'of a smaller size',
        withHeader({ size: octalSize(1) }),
        /entry 512\.dump: bytes other than zero/,
      ],
      [
        'of a size of nothing',
        withHeader({ size: octalSize(0) }),
        /entry 512\.dump: more bytes than its header/,
      ],
      [
        'of a size of a block more',
        withHeader({ size: octalSize(1024) }),
        /entry 512\.dump: 1024 bytes expected, its frame has 512/,
      ],
      [
        'of a wrong checksum',
        withHeader({ checksum: '000000\0 ' }),
        /a tar header whose checksum is wrong/,
      ],
      [
        'cut',
        withContent(USERS, 0, tarHeader({ name: USERS.name }).subarray(0, 511)),
        /a tar header: 512 bytes expected, its frame has 511/,
      ],
      [
        'in a frame with its body',
        framed([Buffer.concat(entryContents(MANIFEST))]),
        /its first frame: more bytes/,
      ],
    ],
    'for frames that': [
      [
        'end inside of a body',
        framed([
          entryContents(MANIFEST)[0]!,
          bodyOf(MANIFEST).subarray(0, 256),
          bodyOf(MANIFEST).subarray(256),
        ]),
        /entry manifest\.json: \d+ bytes expected, its frame has 256/,
      ],
      [
        'join two bodies',
        framed([
          ...contents([MANIFEST]).slice(0, -1),
          entryContents(SPACES)[0]!,
          Buffer.concat([bodyOf(SPACES), ...entryContents(INDEXES)]),
        ]),
        /entry 280\.dump: more bytes/,
      ],
      [
        'hold nothing',
        framed([...entryContents(MANIFEST), Buffer.alloc(0)]),
        /a tar header: 512 bytes expected, its frame has 0/,
      ],
      [
        'have no checksum, the last of them',
        Buffer.concat([
          framed(contents(sealed(GOOD)).slice(0, -1)),
          frame(END, { checksum: false }),
        ]),
        /a frame without a checksum/,
      ],
      [
        'have too large a window',
        Buffer.concat([
          framed([entryContents(MANIFEST)[0]!]),
          frame(bodyOf(MANIFEST), { windowLog: 27 }),
        ]),
        /cannot decompress/,
      ],
    ],
    'for its end, when it': [
      ['is missing', framed(contents(sealed(GOOD)).slice(0, -1)), /ends after the trailer/],
      [
        'is one block',
        framed(contents(sealed(GOOD)).with(-1, Buffer.alloc(512))),
        /the end of the tar: 1024 bytes expected, its frame has 512/,
      ],
      [
        'is three blocks',
        framed(contents(sealed(GOOD)).with(-1, Buffer.alloc(1536))),
        /the end of the tar: more bytes/,
      ],
      [
        'is no zeros',
        framed(contents(sealed(GOOD)).with(-1, Buffer.alloc(1024, 1))),
        /something other than the end follows/,
      ],
      [
        'is followed by zeros',
        Buffer.concat([WHOLE, Buffer.alloc(512)]),
        /no zstd frame starts with 0{16}/,
      ],
      [
        'is followed by a zero',
        Buffer.concat([WHOLE, Buffer.of(0)]),
        /1 bytes follow the last frame/,
      ],
      [
        'is followed by text',
        Buffer.concat([WHOLE, Buffer.from('\nConnection to db1 closed.\n')]),
        /no zstd frame starts with 0a436f6e/,
      ],
      [
        'is followed by an empty frame',
        Buffer.concat([WHOLE, frame(Buffer.alloc(0))]),
        /another frame follows the end/,
      ],
      [
        'is followed by its end again',
        Buffer.concat([WHOLE, frame(END)]),
        /another frame follows the end/,
      ],
      [
        'is followed by another archive',
        Buffer.concat([WHOLE, WHOLE]),
        /another frame follows the end/,
      ],
      [
        'is followed by half a frame',
        Buffer.concat([WHOLE, frame(END).subarray(0, 3)]),
        /3 bytes follow the last frame/,
      ],
      [
        'is followed by a cut frame to be passed over',
        Buffer.concat([WHOLE, SKIPPED().subarray(0, -1)]),
        /a cut frame/,
      ],
    ],
  };

  for (const [group, list] of Object.entries(cases)) {
    describe(group, () => {
      for (const [title, bytes, message] of list) {
        it(title, () => refuses(bytes, message));
      }
    });
  }
});

describe('reading a hostile archive', () => {
  it('stops at a body that decompresses to more than its header says', async () => {
    const zeros = Buffer.alloc(1024 * 1024);
    const header = tarHeader({ name: 'manifest.json', size: octalSize(1000) });
    const bomb = Buffer.concat([frame(header), frame(Array(128).fill(zeros))]);
    let pulled = 0;
    async function* input() {
      for await (const chunk of chunked(bomb, 256)) {
        pulled += chunk.length;
        yield chunk;
      }
    }
    let message = '';
    try {
      for await (const _ of readEntries(input())) ok(false, 'an entry came out');
    } catch (error) {
      message = (error as Error).message;
    }
    equal(message, 'entry manifest.json: more bytes than its header says');
    ok(pulled <= bomb.length / 16, `${pulled} of ${bomb.length} bytes were read`);
  });

  it('refuses a header that claims a body that is missing or too short', async () => {
    const header = tarHeader({ name: 'manifest.json', size: octalSize(16 * 2 ** 20) });
    await refuses(framed([header]), /ends after the header of entry manifest\.json/);
    await refuses(framed([header, Buffer.alloc(1)]), /16777216 bytes expected, its frame has 1/);
  });

  it('closes its input when it stops', async () => {
    let closed = 0;
    async function* input(bytes: Buffer) {
      try {
        yield bytes;
        yield Buffer.alloc(1);
      } finally {
        closed++;
      }
    }
    for (const bytes of [Buffer.alloc(10), WHOLE, WHOLE.subarray(0, 100)]) {
      try {
        for await (const _ of readEntries(input(bytes)));
      } catch {
        // each of the three is refused
      }
    }
    for await (const _ of readEntries(input(WHOLE))) break;
    equal(closed, 4);
  });
});
