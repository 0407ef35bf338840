import { type Manifest, type ManifestSpace, SERVER_VERSION } from '../backup/manifest.js';
import { FIRST_USER_SPACE, MAX_SPACE_ID } from '../backup/space-id.js';
import { isReplicaId, type Vclock } from '../backup/vclock.js';
import { TntarError } from '../base/errors.js';
import { quoted } from '../base/report.js';
import { JsonReader, readable } from './json.js';

export const FORMAT_NAME = 'tntar';
/** Of an archive of one instance, and of each shard of a cluster. */
export const FORMAT_VERSION = 1;
/** Of an archive of a cluster. */
export const CLUSTER_VERSION = 2;

/** The number of spaces up to which the manifest is indented for people. */
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

/**
 * All documents of an archive start with the format's name and version.
 *
 * @param expected - the version of such a document
 */
export function checkFormat(json: JsonReader, expected: number = FORMAT_VERSION): void {
  const name = json.string('format');
  const version = json.count('version');
  if (name !== FORMAT_NAME)
    throw new TntarError(
      'archive',
      `the format is ${quoted(name)}, which is not a format of tntar`,
    );
  if (version > CLUSTER_VERSION) {
    throw new TntarError(
      'archive',
      `the archive has the format ${version}: it was made by a newer version of tntar`,
      { hint: `this version reads formats up to ${CLUSTER_VERSION}; install a newer one` },
    );
  }
  if (version === expected) return;
  throw new TntarError('archive', `there is no format of version ${version} in such an entry`);
}

function checkSpaceIds(spaces: readonly ManifestSpace[]): void {
  const seen = new Set<number>();
  for (const { id, name } of spaces) {
    if (id < FIRST_USER_SPACE || id > MAX_SPACE_ID || seen.has(id)) {
      throw new TntarError(
        'archive',
        `manifest.json: space ${quoted(name)} has the id ${id}, which is not the id of a user's space or occurs twice`,
      );
    }
    seen.add(id);
  }
}

/** The version of the schema, as in `_schema` under `version`. */
const SCHEMA_VERSION = /^\d{1,4}\.\d{1,4}\.\d{1,4}$/;
/** A moment in UTC, ISO 8601. */
export const ISO_DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/** Reads a vclock of a manifest or trailer. */
export function vclockOf(json: JsonReader): Vclock {
  const vclock = json.object('vclock').counts();
  const wrong = Object.keys(vclock).find((key) => !isReplicaId(key));
  if (wrong === undefined) return vclock;
  throw new TntarError(
    'archive',
    `the vclock has ${quoted(wrong)}, which is not the id of a replica`,
  );
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
