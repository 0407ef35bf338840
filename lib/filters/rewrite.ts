import type { Duplex } from 'node:stream';
import type { SpaceInfo, TupleBatch } from '../backup/batch.js';
import { type BackupEnd, type BackupItem, Counter, type Outlook } from '../backup/item.js';
import type { Manifest, ManifestSpace, Omission } from '../backup/manifest.js';
import { indexBy } from '../base/collections.js';
import { type Report, silent } from '../base/report.js';
import { itemDuplex } from '../flow/item-duplex.js';
import { type Head, systemBatches } from '../schema/catalog/preamble.js';
import { Collector } from '../schema/read/preamble-reader.js';
import { Field, SystemSpace } from '../schema/server/system-spaces.js';

/** Definitions as a filter leaves them. */
export interface Rewritten {
  /** What is left of them, changed or not. */
  head: Head;
  /** What of the rest cannot be without what was taken out. */
  lost?: readonly Omission[];
  /** Warnings to be shown before the first row, one line each. */
  warnings?: readonly string[];
}

/**
 * What a filter makes of a backup on its way. Such as {@link setEngine} and {@link applyFilter} make one;
 * write one yourself where those do not do.
 *
 * @example
 * const few: Rewrite = {
 *   partial: 'only the first batches',
 *   head: (head) => ({ head }),
 *   rows: (batch) => (isEnough(batch.space) ? [] : [batch]),
 * };
 */
export interface Rewrite {
  /** For the manifest: what is taken out. */
  partial?: string;
  /** For the manifest: what is changed. */
  changed?: string;
  /** For a source that can leave out what nobody wants: false where no row of such a space is needed. */
  wants?(space: string): boolean;
  /** Gets all definitions before the first row. */
  head(head: Head): Rewritten | Promise<Rewritten>;
  /** Gets rows of the spaces that are left; absent where they stay as they are. */
  rows?(batch: TupleBatch): Iterable<TupleBatch> | AsyncIterable<TupleBatch>;
  /** Gets the end of what is left, and may tell what became of the rows. */
  end?(end: BackupEnd, report: Report): BackupEnd;
}

/**
 * What a source has to read for the first filters in a row that choose spaces by the names that they have
 * there; behind any other a name may stand for something else.
 */
export function wantedBy(rewrites: readonly Rewrite[]): (space: string) => boolean {
  const first = rewrites.findIndex(({ wants }) => wants === undefined);
  const choosing = first < 0 ? rewrites : rewrites.slice(0, first);
  return (space) => choosing.every((rewrite) => rewrite.wants?.(space) ?? true);
}

/** The spaces of a manifest as the catalog has them now. */
export function listedSpaces({ manifest, catalog }: Head): ManifestSpace[] {
  const known = indexBy(manifest.spaces, ({ id }) => id);
  return catalog.spaces.map(({ id, name, engine, format }) => {
    const listed = known.get(id) ?? { rowsFrom: 'none' as const };
    return { ...listed, id, name, engine, format };
  });
}

function noted(head: Head, { partial, changed }: Rewrite, lost: readonly Omission[]): Manifest {
  const { manifest } = head;
  return {
    ...manifest,
    spaces: listedSpaces(head),
    omitted: [...manifest.omitted, ...lost],
    ...(partial === undefined ? {} : { partial: [...(manifest.partial ?? []), partial] }),
    ...(changed === undefined ? {} : { changed: [...(manifest.changed ?? []), changed] }),
  };
}

/** What the rows and the end need of the definitions, which are forgotten when they have been handed on. */
interface Left {
  spaces: ReadonlyMap<number, SpaceInfo>;
  /** Ids of the sequences. */
  sequences: ReadonlySet<number>;
}

/** The end of what is left. */
function endOf(end: BackupEnd, { sequences: kept }: Left, counts: BackupEnd['counts']): BackupEnd {
  const { sequences, ...rest } = end;
  const left = sequences?.filter(({ id }) => kept.has(id)) ?? [];
  return { ...rest, counts, ...(left.length === 0 ? {} : { sequences: left }) };
}

/** Runs one backup through one filter. */
class Rewriter {
  readonly #rewrite: Rewrite;
  readonly #report: Report;
  readonly #collector = new Collector();
  readonly #counter = new Counter();
  #outlook: Outlook = {};
  /** What is left, when all definitions have come. */
  #left: Left | undefined;

  constructor(rewrite: Rewrite, report: Report) {
    this.#rewrite = rewrite;
    this.#report = report;
  }

  async *take(item: BackupItem): AsyncGenerator<BackupItem> {
    if (item.kind === 'start') {
      this.#collector.start(item.manifest);
      const { kind: _, manifest, ...outlook } = item;
      this.#outlook = outlook;
    } else if (item.kind === 'end') {
      this.#collector.end(item);
      if (this.#left === undefined) yield* this.#begin();
      const end = endOf(item, this.#left!, this.#counter.counts);
      yield this.#rewrite.end?.(end, this.#report) ?? end;
    } else if (!this.#collector.take(item)) {
      if (this.#left === undefined) yield* this.#begin();
      yield* this.#rows(item);
    }
  }

  /** The definitions, all at once. */
  async *#begin(): AsyncGenerator<BackupItem> {
    const rewrite = this.#rewrite;
    const { head, lost = [], warnings = [] } = await rewrite.head(this.#collector.head());
    for (const line of warnings) this.#report.warn(line);
    for (const { what, why } of lost) this.#report.warn(`left out: ${what}: ${why}`);
    const { catalog } = head;
    const manifest = noted(head, rewrite, lost);
    const infos = manifest.spaces.map(({ id, name, engine }) => ({ id, name, engine }));
    const sequences = catalog
      .rows(SystemSpace.SEQUENCE)
      .map(({ fields }) => Number(fields[Field.sequence.id]));
    this.#left = { spaces: indexBy(infos, ({ id }) => id), sequences: new Set(sequences) };
    this.#collector.forget();
    // Of rows that go through a filter nobody knows how many come out, and what they are like.
    const outlook = rewrite.rows === undefined ? this.#outlook : {};
    yield { kind: 'start', manifest, ...outlook };
    yield* this.#counter.pass(systemBatches(catalog));
  }

  async *#rows(batch: TupleBatch): AsyncGenerator<BackupItem> {
    const space = this.#left?.spaces.get(batch.space.id);
    if (space === undefined) {
      batch.release?.();
      return;
    }
    const named = { ...batch, space };
    yield* this.#counter.pass(this.#rewrite.rows?.(named) ?? [named]);
  }
}

/**
 * A filter as a stream, for a place between a source and a sink. It changes a backup: first its
 * definitions, all at once, then its rows. What comes in is counted against what the source says, and
 * what goes out is counted anew. One stream takes one backup.
 *
 * @param report - hears what could not stay
 * @returns a stream in object mode; its error is a TntarError: that of the filter, or of kind `archive`
 *   for definitions that no server can have had
 * @example
 * const vinyl = rewriteStage(setEngine('vinyl'));
 * await pipeline(archiveSource(input), vinyl, archiveSink(), output);
 */
export function rewriteStage(rewrite: Rewrite, report: Report = silent): Duplex {
  const rewriter = new Rewriter(rewrite, report);
  return itemDuplex((item) => rewriter.take(item));
}

/**
 * Filters as streams, one behind the other, to be composed with others.
 *
 * @example
 * compose([...rewriteStages(rewrites, report), totals.see]);
 */
export function rewriteStages(rewrites: readonly Rewrite[], report: Report): Duplex[] {
  return rewrites.map((rewrite) => rewriteStage(rewrite, report));
}
