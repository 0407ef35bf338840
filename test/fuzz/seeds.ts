import { execFileSync } from 'node:child_process';
import { fixturePath, readFixture } from '../fixtures/folder.js';
import { contents, goodEntries, sealed } from '../support/archive-builder.js';
import { HOSTILE } from '../support/hostile-data.js';
import { decodeRecording } from '../support/recording.js';
import { contentsOf } from './archives.js';
import type { Target } from './targets.js';

/** Larger ones make a fuzzer slow, and say nothing that smaller ones do not. */
const MAX_BYTES = 12 * 1024;
/** Of tuples, which may be cut anywhere. */
const MAX_TUPLES_BYTES = 1024;
/** Packets in a row. */
const PACKETS = 4;

const ARCHIVES = ['2.6.0-plain.tar.zst', '3.9.0-full.tar.zst'];
const RECORDINGS = ['2.11.9-denied', '3.9.0-dump-select', '3.9.0-dump-snapshot'];

/** The tar inside of a frozen archive. */
function tarOf(name: string): Buffer {
  return execFileSync('zstd', ['-dcq', fixturePath(name)]);
}

/** Headers and bodies of frozen archives, by what they are. */
function pieces(): { headers: Buffer[]; documents: Buffer[]; tuples: Buffer[] } {
  const all = ARCHIVES.flatMap((name) => contentsOf(tarOf(name), false));
  const headers = all.filter((_, i) => i % 2 === 0);
  const bodies = all.filter((_, i) => i % 2 === 1);
  const isDocument = (body: Buffer): boolean => body[0] === 0x7b;
  return {
    headers,
    documents: bodies.filter(isDocument).map((body) => Buffer.from(`${body}`.replace(/\0+$/, ''))),
    tuples: bodies.filter((body) => !isDocument(body)),
  };
}

/** What servers said, a few packets in a row. */
function conversations(): Buffer[] {
  return RECORDINGS.flatMap((name) => {
    const { packets } = decodeRecording(readFixture(`streams/${name}.jsonl.gz`));
    const said = packets.filter(({ from }) => from === 'server').map(({ bytes }) => bytes);
    return said
      .filter((_, i) => i % PACKETS === 0)
      .map((_, i) => Buffer.concat([Buffer.of(i), ...said.slice(PACKETS * i, PACKETS * (i + 1))]));
  });
}

/** A tar for a fuzzer that gets to see it whole, and with checksums that fit whatever it does. */
function smallTars(): Buffer[] {
  const tar = contents(sealed(goodEntries()));
  return [0, 1].map((mends) => Buffer.concat([Buffer.of(mends), ...tar]));
}

const SEEDS: Readonly<Record<Target, () => Buffer[]>> = {
  values: () =>
    [...HOSTILE.map(({ tuple }, i) => tuple(i)), ...pieces().tuples].map((bytes) =>
      bytes.subarray(0, MAX_TUPLES_BYTES),
    ),
  packets: conversations,
  headers: () => pieces().headers,
  documents: () => [
    ...pieces().documents,
    ...sealed(goodEntries()).flatMap(({ name, body }) => (name.endsWith('.json') ? [body] : [])),
  ],
  archives: smallTars,
};

/** What the fuzzer of a target begins with: pieces of real archives and conversations. */
export function seedsOf(target: Target): Buffer[] {
  return SEEDS[target]().filter(({ length }) => length <= MAX_BYTES);
}
