import type { Vclock } from './vclock.js';

/** How the rows of a space were read, or why there are none. */
export type RowsFrom = 'snapshot' | 'select' | 'none';

/** The version of a server of which nobody noted it. */
export const UNKNOWN_VERSION = 'unknown';
/** As a server's greeting has it, e.g. `2.11.5-0-gab12cd`: its first three numbers decide on a restore. */
export const SERVER_VERSION = /^(?:unknown|\d{1,4}\.\d{1,4}(?:[.~+-][\w.~+-]{0,100})?)$/;

/** A user's space, as the manifest lists it. */
export interface ManifestSpace {
  id: number;
  name: string;
  /** e.g. `memtx` */
  engine: string;
  /** As the server holds it: one object a field, with at least its name and type. */
  format: unknown[];
  rowsFrom: RowsFrom;
  /** True if its rows were left out on purpose; it may have had rows or none. */
  rowsExcluded?: boolean;
  /** How many rows it had, or nearly, when reading began: for progress. Absent where nobody could ask. */
  expectedRows?: number;
}

/** Something that the database has and the archive has not, on purpose. */
export interface Omission {
  /** e.g. `rows of 'cache'` */
  what: string;
  /** e.g. `temporary` */
  why: string;
}

/** A grant that is not there, by the key that its row of `_priv` has on a new server. */
export interface Revocation {
  grantee: number;
  objectType: string;
  objectId: number;
}

/** The first entry of an archive. */
export interface Manifest {
  /** What wrote the archive, e.g. `tntar 0.1.0`. */
  tool: string;
  /** ISO 8601, UTC. */
  created: string;
  /**
   * What was dumped: a version such as `2.11.9` or {@link UNKNOWN_VERSION}, the uuid of the instance, and the
   * version of its schema, e.g. `2.11.5`, which `box.schema.upgrade()` sets; absent in older archives.
   */
  server: { version: string; uuid: string; schema?: string };
  /** How rows were read; see {@link ManifestSpace.rowsFrom} for those of a space. */
  source: 'snapshot' | 'select';
  /** Where the server stood when reading began. */
  vclock: Vclock;
  /** The user's spaces, ascending by id. */
  spaces: ManifestSpace[];
  omitted: Omission[];
  /** Grants that a server ships, and that were taken away on this one. */
  revoked: Revocation[];
  /** What filters have taken out, in words and in their order; absent where this is the whole database. */
  partial?: string[];
  /**
   * `data`: definitions are there only so far as rows need them; `schema`: there are no rows on purpose.
   * Absent where there is both.
   */
  only?: 'data' | 'schema';
  /** What filters have made of the rest, in words and in their order; absent where all is as it was. */
  changed?: string[];
}
