import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blobs } from '../cli/blobs.js';
import { withServer } from '../cli/with-server.js';
import { SHOP } from '../demo/dataset.js';
import { type Result, shell } from '../support/cli.js';
import { fingerprint } from '../support/fingerprint.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';

/** Three parts in the archive. */
const MEGABYTES = 20;
const env = { TT_CLI_USERNAME: USER, TT_CLI_PASSWORD: PASSWORD };

describe('pipes', () => {
  let server: TestServer;
  let folder: string;
  before(async () => {
    server = await startServer({ lua: SHOP + blobs(MEGABYTES) });
  });
  after(() => server.stop());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-pipes-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs a line of bash in the folder, where `$db` is the server. */
  const sh = (line: string, variables: NodeJS.ProcessEnv = {}): Promise<Result> =>
    shell(line, { cwd: folder, env: { ...env, db: server.address, ...variables } });
  const works = async (line: string, variables?: NodeJS.ProcessEnv): Promise<string> => {
    const { code, stdout, stderr } = await sh(line, variables);
    equal(code, 0, `${line}: ${stderr}`);
    return String(stdout);
  };

  for (const source of ['snapshot', 'select']) {
    it(`dump by ${source} | restore makes a copy, metadata included`, async () => {
      const options = { system: true };
      await withServer({}, async (target) => {
        const line = `tntar dump $db --source ${source} | tntar restore $target`;
        equal(await works(line, { target: target.address }), '');
        deepEqual(await fingerprint(target, options), await fingerprint(server, options));
      });
    });
  }

  it('dump | restore fails on both sides if the target refuses, and leaves the target unchanged', async () => {
    const options = { system: true };
    const before = await fingerprint(server, options);
    const { code, stderr } = await sh(
      `tntar dump -q $db | tntar restore $db; exit \${PIPESTATUS[1]}`,
    );
    equal(code, 4, stderr);
    match(stderr, /cannot take this backup: .*blobs/);
    deepEqual(await fingerprint(server, options), before);
  });

  it('dump | tee file | verify checks what it stores', async () => {
    equal(await works('tntar dump $db | tee a.tar.zst | tntar verify'), '');
    equal(await works('tntar verify < a.tar.zst'), '');
  });

  it('a dump that fails makes its reader fail as well', async () => {
    const result = await sh('tntar dump 127.0.0.1:1 | tee a.tar.zst | tntar verify');
    equal(result.code, 3);
    match(result.stderr, /ECONNREFUSED/);
    match(result.stderr, /empty input/);
  });

  it('a checksum can be computed on the way, as the help shows', async () => {
    const isWritten = 'until [ -s sum ]; do sleep 0.05; done'; // bash does not wait for >(...)
    await works(`tntar dump $db | tee >(sha256sum > sum) > a.tar.zst; ${isWritten}`);
    const sum = createHash('sha256')
      .update(readFileSync(join(folder, 'a.tar.zst')))
      .digest('hex');
    equal(await works('cut -d" " -f1 sum'), `${sum}\n`);
  });

  it('list --json feeds a program, and list feeds a pager that is closed early', async () => {
    await works('tntar dump -q $db > a.tar.zst');
    const names =
      'process.stdout.write(JSON.parse(fs.readFileSync(0)).spaces.map((s) => s.name).join())';
    equal(
      await works(`tntar list -q --json < a.tar.zst | "${process.execPath}" -e '${names}'`),
      'customers,products,orders,events,blobs,few',
    );
    const { code, stderr } = await sh('set +o pipefail; tntar list -q < a.tar.zst | head -n 1');
    equal(code, 0);
    equal(stderr, '');
  });

  describe('other programs', () => {
    before(async () => {
      equal(readdirSync(server.dir).includes('a.tar.zst'), false);
      const { code } = await shell('tntar dump -q $db > a.tar.zst', {
        cwd: server.dir,
        env: { ...env, db: server.address },
      });
      equal(code, 0);
    });
    const archive = (): { archive: string } => ({ archive: join(server.dir, 'a.tar.zst') });

    it('zstd finds every frame whole', async () => {
      equal(await works('zstd -tq "$archive"', archive()), '');
    });

    it('tar lists the entries, manifest first and trailer last', async () => {
      const names = (await works('tar --zstd -tf "$archive"', archive())).trim().split('\n');
      equal(names[0], 'manifest.json');
      equal(names.at(-1), 'trailer.json');
      for (const name of names.slice(1, -1)) match(name, /^[1-9]\d*\.dump(\.\d{5})?$/);
      const blobsId = await server.eval<number>('return box.space.blobs.id');
      // how many there are depends on how the server's bytes came
      const parts = names.filter((name) => name.startsWith(`${blobsId}.`));
      ok(parts.length >= MEGABYTES / 4, String(parts));
      deepEqual(
        parts,
        parts.map((_, part) => `${blobsId}.dump.${String(part).padStart(5, '0')}`),
      );
    });

    it('tar unpacks files that only their owner can read', async () => {
      await works('tar --zstd -xf "$archive"', archive());
      const names = readdirSync(folder);
      ok(names.length > 8);
      for (const name of names) {
        const { mode, mtimeMs } = statSync(join(folder, name));
        equal(mode & 0o777, 0o600, name);
        ok(Math.abs(mtimeMs - Date.now()) < 600_000, 'the time of the dump');
      }
    });

    it('cat joins the parts of a space to the raw tuples of the server', async () => {
      await works('tar --zstd -xf "$archive"', archive());
      for (const name of ['blobs', 'few', 'customers', 'orders', 'products']) {
        const id = await server.eval<number>('return box.space[...].id', name);
        const file = `${id}.dump`;
        await works(`[ -e ${file} ] || cat ${file}.* > ${file}`);
        const sum = createHash('sha1')
          .update(readFileSync(join(folder, file)))
          .digest('hex');
        equal(sum, await rawHash(server, name), name);
      }
    });

    it('the manifest and the trailer are JSON to any program', async () => {
      const [manifest, trailer] = await Promise.all(
        ['manifest', 'trailer'].map(async (name) =>
          JSON.parse(await works(`tar --zstd -xOf "$archive" ${name}.json`, archive())),
        ),
      );
      deepEqual([manifest.format, manifest.version], ['tntar', 1]);
      deepEqual([trailer.format, trailer.version], ['tntar', 1]);
      equal(
        trailer.rows,
        trailer.entries.reduce((sum: number, entry: { rows: number }) => sum + entry.rows, 0),
      );
    });
  });
});

/** The hash of all tuples of a space as the server stores them, in the order of the primary key. */
function rawHash(server: TestServer, name: string): Promise<string> {
  return server.eval(
    `
      local ffi = require('ffi')
      local pieces = {}
      for _, tuple in box.space[...]:pairs() do
          local size = tonumber(ffi.C.box_tuple_bsize(tuple))
          local buffer = ffi.new('char[?]', size)
          ffi.C.box_tuple_to_buf(tuple, buffer, size)
          table.insert(pieces, ffi.string(buffer, size))
      end
      return require('digest').sha1_hex(table.concat(pieces))
    `,
    name,
  );
}
