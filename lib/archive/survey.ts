import { MAX_ENTRIES } from '../backup/limits.js';
import type { Manifest } from '../backup/manifest.js';
import { defined } from '../base/defined.js';
import { TntarError } from '../base/errors.js';
import { NOTHING } from '../base/memory.js';
import { Bodies } from './body-memory.js';
import { FRAME_MAGIC, FrameProbe } from './compression.js';
import { type EntryName, parseEntryName } from './entries.js';
import { decodeManifest } from './manifest-json.js';
import { type Entry, EntryReader } from './reader.js';
import { BLOCK_BYTES, parseTarHeader } from './tar.js';
import {
  compareEntries,
  decodeTrailer,
  type EntryRecord,
  isSameEntry,
  type Trailer,
} from './trailer.js';

/**
 * Opens the bytes of an archive from one of them on; called again and again.
 *
 * @example
 * const open: OpenBytes = (start) => createReadStream('backup.tar.zst', { start });
 */
export type OpenBytes = (start: number) => AsyncIterable<Uint8Array>;

/** The same, where all chunks are buffers, and a signal closes them; see `openingBuffers` of `./input.ts`. */
export type OpenFrom = (start: number, signal?: AbortSignal) => AsyncIterable<Buffer>;

/** An entry that is sound by itself, and where it stands, in compressed bytes. */
export interface FoundEntry {
  name: EntryName;
  record: EntryRecord;
  /** The position of the first byte. */
  start: number;
  /** Behind the last byte. */
  end: number;
}

/** Bytes that are no sound entry. */
export interface Damage {
  /** The position of the first damaged byte, in the compressed archive. */
  start: number;
  /** The position of the next sound header; absent if there is none. */
  end?: number;
  /** The entry whose body it is, where its header can be read. */
  entry?: string;
  /** The reason, for the first of them. */
  why: string;
}

/** All that can be read of an archive, whatever of it is damaged. */
export interface Survey {
  /** The entries in the order of the archive, with manifest and trailer. */
  found: FoundEntry[];
  /** None in a whole archive. */
  damages: Damage[];
  /** The error of the first entry. */
  manifest?: Manifest;
  /** The last one that vouches for that manifest. */
  trailer?: Trailer;
  /** True if so much is damaged that nothing was looked for behind the last of it. */
  gaveUp?: boolean;
}

/** Behind as many bad places nothing more is looked for: each costs memory, and a reading from there on. */
export const MAX_DAMAGES = 1000;
/** Nor behind as many bytes of bodies that came to nothing: 2000 parts, or what unfolds in a minute or two. */
export const MAX_VAIN_BYTES = 4 * 1024 ** 3;

/** A header takes no more in any frame of zstd: 512 bytes as they are, and what stands around them. */
const HEADER_FRAME_BYTES = BLOCK_BYTES + 64;

/** Tells where frames of headers start. */
class HeaderProbe {
  readonly #frames = new FrameProbe();
  readonly #block = Buffer.alloc(BLOCK_BYTES + 1);

  /** True if the frame of a header starts with these bytes. */
  isHeader(bytes: Buffer): boolean {
    if (this.#frames.unfold(bytes, this.#block) !== BLOCK_BYTES) return false;
    try {
      const { name } = parseTarHeader(this.#block.subarray(0, BLOCK_BYTES));
      return parseEntryName(name) !== undefined;
    } catch (error) {
      if (error instanceof TntarError) return false;
      throw error;
    }
  }
}

/** Finds the next header, from the byte `start` of the archive on, with which `input` begins. */
async function findHeader(
  input: AsyncIterable<Buffer>,
  start: number,
  probe: HeaderProbe,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  let buffer = NOTHING;
  let offset = start;
  const search = (isEnd: boolean): number | undefined => {
    for (let at = 0; ; at++) {
      at = buffer.indexOf(FRAME_MAGIC, at);
      if (at < 0) at = Math.max(0, buffer.length - FRAME_MAGIC.length + 1);
      const candidate = buffer.subarray(at, at + HEADER_FRAME_BYTES);
      if (candidate.length < HEADER_FRAME_BYTES && !isEnd) {
        buffer = buffer.subarray(at);
        offset += at;
        return undefined;
      }
      if (candidate.length < FRAME_MAGIC.length) return undefined;
      if (probe.isHeader(candidate)) return offset + at;
    }
  };
  for await (const chunk of input) {
    buffer = Buffer.concat([buffer, chunk]);
    signal?.throwIfAborted();
    const found = search(false);
    if (found !== undefined) return found;
  }
  return search(true);
}

/** Collects the facts about the archive from its sound entries. */
class Finds {
  readonly survey: Survey = { found: [], damages: [] };
  #vainBytes = 0;

  /** @throws TntarError where the entry is sound, and what it says is not */
  add({ name, record, start, end, body, release }: Entry): void {
    const { survey } = this;
    if (name.kind === 'manifest' && start === 0) survey.manifest = decodeManifest(body);
    // Nothing is salvaged of a cluster yet: its damage is found, and no more.
    const isCluster = survey.found[0]?.name.kind === 'cluster';
    if (name.kind === 'trailer' && !isCluster) this.#take(decodeTrailer(body));
    release();
    survey.found.push({ name, record, start, end });
  }

  /**
   * Whether to look on behind an entry that is damaged.
   *
   * @param bytes - that its body was to have
   */
  goOn(bytes: number): boolean {
    const { damages, found, manifest } = this.survey;
    // Without a manifest nothing can be vouched for, and it may be no archive at all.
    if (manifest === undefined) return false;
    this.#vainBytes += bytes;
    const isEnough =
      damages.length + 1 >= MAX_DAMAGES ||
      found.length >= MAX_ENTRIES ||
      this.#vainBytes >= MAX_VAIN_BYTES;
    if (isEnough) this.survey.gaveUp = true;
    return !isEnough;
  }

  /**
   * Rows may hold whole archives, trailers and all: theirs is of another manifest.
   *
   * @throws TntarError where nothing is damaged, and yet other entries stand there than the trailer lists
   */
  #take(trailer: Trailer): void {
    const [first] = this.survey.found;
    const [promised] = trailer.entries;
    if (first === undefined || promised === undefined || this.survey.manifest === undefined) return;
    if (!isSameEntry(first.record, promised)) return;
    this.survey.trailer = trailer;
    // Behind damage that is clear: there something is missing, and something else may stand for it.
    if (this.survey.damages.length > 0) return;
    const seen = this.survey.found.map(({ record }) => record);
    compareEntries(seen, trailer.entries);
  }
}

const isLast = ({ name }: Entry): boolean => name.kind === 'trailer' && name.shard === undefined;

/** Reads entries up to the end behind a trailer. */
async function readOn(
  reader: EntryReader,
  finds: Finds,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    const entry = await reader.next();
    finds.add(entry);
    if (isLast(entry)) return reader.end(true);
  }
}

/**
 * Reads all of an archive that can be read, past what is damaged. It says what is there, and not what
 * may be trusted: see {@link salvageable}.
 *
 * @param open - gives the bytes from where it is asked to
 * @throws the error of what `open` gives, and the reason of `signal`; damage is none
 * @example
 * const { damages } = await survey((start) => createReadStream('backup.tar.zst', { start }));
 */
export async function survey(open: OpenFrom, signal?: AbortSignal): Promise<Survey> {
  const finds = new Finds();
  const bodies = new Bodies();
  const probe = new HeaderProbe();
  for (let at: number | undefined = 0; at !== undefined; ) {
    const reader = new EntryReader(open(at, signal), at, bodies);
    try {
      await readOn(reader, finds, signal);
      break;
    } catch (error) {
      if (!(error instanceof TntarError)) throw error;
      const { entry, entryBytes, entryStart, frameStart } = reader;
      const from = frameStart + 1;
      const next: number | undefined = finds.goOn(entryBytes)
        ? await findHeader(open(from, signal), from, probe, signal)
        : undefined;
      finds.survey.damages.push({
        start: entryStart,
        ...defined({ end: next, entry }),
        why: error.message,
      });
      at = next;
    } finally {
      await reader.close();
    }
  }
  return finds.survey;
}
