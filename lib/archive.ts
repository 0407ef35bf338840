/**
 * Reads archives of tntar, without a server: `import { list } from 'tntar/archive'`. Everything here is in `tntar`, too;
 * this module loads neither the driver of Tarantool nor the packages for expressions and decimal arithmetic.
 *
 * @example
 * const { spaces } = await list('backup.tar.zst');
 *
 * @packageDocumentation
 */

export type { ArchiveFile, ArchiveInput } from './archive/input.js';
export { eachTuple, type SpaceInfo, type TupleBatch } from './backup/batch.js';
export type { BucketRange, Cluster, ClusterShard, ShardedSpace } from './backup/cluster.js';
export type { BackupEnd, BackupItem, BackupStart } from './backup/item.js';
export type { Manifest, ManifestSpace } from './backup/manifest.js';
export { type ErrorCode, type ErrorKind, TntarError } from './base/errors.js';
export { type Report, ReportEvents } from './base/report.js';
export { type Choice, chooseSpaces } from './filters/choose.js';
export { type DamageResult, findDamage } from './pipelines/damage.js';
export { type ExtractOptions, type ExtractResult, extract } from './pipelines/extract.js';
export { type ListOptions, type ListResult, list } from './pipelines/list.js';
export { type VerifyResult, verify } from './pipelines/verify.js';
export type { VerifyOptions } from './pipelines/verify-options.js';
export { type TextOptions, textSink } from './sinks/text.js';
export { type ArchiveSourceOptions, archiveSource } from './sources/archive.js';
export { type DirectorySourceOptions, directorySource } from './sources/directory.js';
export { decodeTuple, type ExactValue, type Scalar } from './tuple/codec.js';
