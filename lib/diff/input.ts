import type { TupleBatch } from '../backup/batch.js';
import { needsOneShard } from '../backup/cluster.js';
import type { BackupEnd, BackupItem, Unconfirmed } from '../backup/item.js';
import { type Manifest, UNKNOWN_VERSION } from '../backup/manifest.js';
import { indexBy } from '../base/collections.js';
import { TntarError } from '../base/errors.js';
import type { Catalog, Space, SystemRow } from '../schema/catalog/catalog.js';
import { backupVersions } from '../schema/convert/versions.js';
import { PreambleReader } from '../schema/read/preamble-reader.js';
import { type Release, releaseOf, type Versions, versionsOf } from '../schema/server/release.js';
import { Field, SystemSpace } from '../schema/server/system-spaces.js';
import type { Keyed } from './key.js';
import { type Piece, piecesOf } from './row-blocks.js';

/** One of the two inputs of a comparison: its definitions, then its rows, space by space. */
export class Side implements Keyed {
  readonly #items: AsyncIterator<BackupItem>;
  readonly #preamble = new PreambleReader();
  /** Records that this side causes an error. */
  readonly blame: (error: unknown) => void;
  /** The current batch; undefined after the last one. */
  #batch: TupleBatch | undefined;
  #end: BackupEnd | undefined;
  #head: { manifest: Manifest; catalog: Catalog } | undefined;
  #spaces: ReadonlyMap<string, Space> | undefined;
  #primaryRows: ReadonlyMap<number, SystemRow> | undefined;

  private constructor(items: AsyncIterable<BackupItem>, blame: (error: unknown) => void) {
    this.#items = items[Symbol.asyncIterator]();
    this.blame = blame;
  }

  /**
   * Opens an input, and reads up to the first row of a user's space.
   *
   * @param blame - called with each error that this side causes, before it is thrown
   */
  static async open(
    items: AsyncIterable<BackupItem>,
    blame: (error: unknown) => void = () => {},
  ): Promise<Side> {
    const side = new Side(items, blame);
    await side.#next();
    try {
      side.#head = side.#preamble.head();
    } catch (error) {
      blame(error);
      throw error;
    }
    side.#spaces = indexBy(side.catalog.spaces, ({ name }) => name);
    return side;
  }

  get manifest(): Manifest {
    return this.#head!.manifest;
  }

  get catalog(): Catalog {
    return this.#head!.catalog;
  }

  /** The release of its server; undefined if the archive does not record it. */
  get release(): Release | undefined {
    const { version } = this.manifest.server;
    return version === UNKNOWN_VERSION ? undefined : releaseOf(version);
  }

  /** The versions of its server and its schema; undefined if the archive does not record them. */
  get versions(): Versions | undefined {
    const { server } = this.manifest;
    if (server.version === UNKNOWN_VERSION) return undefined;
    return backupVersions(server, this.catalog, versionsOf(server.version));
  }

  get isChanged(): boolean {
    return (this.manifest.changed ?? []).length > 0;
  }

  /** Its spaces, by name. */
  get spaces(): ReadonlyMap<string, Space> {
    return this.#spaces!;
  }

  get primaryRows(): ReadonlyMap<number, SystemRow> {
    const { spaceId, id } = Field.index;
    this.#primaryRows ??= new Map(
      this.catalog
        .rows(SystemSpace.INDEX)
        .filter(({ fields }) => fields[id] === 0)
        .map((row) => [Number(row.fields[spaceId]), row]),
    );
    return this.#primaryRows;
  }

  /** The name of the space whose rows come next; undefined after the last one. */
  get next(): string | undefined {
    return this.#batch?.space.name;
  }

  /** False if rows are known to have been written during the read. Read this after the last row. */
  get isSteady(): boolean {
    return this.#end?.consistent === true || this.#end?.unvouched === true;
  }

  /** Returns the reason why its rows may be uncommitted. Call after the last row. */
  get unconfirmed(): Unconfirmed | undefined {
    return this.#end?.unconfirmed;
  }

  /** Yields the rows of the next space. The space after it follows when they are read. */
  async *rows(): AsyncGenerator<Piece> {
    const id = this.#batch?.space.id;
    while (this.#batch !== undefined && this.#batch.space.id === id) {
      yield* piecesOf(this.#batch);
      await this.#next();
    }
  }

  async #next(): Promise<void> {
    try {
      await this.#advance();
    } catch (error) {
      this.blame(error);
      throw error;
    }
  }

  async #advance(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#items.next();
      if (done === true) {
        if (this.#end === undefined)
          throw new TntarError('failure', 'a backup stopped before its end');
        this.#batch = undefined;
        return;
      }
      if (value.kind === 'start') {
        if (value.cluster !== undefined) throw needsOneShard(value.cluster, 'diff');
        this.#preamble.start(value.manifest);
      } else if (value.kind === 'end') {
        this.#preamble.end(value);
        this.#end = value;
      } else if (!this.#preamble.take(value)) {
        this.#batch = value;
        return;
      }
    }
  }
}
