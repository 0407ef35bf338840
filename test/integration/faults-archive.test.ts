import { deepEqual, equal, match } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { failsWith } from '../cli/outcome.js';
import { Running } from '../cli/running.js';
import {
  archive,
  type Entry,
  entryContents,
  frame,
  framed,
  jsonEntry,
  manifest,
  rowsEntry,
  sealed,
  skippableFrame,
} from '../support/archive-builder.js';
import { type Plain, pack } from '../support/msgpack.js';
import type { TestServer } from '../support/server.js';
import { startTarget, tryRestore } from './fidelity/roundtrip.js';

const PARTS = 3;
const ROWS = 1000;

const rowsOf = (part: number): Plain[][] =>
  Array.from({ length: ROWS }, (_, i) => [part * ROWS + i, `row ${i}`]);
const MANIFEST = jsonEntry(
  'manifest.json',
  manifest({
    spaces: [{ id: 512, name: 'shelf', engine: 'memtx', format: [], rowsFrom: 'snapshot' }],
  }),
);
/** A space, an index, a user and a grant, which is to come last. */
const DEFINITIONS: Entry[] = [
  rowsEntry('280.dump', [512, 1, 'shelf', 'memtx', 0, {}, []]),
  rowsEntry('288.dump', [512, 0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]]),
  rowsEntry('304.dump', [33, 1, 'ann', 'user', {}]),
  rowsEntry('312.dump', [1, 33, 'space', 512, 1]),
];
const part = (i: number, ...rows: Plain[][]): Entry =>
  rowsEntry(`512.dump.${String(i).padStart(5, '0')}`, ...rows);
const ENTRIES = [
  MANIFEST,
  ...DEFINITIONS,
  ...Array.from({ length: PARTS }, (_, i) => part(i, ...rowsOf(i))),
];
const SECOND = ENTRIES.length - PARTS + 1;
const GOOD = archive(sealed(ENTRIES));

/** Where the header of a part stands in any of these archives. */
const startOf = (parts: number): number =>
  framed(ENTRIES.slice(0, DEFINITIONS.length + 1 + parts).flatMap(entryContents)).length;

/** The archive with another second part, and a trailer that fits it. */
const withSecond = (body: Buffer): Buffer =>
  archive(sealed(ENTRIES.with(SECOND, { ...ENTRIES[SECOND]!, body })));
/** The archive with something else for the frame of the body of its second part. */
function withFrame(change: (whole: Buffer) => Buffer): Buffer {
  const frames = sealed(ENTRIES)
    .flatMap(entryContents)
    .map((content) => frame(content));
  const at = 2 * SECOND + 1;
  return Buffer.concat([...frames.with(at, change(frames[at]!)), frame(Buffer.alloc(1024))]);
}
const flipped = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 0x10;
  return copy;
};

const { body: BODY } = ENTRIES[SECOND]!;
const LAST_ROW = pack(rowsOf(1).at(-1)!);
const DAMAGES: [title: string, bytes: Buffer, message: RegExp][] = [
  ['a flipped bit', withFrame((whole) => flipped(whole, whole.length >> 1)), /cannot decompress/],
  [
    'a flipped bit in its checksum',
    withFrame((whole) => flipped(whole, whole.length - 2)),
    /cannot decompress/,
  ],
  ['half of it', withFrame((whole) => whole.subarray(0, whole.length >> 1)), /cannot decompress/],
  ['zeros', withSecond(Buffer.alloc(BODY.length)), /no whole tuple at byte 0/],
  [
    'a string that continues after its end',
    withSecond(BODY.subarray(0, -1)),
    new RegExp(`no whole tuple at byte ${BODY.length - LAST_ROW.length}`),
  ],
  [
    'a number after its rows',
    withSecond(Buffer.concat([BODY, Buffer.of(7)])),
    new RegExp(`no whole tuple at byte ${BODY.length}`),
  ],
];

const ENDS: [title: string, bytes: Buffer, message: RegExp][] = [
  ['zeros', Buffer.concat([GOOD, Buffer.alloc(512)]), /no zstd frame starts with 0000/],
  ['text', Buffer.concat([GOOD, Buffer.from('and more')]), /no zstd frame starts with/],
  ['itself', Buffer.concat([GOOD, GOOD]), /another frame follows the end/],
  ['nothing, and lacks its last byte', GOOD.subarray(0, -1), /ends in the middle of a frame/],
  ['nothing, and lacks its trailer', archive(ENTRIES), /a tar header: more bytes/],
];

describe('a damaged archive on its way into a server', () => {
  let target: TestServer;
  before(async () => {
    target = await startTarget();
  });
  after(() => target.stop());
  afterEach(() => target.eval(`box.space.shelf:drop() box.schema.user.drop('ann')`));

  /**
   * Restores, and holds back what follows the parts in front of the damage until their rows are there. It
   * has to fail with 3, and to have granted nothing.
   */
  async function fails(bytes: Buffer, parts: number, message: RegExp): Promise<void> {
    const restore = new Running(['restore', '-q', target.uri]);
    restore.stdin.write(bytes.subarray(0, startOf(parts)));
    while ((await rows()) < parts * ROWS) await sleep(20);
    restore.stdin.end(bytes.subarray(startOf(parts)));
    failsWith(await restore.end(5000), 3, message);
    match(restore.stderr, /the restore is INCOMPLETE: [^\n]+\nhint: [^\n]+\n$/);
    const isGranted = await target.eval(`
      local ann = box.space._user.index.name:get('ann')
      return box.space._priv:get({ann.id, 'space', box.space.shelf.id}) ~= nil`);
    equal(isGranted, false);
  }
  const rows = (): Promise<number> =>
    target.eval(`
      local shelf = box.space.shelf
      return shelf and shelf.index[0] and shelf:len() or 0`);
  const keys = (): Promise<number[]> =>
    target.eval(`
      local keys = setmetatable({}, {__serialize = 'seq'})
      for _, row in box.space.shelf:pairs() do table.insert(keys, row[1]) end
      return keys`);

  it('is restored if it has no damage', async () => {
    for (const args of [['--dry-run'], []]) {
      const { code, stderr } = await tryRestore(target, GOOD, args);
      equal(code, 0, stderr);
    }
    equal(await rows(), PARTS * ROWS);
  });

  for (const [title, bytes, message] of DAMAGES) {
    it(`leaves no row of a damaged part: ${title}`, async () => {
      await fails(bytes, 1, message);
      deepEqual(
        await keys(),
        rowsOf(0).map(([key]) => key),
      );
    });
  }

  it('is recognized by its trailer if a part is whole but has other rows', async () => {
    const other = [...ENTRIES.with(SECOND, part(1, ...rowsOf(7))), sealed(ENTRIES).at(-1)!];
    await fails(archive(other), 1, /sha256 should be \w+, got \w+/);
  });

  for (const [title, bytes, message] of ENDS) {
    it(`is refused, and grants nothing, if it is followed by ${title}`, async () => {
      await fails(bytes, PARTS - 1, message);
    });
  }

  it('is restored if its only addition is a skippable frame', async () => {
    const skipped = skippableFrame(Buffer.from('an index, say'), 5);
    const bytes = withFrame((whole) => Buffer.concat([skipped, whole, skipped]));
    const { code, stderr } = await tryRestore(target, bytes);
    equal(code, 0, stderr);
    equal(await rows(), PARTS * ROWS);
  });
});
