import { TntarError } from '../errors.js';
import { quoted } from '../report.js';
import { FIRST_USER_SPACE, MAX_SPACE_ID } from './entries.js';
import { JsonReader, readable } from './json.js';

export const FORMAT_NAME = 'tntar';
export const FORMAT_VERSION = 1;

/** Instances of a replica set, `VCLOCK_MAX` of the server's `src/box/vclock.h`: their ids go from 0 to 31. */
export const MAX_REPLICAS = 32;

/** LSN by replica id, e.g. `{"1": 1042}`: how many writes of each replica a server has seen. */
export type Vclock = Record<string, number>;

/** How the rows of a space were read, or why there are none. */
export type RowsFrom = 'snapshot' | 'select' | 'none';

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

/** Of more spaces nobody reads the manifest with the eye, and blanks would be half of it. */
const READABLE_SPACES = 1000;

/** @throws TntarError of kind `failure` for one that {@link decodeManifest} would refuse */
export function encodeManifest(manifest: Manifest): Buffer {
  const head = { format: FORMAT_NAME, version: FORMAT_VERSION };
  const indent = manifest.spaces.length > READABLE_SPACES ? 0 : 1;
  const text = `${JSON.stringify({ ...head, ...manifest }, plain, indent)}\n`;
  return readable('manifest.json', Buffer.from(text), decodeManifest);
}

/** A field's format may hold anything; what JSON has no form for is only shown here, not kept. */
function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

/** Both documents of an archive start with the format's name and version. */
export function checkFormat(json: JsonReader): void {
  const name = json.string('format');
  const version = json.count('version');
  if (name !== FORMAT_NAME)
    throw new TntarError('archive', `the format is ${quoted(name)}, not ours`);
  if (version < 1) throw new TntarError('archive', `there is no format of version ${version}`);
  if (version > FORMAT_VERSION) {
    throw new TntarError(
      'archive',
      `the archive is of format ${version}: it was made by a newer version of tntar`,
      { hint: `this version reads formats up to ${FORMAT_VERSION}; install a newer one` },
    );
  }
}

function checkSpaceIds(spaces: readonly ManifestSpace[]): void {
  const seen = new Set<number>();
  for (const { id, name } of spaces) {
    if (id < FIRST_USER_SPACE || id > MAX_SPACE_ID || seen.has(id)) {
      throw new TntarError(
        'archive',
        `manifest.json: space ${quoted(name)} has the id ${id}, which is no user's or there twice`,
      );
    }
    seen.add(id);
  }
}

/** The version of a server of which nobody noted it. */
export const UNKNOWN_VERSION = 'unknown';
/** As a server's greeting has it, e.g. `2.11.5-0-gab12cd`: its first three numbers decide on a restore. */
export const SERVER_VERSION = /^(?:unknown|\d{1,4}\.\d{1,4}(?:[.~+-][\w.~+-]{0,100})?)$/;
/** As `_schema` has it under `version`. */
const SCHEMA_VERSION = /^\d{1,4}\.\d{1,4}\.\d{1,4}$/;
const ISO_DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/** True for the id of a replica, as a vclock has it. */
export function isReplicaId(key: string): boolean {
  return /^(?:0|[1-9]\d?)$/.test(key) && Number(key) < MAX_REPLICAS;
}

/** Reads a vclock of a manifest or trailer. */
export function vclockOf(json: JsonReader): Vclock {
  const vclock = json.object('vclock').counts();
  const wrong = Object.keys(vclock).find((key) => !isReplicaId(key));
  if (wrong === undefined) return vclock;
  throw new TntarError('archive', `the vclock has ${quoted(wrong)}, which is the id of no replica`);
}

/** @throws TntarError of kind `archive` */
export function decodeManifest(bytes: Buffer): Manifest {
  const json = JsonReader.parse(bytes, 'manifest.json');
  checkFormat(json);
  const server = json.object('server');
  const spaces = json.objects('spaces').map((space) => ({
    id: space.count('id'),
    name: space.string('name'),
    engine: space.string('engine'),
    format: space.array('format'),
    rowsFrom: space.oneOf('rowsFrom', ['snapshot', 'select', 'none']),
    ...(space.has('rowsExcluded') ? { rowsExcluded: space.boolean('rowsExcluded') } : {}),
    ...(space.has('expectedRows') ? { expectedRows: space.count('expectedRows') } : {}),
  }));
  checkSpaceIds(spaces);
  return {
    tool: json.string('tool'),
    created: json.matching('created', ISO_DATE, 'a date in UTC'),
    server: {
      version: server.matching('version', SERVER_VERSION, 'the version of a server'),
      uuid: server.string('uuid'),
      ...(server.has('schema')
        ? { schema: server.matching('schema', SCHEMA_VERSION, 'the version of a schema') }
        : {}),
    },
    source: json.oneOf('source', ['snapshot', 'select']),
    vclock: vclockOf(json),
    spaces,
    omitted: json.objects('omitted').map((omission) => ({
      what: omission.string('what'),
      why: omission.string('why'),
    })),
    revoked: json.objects('revoked').map((grant) => ({
      grantee: grant.count('grantee'),
      objectType: grant.string('objectType'),
      objectId: grant.count('objectId'),
    })),
    ...(json.has('partial') ? { partial: json.strings('partial') } : {}),
    ...(json.has('only') ? { only: json.oneOf('only', ['data', 'schema']) } : {}),
    ...(json.has('changed') ? { changed: json.strings('changed') } : {}),
  };
}
