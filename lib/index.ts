/**
 * Logical backups of Tarantool as streams.
 *
 * Each command is a function that returns a promise: {@link dump}, {@link restore}, {@link copy}, {@link verify},
 * {@link list}, {@link cat}, {@link extract} and {@link diff}; {@link findDamage} and {@link salvage} for damaged
 * archives; {@link previewRestore}, {@link previewCopy} and {@link previewSalvage} for dry runs. The parts of these
 * functions are Node streams:
 *
 * - sources are a `Readable` of {@link BackupItem | items}: {@link snapshotSource}, {@link selectSource},
 *   {@link archiveSource}, {@link directorySource}
 * - filters, such as the one of {@link setEngine}, become a `Duplex` by {@link filterStage}
 * - sinks take items: {@link archiveSink}, {@link serverSink}, {@link directorySink}, {@link textSink}
 *
 * `tntar/archive` has what reads archives, and loads nothing for servers.
 *
 * @example
 * await pipeline(
 *   chain([snapshotSource(connection), myStage, archiveSink()]), // chain is that of stream-chain
 *   createWriteStream('backup.tar.zst'),
 * );
 *
 * @packageDocumentation
 */

export { DEFAULT_LEVEL, MAX_LEVEL } from './archive/compression.js';
export type { ArchiveFile, ArchiveInput } from './archive/input.js';
export type { Damage, OpenBytes } from './archive/survey.js';
export { eachTuple, type SpaceInfo, type TupleBatch } from './backup/batch.js';
export type { BucketRange, Cluster, ClusterShard, ShardedSpace } from './backup/cluster.js';
export type {
  BackupEnd,
  BackupItem,
  BackupStart,
  Count,
  Filtered,
  SequenceValue,
  Size,
  Unconfirmed,
} from './backup/item.js';
export type { Manifest, ManifestSpace, Omission, Revocation, RowsFrom } from './backup/manifest.js';
export type { Vclock } from './backup/vclock.js';
export { type ErrorCode, type ErrorDetails, type ErrorKind, TntarError } from './base/errors.js';
export { type Progress, type Report, type ReportEventMap, ReportEvents } from './base/report.js';
export { VERSION } from './base/version.js';
export type { ReadFrom } from './cluster/connect.js';
export type { DefinitionDifference } from './diff/definitions.js';
export type { OnRow, RowCounts, RowDifference } from './diff/merge.js';
export type { Change } from './diff/property.js';
export type { Converted } from './diff/readings.js';
export type { RowListener, SpaceDifference } from './diff/rows.js';
export { applyFilter } from './filters/apply.js';
export { type Choice, chooseSpaces } from './filters/choose.js';
export { dataOnly } from './filters/data-only.js';
export { type Engine, setEngine } from './filters/engine.js';
export { excludeRows, type RowExclusion } from './filters/exclude-rows.js';
export {
  type Filter,
  type FilterOutcome,
  type FilterStageOptions,
  filterStage,
} from './filters/filter.js';
export { maskFields } from './filters/mask.js';
export { type Mask, parseMask } from './filters/mask-spec.js';
export { renameSpaces } from './filters/rename.js';
export type { FilterSpace, RowFilter, RowFilterResult } from './filters/row-filter.js';
export { schemaOnly } from './filters/schema-only.js';
export { keepWhere, parseWhere, type Where } from './filters/where.js';
export { compose, type Stage } from './flow/compose.js';
export type { ItemReadable } from './flow/item-readable.js';
export type { Totals } from './flow/totals.js';
export { Connection } from './iproto/connection.js';
export type { ConnectOptions } from './iproto/driver.js';
export type { Greeting } from './iproto/greeting.js';
export type { ConnectionOptions, Server } from './iproto/options.js';
export { type Endpoint, parseUri } from './iproto/uri.js';
export { type CatOptions, type CatResult, cat } from './pipelines/cat.js';
export { type CopyOptions, type CopyResult, copy, previewCopy } from './pipelines/copy.js';
export { type DamageResult, findDamage } from './pipelines/damage.js';
export { type DiffInput, diff } from './pipelines/diff.js';
export type { DiffOptions, DiffResult } from './pipelines/diff-options.js';
export { type DumpOptions, type DumpResult, dump } from './pipelines/dump.js';
export {
  type ClusterDumpOptions,
  type ClusterDumpResult,
  dumpCluster,
} from './pipelines/dump-cluster.js';
export { type ExtractOptions, type ExtractResult, extract } from './pipelines/extract.js';
export { type ListOptions, type ListResult, list } from './pipelines/list.js';
export {
  previewRestore,
  type RestoreOptions,
  type RestoreResult,
  restore,
} from './pipelines/restore.js';
export {
  previewSalvage,
  type SalvageOptions,
  type SalvageResult,
  salvage,
} from './pipelines/salvage.js';
export { type VerifyResult, verify } from './pipelines/verify.js';
export type { VerifyOptions } from './pipelines/verify-options.js';
export type { Head } from './schema/catalog/preamble.js';
export type {
  CheckDefinition,
  Definitions,
  FieldDefinition,
  ForeignKeyDefinition,
  IndexDefinition,
  PartDefinition,
  SequenceDefinition,
  SpaceDefinition,
} from './schema/describe/definitions.js';
export type { Used } from './schema/describe/used.js';
export type { Destination } from './schema/plan/destinations.js';
export type { Existing, OnConflict, PlanOptions, Releases } from './schema/plan/options.js';
export type { RestorePlan } from './schema/plan/plan.js';
export type { Rights } from './schema/plan/rights.js';
export type { DeleteStep, Step, TruncateStep, WriteStep } from './schema/plan/step.js';
export type { FieldFormat } from './schema/server/formats.js';
export type { Release, SchemaVersion, Versions } from './schema/server/release.js';
export { SYSTEM_SPACE_NAMES, SystemSpace } from './schema/server/system-spaces.js';
export { type ArchiveOptions, archiveSink } from './sinks/archive.js';
export { type DirectoryOptions, directorySink } from './sinks/directory.js';
export type { Tally } from './sinks/in-flight.js';
export type { PreviewResult } from './sinks/preview.js';
export type { RestoreScope } from './sinks/restore-options.js';
export {
  type Applied,
  type ServerSinkOptions,
  type ServerWritable,
  serverSink,
} from './sinks/server.js';
export { type TextOptions, textSink } from './sinks/text.js';
export { type ArchiveSourceOptions, archiveSource } from './sources/archive.js';
export { type DirectorySourceOptions, directorySource } from './sources/directory.js';
export { type ServerSourceOptions, selectSource } from './sources/select.js';
export type { ReadMode } from './sources/server.js';
export { type SnapshotSourceOptions, snapshotSource } from './sources/snapshot.js';
export { INVALID_UTF8, type InvalidUtf8, TEXT_FORMATS, type TextFormat } from './text/names.js';
export { decodeTuple, type ExactValue, type Scalar } from './tuple/codec.js';
export { Datetime, type DatetimeParts } from './tuple/datetime.js';
export { Decimal } from './tuple/decimal.js';
export { Double, Float, Opaque, Raw } from './tuple/exact-types.js';
export { Interval, type IntervalParts } from './tuple/interval.js';
export { type FieldNames, Tuple, type TupleUpdate } from './tuple/tuple.js';
export { Uuid } from './tuple/uuid.js';
