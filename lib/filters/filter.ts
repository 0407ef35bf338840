import type { Duplex } from 'node:stream';
import type { SpaceInfo, TupleBatch } from '../backup/batch.js';
import type { Cluster } from '../backup/cluster.js';
import { type BackupEnd, type BackupItem, Counter, type Outlook } from '../backup/item.js';
import type { Manifest, ManifestSpace, Omission } from '../backup/manifest.js';
import { indexBy } from '../base/collections.js';
import { defined } from '../base/defined.js';
import { aReport, checkOptions, type Kinds } from '../base/option-checks.js';
import { type Report, silent } from '../base/report.js';
import { itemDuplex } from '../flow/item-duplex.js';
import { type Head, systemBatches } from '../schema/catalog/preamble.js';
import { PreambleReader } from '../schema/read/preamble-reader.js';
import { Field, SystemSpace } from '../schema/server/system-spaces.js';

/** The definitions after a filter. */
export interface FilterOutcome {
  /** The remaining definitions, changed or not. */
  head: Head;
  /** Parts of the remaining definitions that cannot exist without those that were left out. */
  lost?: readonly Omission[];
  /** Warnings to show before the first row, one line each. */
  warnings?: readonly string[];
}

/**
 * A change to a backup in flight. {@link setEngine}, {@link applyFilter} and others return one. Write your own if
 * those are not enough.
 *
 * @example
 * const few: Filter = {
 *   partial: 'only the first batches',
 *   head: (head) => ({ head }),
 *   rows: (batch) => (isEnough(batch.space) ? [] : [batch]),
 * };
 */
export interface Filter {
  /** A description of what is left out, for the manifest. */
  partial?: string;
  /** A description of what is changed, for the manifest. */
  changed?: string;
  /** Returns false if no row of the space is needed, so that a source can leave it out. */
  wants?(space: string): boolean;
  /** Receives all definitions before the first row. */
  head(head: Head): FilterOutcome | Promise<FilterOutcome>;
  /** Receives rows of the remaining spaces; absent if they are not changed. */
  rows?(batch: TupleBatch): Iterable<TupleBatch> | AsyncIterable<TupleBatch>;
  /** Receives the end of the remaining backup, and may report about the rows. */
  end?(end: BackupEnd, report: Report): BackupEnd;
}

/**
 * Returns the spaces that a source has to read, from the first filters that choose spaces by their names in the
 * source. After any other filter, a name may mean another space.
 */
export function wantedBy(filters: readonly Filter[]): (space: string) => boolean {
  const first = filters.findIndex(({ wants }) => wants === undefined);
  const choosing = first < 0 ? filters : filters.slice(0, first);
  return (space) => choosing.every((filter) => filter.wants?.(space) ?? true);
}

/** Returns the spaces of a manifest as the catalog defines them now. */
export function listedSpaces({ manifest, catalog }: Head): ManifestSpace[] {
  const known = indexBy(manifest.spaces, ({ id }) => id);
  return catalog.spaces.map(({ id, name, engine, format }) => {
    const listed = known.get(id) ?? { rowsFrom: 'none' as const };
    return { ...listed, id, name, engine, format };
  });
}

function noted(head: Head, { partial, changed }: Filter, lost: readonly Omission[]): Manifest {
  const { manifest } = head;
  return {
    ...manifest,
    spaces: listedSpaces(head),
    omitted: [...manifest.omitted, ...lost],
    ...(partial === undefined ? {} : { partial: [...(manifest.partial ?? []), partial] }),
    ...(changed === undefined ? {} : { changed: [...(manifest.changed ?? []), changed] }),
  };
}

/**
 * The facts about the definitions that are needed for the rows and the end. The definitions are freed when they have
 * been handed on.
 */
interface Left {
  spaces: ReadonlyMap<number, SpaceInfo>;
  /** The ids of the sequences. */
  sequences: ReadonlySet<number>;
}

/** Returns the end of the remaining backup. */
function endOf(end: BackupEnd, { sequences: kept }: Left, counts: BackupEnd['counts']): BackupEnd {
  const { sequences, ...rest } = end;
  const left = sequences?.filter(({ id }) => kept.has(id)) ?? [];
  return { ...rest, counts, ...(left.length === 0 ? {} : { sequences: left }) };
}

/** Applies one filter to one backup. */
class FilterRun {
  readonly #filter: Filter;
  readonly #report: Report;
  readonly #preamble = new PreambleReader();
  readonly #counter = new Counter();
  #outlook: Outlook = {};
  #cluster: Cluster | undefined;
  /** The remaining definitions, once all of them were read. */
  #left: Left | undefined;

  constructor(filter: Filter, report: Report) {
    this.#filter = filter;
    this.#report = report;
  }

  async *take(item: BackupItem): AsyncGenerator<BackupItem> {
    if (item.kind === 'start') {
      this.#preamble.start(item.manifest);
      const { kind: _, manifest, cluster, ...outlook } = item;
      this.#cluster = cluster;
      this.#outlook = outlook;
    } else if (item.kind === 'end') {
      this.#preamble.end(item);
      if (this.#left === undefined) yield* this.#begin();
      const end = endOf(item, this.#left!, this.#counter.counts);
      yield this.#filter.end?.(end, this.#report) ?? end;
    } else if (!this.#preamble.take(item)) {
      if (this.#left === undefined) yield* this.#begin();
      yield* this.#rows(item);
    }
  }

  /** Yields the definitions, all at once. */
  async *#begin(): AsyncGenerator<BackupItem> {
    const filter = this.#filter;
    const { head, lost = [], warnings = [] } = await filter.head(this.#preamble.head());
    for (const line of warnings) this.#report.warn(line);
    for (const { what, why } of lost) this.#report.warn(`left out: ${what}: ${why}`);
    const { catalog } = head;
    const manifest = noted(head, filter, lost);
    const infos = manifest.spaces.map(({ id, name, engine }) => ({ id, name, engine }));
    const sequences = catalog
      .rows(SystemSpace.SEQUENCE)
      .map(({ fields }) => Number(fields[Field.sequence.id]));
    this.#left = { spaces: indexBy(infos, ({ id }) => id), sequences: new Set(sequences) };
    this.#preamble.forget();
    // After a filter of rows, the number of rows and their sizes are not known in advance.
    const outlook = filter.rows === undefined ? this.#outlook : {};
    yield { kind: 'start', manifest, ...defined({ cluster: this.#cluster }), ...outlook };
    yield* this.#counter.pass(systemBatches(catalog));
  }

  async *#rows(batch: TupleBatch): AsyncGenerator<BackupItem> {
    const space = this.#left?.spaces.get(batch.space.id);
    if (space === undefined) {
      batch.release?.();
      return;
    }
    const named = { ...batch, space };
    yield* this.#counter.pass(this.#filter.rows?.(named) ?? [named]);
  }
}

/** Options of {@link filterStage}. */
export interface FilterStageOptions {
  /** Hears of notes and warnings; by default, nothing does. */
  report?: Report;
}

const KINDS: Kinds<FilterStageOptions> = { report: aReport };

/**
 * Returns a filter as a stream between a source and a sink. It changes a backup: first its definitions, all at once,
 * then its rows. The input is checked against the counts of the source, and the output is counted again. One stream
 * takes one backup.
 *
 * @param options - their report receives what could not be kept
 * @returns a stream in object mode; its error is a TntarError: the filter's, or of kind `archive` for definitions
 * that no server can have had
 * @example
 * const vinyl = filterStage(setEngine('vinyl'));
 * await pipeline(archiveSource(input), vinyl, archiveSink(), output);
 */
export function filterStage(filter: Filter, options: FilterStageOptions = {}): Duplex {
  checkOptions('filterStage', options, KINDS);
  const { report = silent } = options;
  const run = new FilterRun(filter, report);
  return itemDuplex((item) => run.take(item));
}

/**
 * Returns filters as streams in their order, to be composed with others.
 *
 * @example
 * compose([...filterStages(filters, report), totals.see]);
 */
export function filterStages(filters: readonly Filter[], report: Report): Duplex[] {
  return filters.map((filter) => filterStage(filter, { report }));
}
