/** A program of a user of the library: one right and one wrong call of each function. It is compiled, and not run. */
export const CONSUMER_TYPES = `
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import {
  type ArchiveInput, archiveSink, archiveSource, type CatResult, type CopyResult, type DamageResult, type DiffResult,
  type ClusterDumpResult, type DumpResult, type ErrorCode, type ExtractResult, type Filter, type ListResult, type PreviewResult,
  type RestoreResult, type RowFilter, type SalvageResult, type Server, type VerifyResult,
  applyFilter, cat, Connection, copy, decodeTuple, diff, directorySource, dump, dumpCluster, eachTuple, extract, filterStage, findDamage, list,
  previewCopy, previewRestore, previewSalvage, ReportEvents, restore, salvage, selectSource, setEngine, snapshotSource, textSink, TntarError, verify,
} from 'tntar';
import { list as listArchive, verify as verifyArchive } from 'tntar/archive';

const inputs: ArchiveInput[] = [
  'a.tar.zst', new URL('file:///a.tar.zst'), new Blob([]), createReadStream('a'),
  { size: 5, open: (start) => createReadStream('a', { start }) },
];
const servers: Server[] = ['db1:3301', { address: 'db1', user: 'app', password: 'x', tls: {} }, { host: 'db1', port: 3301 }];
// @ts-expect-error an archive is no number
inputs.push(5);
// @ts-expect-error a port is a number
servers.push({ port: '3301' });

export async function all([input, ...others]: [ArchiveInput, ...ArchiveInput[]], server: Server, signal: AbortSignal) {
  const row: RowFilter = (space, tuple) => (space.name === 'users' ? null : tuple);
  const filters: Filter[] = [setEngine('vinyl'), applyFilter(row, 'mine')];
  const results: [
    DumpResult, RestoreResult, PreviewResult, CopyResult, PreviewResult, VerifyResult, ListResult, CatResult, DiffResult,
    ExtractResult, DamageResult, SalvageResult, PreviewResult & DamageResult,
  ] = [
    await dump(server, createWriteStream('a'), { filters, signal, source: 'select', strict: true, level: 3 }),
    await restore(input, server, { filters, signal, existing: 'drop', without: { users: true } }),
    await previewRestore(input, server, { filters, signal, only: 'data', onConflict: 'skip' }),
    await copy(server, server, { filters, signal }),
    await previewCopy(server, server, { filters, signal }),
    await verify(input, { filters, signal, definitions: true }),
    await list(input, { filters, signal, definitions: true }),
    await cat(input, process.stdout, { space: 'users', format: 'csv', where: ['id > 5'], signal }),
    await diff({ archive: input }, { server, source: 'select' }, { filters, signal, only: 'schema' }),
    await extract(input, '/backup', { filters, signal, all: true }),
    await findDamage(input, { signal }),
    await salvage(input, server, { filters, signal, onDamage: ({ lost }) => console.log(lost) }),
    await previewSalvage(input, server, { signal }),
  ];
  const cluster: ClusterDumpResult = await dumpCluster([server, 'db2:3301'], createWriteStream('a'), { from: 'master', filters: () => filters, signal });
  console.log(cluster.shards, cluster.skew);
  // @ts-expect-error a cluster is a list of servers
  await dumpCluster(server, createWriteStream('a'));
  // @ts-expect-error the output is no path
  await dump(server, 'backup.tar.zst');
  // @ts-expect-error there is no such mode
  await dump(server, process.stdout, { source: 'nonsense' });
  // @ts-expect-error there is no such option
  await restore(input, server, { rewrites: [] });
  // @ts-expect-error a restore has a target
  await previewRestore(input);
  // @ts-expect-error a copy has a target
  await copy(server);
  // @ts-expect-error there is no such choice
  await previewCopy(server, server, { existing: 'nonsense' });
  // @ts-expect-error a filter is what setEngine and the like make
  await verify(input, { filters: [row] });
  // @ts-expect-error definitions are told or not
  await list(input, { definitions: 'all' });
  // @ts-expect-error a space has to be named
  await cat(input, process.stdout, { format: 'csv' });
  // @ts-expect-error a side says what it is
  await diff(input, { server });
  // @ts-expect-error a path is a string
  await extract(input, 5);
  // @ts-expect-error a signal is not a number
  await findDamage(input, { signal: 5 });
  // @ts-expect-error a salvage has a target
  await salvage(input);
  // @ts-expect-error a salvage has a target
  await previewSalvage(input);
  return { results, others, listed: await listArchive(input), verified: await verifyArchive(input) };
}

export async function streams(): Promise<unknown[]> {
  await using connection = await Connection.open('db1:3301');
  await pipeline(snapshotSource(connection), filterStage(setEngine('vinyl')), archiveSink({ level: 1 }), createWriteStream('a'));
  const signal = AbortSignal.timeout(1000);
  await pipeline(archiveSource('a.tar.zst', { wants: (name) => name === 'users', signal }), textSink({ space: 'users' }), process.stdout);
  const rows: unknown[] = [connection.where, connection.user, connection.lost?.code];
  for await (const item of archiveSource(createReadStream('a'))) {
    if (item.kind === 'tuples') for (const raw of eachTuple(item.bytes)) rows.push(...decodeTuple(raw));
  }
  await pipeline(selectSource(connection, { signal }), archiveSink(), createWriteStream('a'));
  await pipeline(directorySource('/backup', { signal }), archiveSink(), createWriteStream('a'));
  // @ts-expect-error options are an object
  archiveSource('a.tar.zst', (bytes) => bytes);
  // @ts-expect-error options are an object
  selectSource(connection, (name) => name === 'users');
  filterStage(setEngine('vinyl'), { report: new ReportEvents() });
  // @ts-expect-error options are an object
  filterStage(setEngine('vinyl'), new ReportEvents());
  // @ts-expect-error there is no such option
  snapshotSource(connection, { isForced: true });
  // @ts-expect-error requests are no part of the library
  connection.request;
  // @ts-expect-error nor is the memory of a connection
  connection.memory;
  return rows;
}

export function advice(error: unknown): string | undefined {
  if (!(error instanceof TntarError)) return undefined;
  const code: ErrorCode = error.code;
  switch (code) {
    case 'TNTAR_LOGIN':
      return 'ask for another password';
    case 'TNTAR_INCOMPLETE':
      return 'look at the target';
    // @ts-expect-error there is no such code
    case 'TNTAR_NONSENSE':
      return undefined;
    default:
      return error.hint;
  }
}
`;
