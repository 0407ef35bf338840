import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { SHOP } from '../demo/dataset.js';
import { tntar } from '../support/cli.js';
import { startServer, type TestServer } from '../support/server.js';
import { failsWith } from './outcome.js';
import { withServer } from './with-server.js';

const LEFT_OUT = `
  local cache = box.schema.space.create('cache', {temporary = true})
  cache:create_index('primary')
  cache:insert({1})
  box.schema.space.create('empty'):create_index('primary')
  box.schema.space.create('größe'):create_index('primary')
`;

interface ListedSpace {
  id: number;
  name: string;
  engine: string;
  format: { name: string; type: string }[];
  rowsFrom: string;
  rows: number;
  bytes: number;
}

describe('list', () => {
  let server: TestServer;
  let archive: Buffer;
  before(async () => {
    server = await startServer({ lua: SHOP + LEFT_OUT });
    archive = (await tntar(['dump', server.uri])).stdout;
  });
  after(() => server.stop());

  const rowsOf = (name: string): Promise<number> =>
    server.eval('return box.space[...]:count()', name);

  describe('prints a table', () => {
    let lines: string[];
    before(async () => {
      const { code, stdout, stderr } = await tntar(['list'], { input: archive });
      equal(code, 0, stderr);
      lines = String(stdout).split('\n');
    });

    it('with the origin of the archive above it', () => {
      const version = server.version.replaceAll('.', '\\.');
      match(lines[0]!, new RegExp(`^Tarantool ${version}, 20\\d\\d-.*Z, read by snapshot$`));
    });

    it('with the totals of the archive', () => {
      match(lines[1]!, /^complete, from one moment, archive of [\d.]+ kB, ratio [\d.]+, verified$/);
    });

    it('with what was left out', () => {
      deepEqual(
        lines.filter((line) => line.includes('cache') && line.startsWith('left out')).length,
        1,
      );
    });

    it('with one line for each space and aligned numbers', () => {
      const start = lines.findIndex((line) => line.includes('ENGINE'));
      match(lines[start]!, /^ *ID +NAME +ENGINE +ROWS +BYTES +SHARE$/);
      const table = lines.slice(start + 1, -1);
      equal(new Set(table.map((line) => line.length)).size, 1, table.join('\n'));
      match(table[0]!, /^512 +customers +memtx +2,000 +[\d.]+ kB {2}[█░]{10} +[\d.]+%$/);
      ok(table.some((line) => /^\d+ +events +vinyl +20,000 +[\d.]+ kB {2}/.test(line)));
      ok(table.some((line) => /^\d+ +empty +memtx +0 +0 B {2}░{10} +0\.0%$/.test(line)));
      ok(table.some((line) => /^\d+ +größe +memtx +0 +0 B {2}/.test(line)));
      match(table.at(-1)!, /^ +total +32,400 +[\d.]+ MB {2}█{10} 100\.0%$/);
      equal(lines.at(-1), '');
    });
  });

  describe('prints JSON', () => {
    let document: Record<string, unknown> & { spaces: ListedSpace[] };
    before(async () => {
      const { code, stdout, stderr } = await tntar(['list', '--json', '-q'], { input: archive });
      equal(code, 0, stderr);
      equal(stderr, '');
      document = JSON.parse(String(stdout));
    });

    it('with the origin of the archive', async () => {
      const uuid = await server.eval<string>('return box.info.uuid');
      const schema = await server.eval<string>(
        `return table.concat({box.space._schema:get('version'):unpack(2)}, '.')`,
      );
      deepEqual(document['server'], { version: server.version, uuid, schema });
      equal(document['source'], 'snapshot');
      equal(document['consistent'], true);
      match(String(document['tool']), /^tntar \d+\.\d+\.\d+$/);
      ok(Math.abs(Date.parse(String(document['created'])) - Date.now()) < 600_000);
      deepEqual(document['vclock'], document['endVclock']);
      const lsn = await server.eval<number>('return box.info.vclock[1]');
      deepEqual(document['vclock'], { 1: lsn });
    });

    it('with each space and its fields, rows and bytes', async () => {
      const ids = document.spaces.map(({ id }) => id);
      deepEqual(
        ids,
        ids.toSorted((a, b) => a - b),
      );
      const byName = Object.fromEntries(document.spaces.map((space) => [space.name, space]));
      for (const name of ['customers', 'products', 'orders', 'events', 'empty', 'größe']) {
        equal(byName[name]?.rows, await rowsOf(name), name);
        equal(byName[name]?.rowsFrom, 'snapshot');
      }
      const { format, engine } = byName['events']!;
      equal(engine, 'vinyl');
      deepEqual(
        format.map((field) => [field.name, field.type]),
        [
          ['time', 'double'],
          ['customer', 'unsigned'],
          ['kind', 'string'],
          ['detail', 'any'],
        ],
      );
      equal(byName['customers']?.bytes, await server.eval('return box.space.customers:bsize()'));
    });

    it('with the totals', () => {
      const sum = (key: 'rows' | 'bytes') =>
        document.spaces.reduce((total, space) => total + space[key], 0);
      equal(document['rows'], sum('rows'));
      equal(document['bytes'], sum('bytes'));
      equal(document['archiveBytes'], archive.length);
    });

    it('with everything that was left out', () => {
      const omitted = document['omitted'] as { what: string; why: string }[];
      equal(omitted.length, 1);
      match(omitted[0]!.what, /cache/);
      equal(document.spaces.find(({ name }) => name === 'cache')?.rowsFrom, 'none');
    });
  });

  describe('shows what was chosen on this run', () => {
    const CHOSEN = "only spaces 'products' and what they need";

    it('as chosen on this run, and not as the part that the archive is', async () => {
      const { stdout } = await tntar(['list', '--space', 'products'], { input: archive });
      match(String(stdout), /^shown: only spaces 'products' and what they need$/m);
      doesNotMatch(String(stdout), /PARTIAL/);
      match(String(stdout), /^ +total +/m);
    });

    it('beside the part that the archive is', async () => {
      const dumped = await tntar(['dump', server.uri, '--exclude', 'events']);
      const { stdout } = await tntar(['list', '--space', 'products'], { input: dumped.stdout });
      match(String(stdout), /^PARTIAL: no spaces 'events'$/m);
      match(String(stdout), /^shown: only spaces 'products' and what they need$/m);
    });

    it('in JSON, too', async () => {
      const args = ['list', '--json', '--space', 'products'];
      const document = JSON.parse(String((await tntar(args, { input: archive })).stdout));
      deepEqual([document.shown, document.partial], [[CHOSEN], undefined]);
      deepEqual(
        document.spaces.map(({ name }: ListedSpace) => name),
        ['products'],
      );
      const all = await tntar(['list', '--json'], { input: archive });
      equal('shown' in JSON.parse(String(all.stdout)), false);
    });
  });

  describe('shows what filters did to rows', () => {
    const dumpBy = async (...args: string[]): Promise<Buffer> => {
      const { code, stdout, stderr } = await tntar(['dump', server.uri, ...args]);
      equal(code, 0, stderr);
      return stdout;
    };
    const SKIPPED =
      "where 'customers: id <= 1500': 'customers': 2,000 rows in, 0 changed, 500 skipped, 1,500 out";

    it('as a partial archive if they skipped any', async () => {
      const input = await dumpBy('--where', 'customers: id <= 1500');
      const { stdout } = await tntar(['list'], { input });
      ok(String(stdout).includes(`\nPARTIAL: ${SKIPPED}\n`), String(stdout));
      const document = JSON.parse(String((await tntar(['list', '--json'], { input })).stdout));
      deepEqual(document.partial, [SKIPPED]);
      const { filter: _, ...numbers } = document.filtered.find(
        ({ space }: { space: string }) => space === 'customers',
      );
      deepEqual(numbers, { space: 'customers', in: 2000, changed: 0, skipped: 500, out: 1500 });
    });

    it('as a change if they skipped none, and not for unchanged spaces', async () => {
      const input = await dumpBy('--mask', 'customers.name=hash', '--where', 'products: sku != ""');
      const { stdout } = await tntar(['list'], { input });
      match(
        String(stdout),
        /^changed: mask.*: 'customers': 2,000 rows in, 2,000 changed, 0 skipped, 2,000 out$/m,
      );
      doesNotMatch(String(stdout), /PARTIAL|'products': /);
    });
  });

  it('shows an archive of an empty database', async () => {
    const { stdout: input } = await withServer({}, ({ uri }) => tntar(['dump', uri]));
    const { code, stdout } = await tntar(['list'], { input });
    equal(code, 0);
    match(
      String(stdout),
      /^Tarantool .*\ncomplete, .*\nID +NAME .*\n +total +0 +0 B {2}░{10} +0\.0%\n$/,
    );
  });

  it('prints nothing of a truncated archive, not even the part that it could read', async () => {
    for (const options of [[], ['--json']]) {
      const input = archive.subarray(0, -1);
      failsWith(await tntar(['list', ...options], { input }), 3, /ends/);
    }
  });
});
