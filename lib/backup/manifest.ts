import type { Vclock } from './vclock.js';

/** The way in which the rows of a space were read, or the reason why there are none. */
export type RowsFrom = 'snapshot' | 'select' | 'none';

/** The version of a server whose version was not recorded. */
export const UNKNOWN_VERSION = 'unknown';
/** The version of the server's greeting, e.g. `2.11.5-0-gab12cd`. A restore looks at its first three numbers. */
export const SERVER_VERSION = /^(?:unknown|\d{1,4}\.\d{1,4}(?:[.~+-][\w.~+-]{0,100})?)$/;

/** A user's space, as the manifest lists it. */
export interface ManifestSpace {
  id: number;
  name: string;
  /** e.g. `memtx` */
  engine: string;
  /** The format of the server: one object per field, with at least its name and type. */
  format: unknown[];
  rowsFrom: RowsFrom;
  /** True if its rows were left out on purpose; it may have had rows or none. */
  rowsExcluded?: boolean;
  /** The approximate number of rows at the start of reading, for progress. Absent if unknown. */
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
  /** The program that wrote the archive, e.g. `tntar 0.1.0`. */
  tool: string;
  /** ISO 8601, UTC. */
  created: string;
  /**
   * The dumped server: a version such as `2.11.9` or `unknown`, the uuid of the instance, and the
   * version of its schema, e.g. `2.11.5`, which `box.schema.upgrade()` sets; absent in older archives.
   */
  server: { version: string; uuid: string; schema?: string };
  /** The way in which rows were read; see {@link ManifestSpace.rowsFrom} for a single space. */
  source: 'snapshot' | 'select';
  /** The vclock of the server at the start of reading. */
  vclock: Vclock;
  /** The user's spaces, ascending by id. */
  spaces: ManifestSpace[];
  omitted: Omission[];
  /** Grants that a server ships, and that were revoked on this server. */
  revoked: Revocation[];
  /** The parts that filters left out, in words; absent if this is the whole database. */
  partial?: string[];
  /**
   * `data`: only the definitions that rows need; `schema`: no rows.
   * Absent if the archive has both.
   */
  only?: 'data' | 'schema';
  /** The changes of filters, in words; absent if nothing was changed. */
  changed?: string[];
}
