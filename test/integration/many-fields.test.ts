import { equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_FIELDS } from '../../lib/schema/catalog/field-limit.js';
import { archive, jsonEntry, manifest, manyRowsEntry, sealed } from '../support/archive-builder.js';
import { tntar } from '../support/cli.js';
import type { Plain } from '../support/msgpack.js';
import { tntarMeasured } from '../support/peak.js';
import { startServer, type TestServer } from '../support/server.js';

const PEAK_MIB = 256;
/** As many as all definitions may weigh. */
const SPACES = 3;

/** An archive of spaces with so many fields each, of which the last has an option. */
function archiveOf(spaces: number, fields: number, option: string): Buffer {
  const format = Array.from({ length: fields }, (_, i): Plain => {
    const field = { name: `f${i + 1}`, type: i === 0 ? 'unsigned' : 'any' };
    return i === fields - 1 ? { ...field, option } : field;
  });
  const rows = Array.from({ length: spaces }, (_, i): Plain[] => [
    ...[512 + i, 1, `s${i}`, 'memtx', 0, {}, format],
  ]);
  const listed = rows.map(([id, , name, engine]) => ({
    ...{ id, name, engine, format: [] },
    rowsFrom: 'snapshot',
  }));
  const keys = rows.map(([id]): Plain[] => [
    ...[id!, 0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]],
  ]);
  return archive(
    sealed([
      jsonEntry('manifest.json', manifest({ spaces: listed })),
      manyRowsEntry('280.dump', rows),
      manyRowsEntry('288.dump', keys),
      manyRowsEntry('512.dump', [[1], [2], [3]]),
    ]),
  );
}

describe('spaces of as many fields as the limits allow', () => {
  let folder: string;
  let file: string;
  /** An archive for two filters. Each of them keeps all definitions: with one more space they take 284 MiB. */
  let fewer: string;
  let other: string;
  let server: TestServer;

  before(async () => {
    server = await startServer();
    folder = mkdtempSync(join(tmpdir(), 'tntar-fields-'));
    const at = (name: string): string => join(folder, `${name}.tar.zst`);
    [file, fewer, other] = [at('a'), at('fewer'), at('b')];
    writeFileSync(file, archiveOf(SPACES, MAX_FIELDS, 'a'));
    writeFileSync(fewer, archiveOf(SPACES - 1, MAX_FIELDS, 'a'));
    writeFileSync(other, archiveOf(SPACES, MAX_FIELDS, 'b'));
  });

  after(async () => {
    rmSync(folder, { recursive: true });
    await server.stop();
  });

  for (const [title, args, expected, shown] of [
    ['list', ['list', '--schema', 'FILE'], 0, new RegExp(`f${MAX_FIELDS} +any`)],
    [
      'compare',
      ['diff', '--schema-only', 'FILE', 'OTHER'],
      1,
      new RegExp(`field ${MAX_FIELDS} 'f${MAX_FIELDS}' option a -> b`),
    ],
    ['choose rows of', ['cat', 's0', 'FILE', '--where', 'f1 == 2'], 0, /^\{"f1":2\}$/m],
    [
      'choose and mask rows of, and to plan the restore of',
      [
        ...['restore', 'TARGET', '-i', 'FEWER', '--dry-run'],
        ...['--mask', 's0.f2=hash', '--where', 's0: f1 == 2'],
      ],
      0,
      /space 's1'/,
    ],
    [
      'write as TSV',
      ['cat', 's0', 'FILE', '--format', 'tsv'],
      0,
      new RegExp(`\\tf${MAX_FIELDS}\\n`),
    ],
  ] as const) {
    it(`take no more than ${PEAK_MIB} MiB to ${title}`, async () => {
      const places: Record<string, string> = {
        ...{ FILE: file, FEWER: fewer, OTHER: other },
        TARGET: server.uri,
      };
      const given = args.map((arg) => places[arg] ?? arg);
      const { code, stdout, stderr, peakMiB } = await tntarMeasured(given, { timeoutMs: 60_000 });
      equal(code, expected, stderr);
      match(stdout.toString(), shown);
      ok(peakMiB < PEAK_MIB, `${peakMiB} MiB`);
    });
  }

  it('are the most that an archive may have', async () => {
    writeFileSync(other, archiveOf(1, MAX_FIELDS + 1, 'a'));
    const { code, stderr } = await tntar(['list', '--schema', other]);
    equal(code, 3);
    match(stderr, /space 's0': its format has 65537 fields, and the limit of tntar is 65536/);
  });

  it('are the most that a dump takes, and the hint says what to do with more', async () => {
    const source = await startServer({
      cfg: { memtx_max_tuple_size: 8 * 1024 * 1024 },
      lua: `
        local format = {}
        for i = 1, ${MAX_FIELDS + 1} do format[i] = {name = 'f' .. i, type = 'any'} end
        box.schema.space.create('wide', {format = format}):create_index('pk')`,
    });
    try {
      const { code, stderr } = await tntar(['dump', source.uri, '-o', join(folder, 'c.tar.zst')]);
      equal(code, 1);
      match(
        stderr,
        /space 'wide': its format has 65537 fields.*\n.*shorten the format on the server/,
      );
    } finally {
      await source.stop();
    }
  });
});
