/**
 * Logical backups of Tarantool as streams.
 *
 * The pipelines are functions that return promises: {@link dump}, {@link restore},
 * {@link previewRestore}, {@link copy}, {@link previewCopy}, {@link inspect}, {@link outline}, {@link cat}, {@link extract}, {@link diff}, and of damaged archives {@link examine}, {@link salvage},
 * {@link previewSalvage}. What they are made of is here one by one, each a Node stream:
 *
 * - sources are a `Readable` of {@link BackupItem | items}: {@link snapshotSource}, {@link selectSource},
 *   {@link archiveSource}, {@link fileSource}, {@link directorySource}
 * - filters, such as {@link setEngine} makes one, become a `Duplex` by {@link rewriteStage}
 * - sinks take items: {@link archiveSink}, {@link serverSink}, {@link directorySink}, {@link textSink}
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
export type { ArchiveFile } from './archive/input.js';
export type {
  BackupEnd,
  BackupItem,
  BackupStart,
  Count,
  Filtered,
  SequenceValue,
} from './archive/items.js';
export type { Manifest, ManifestSpace, Omission } from './archive/manifest.js';
export type { Damage, OpenBytes } from './archive/survey.js';
export type { Vclock } from './archive/vclock.js';
export { type CatOptions, type CatSummary, cat } from './cat.js';
export { type Copied, type CopyOptions, copy, previewCopy } from './copy.js';
export type { DefinitionDifference } from './diff/definitions.js';
export type { OnRow, RowCounts, RowDifference } from './diff/merge.js';
export type { Change } from './diff/property.js';
export type { Converted } from './diff/readings.js';
export type { RowListener, SpaceDifference } from './diff/rows.js';
export { type Differences, type DiffOptions, diff } from './diff.js';
export { type DumpOptions, type DumpSummary, dump } from './dump.js';
export { type ErrorDetails, type ErrorKind, TntarError } from './errors.js';
export { type ExtractOptions, extract } from './extract.js';
export { applyFilter } from './filters/apply.js';
export { type Choice, chooseSpaces } from './filters/choose.js';
export { compose, type Stage } from './filters/compose.js';
export { dataOnly } from './filters/data-only.js';
export { type Engine, setEngine } from './filters/engine.js';
export { excludeRows, type RowExclusion } from './filters/exclude-rows.js';
export type { Filter, FilterResult, FilterSpace } from './filters/filter.js';
export { maskFields } from './filters/mask.js';
export { type Mask, parseMask } from './filters/mask-spec.js';
export type { Totals } from './filters/observe.js';
export { renameSpaces } from './filters/rename.js';
export { type Rewrite, type Rewritten, rewriteStage } from './filters/rewrite.js';
export { schemaOnly } from './filters/schema-only.js';
export { keepWhere, parseWhere, type Where } from './filters/where.js';
export { type Contents, inspect } from './inspect.js';
export type { InspectOptions } from './inspect-options.js';
export { Connection } from './iproto/connection.js';
export type { ConnectOptions } from './iproto/driver.js';
export type { ConnectionOptions } from './iproto/options.js';
export { type Endpoint, parseUri } from './iproto/uri.js';
export { outline } from './outline.js';
export { type Progress, type Report, type ReportEventMap, ReportEvents } from './report.js';
export { previewRestore, type Restored, type RestoreOptions, restore } from './restore.js';
export {
  examine,
  type Findings,
  previewSalvage,
  type Salvaged,
  type SalvageOptions,
  salvage,
} from './salvage.js';
export type {
  CheckDefinition,
  Definitions,
  FieldDefinition,
  ForeignKeyDefinition,
  IndexDefinition,
  PartDefinition,
  SequenceDefinition,
  SpaceDefinition,
} from './schema/definitions.js';
export type { Destination } from './schema/destinations.js';
export type { Head } from './schema/head.js';
export type { RestorePlan } from './schema/plan.js';
export type { Existing, OnConflict, PlanOptions } from './schema/plan-options.js';
export type { Step } from './schema/step.js';
export { SYSTEM_SPACE_NAMES, SystemSpace } from './schema/system.js';
export type { FieldFormat } from './schema/system-formats.js';
export { type ArchiveOptions, archiveSink } from './sinks/archive.js';
export { type DirectoryOptions, directorySink } from './sinks/directory.js';
export type { Preview } from './sinks/preview.js';
export { type Applied, type ServerWritable, serverSink } from './sinks/server.js';
export { type TextOptions, textSink } from './sinks/text.js';
export type { Wanted } from './sinks/wanted.js';
export { archiveSource } from './sources/archive.js';
export { directorySource } from './sources/directory.js';
export { type FileReading, fileSource } from './sources/indexed.js';
export type { ItemReadable } from './sources/items.js';
export {
  type ArchiveInput,
  type ArchiveReading,
  archiveOrigin,
  type Origin,
  type Reading,
} from './sources/origin.js';
export { selectSource } from './sources/select.js';
export { type ServerReading, serverOrigin, type Way } from './sources/server.js';
export { snapshotSource } from './sources/snapshot.js';
export { INVALID_UTF8, type InvalidUtf8, TEXT_FORMATS, type TextFormat } from './text/names.js';
export { eachTuple, type SpaceInfo, type TupleBatch } from './tuple/batch.js';
export { Double, Float, Opaque, Raw } from './tuple/carried.js';
export { Datetime, type DatetimeParts } from './tuple/datetime.js';
export { Decimal } from './tuple/decimal.js';
export type { ExactValue } from './tuple/exact.js';
export { Interval, type IntervalParts } from './tuple/interval.js';
export { Tuple, type TupleUpdate } from './tuple/tuple.js';
export { Uuid } from './tuple/uuid.js';
export { VERSION } from './version.js';
