import { equal, match } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tntar } from '../support/cli.js';
import { startServer, type TestServer } from '../support/server.js';
import { restore, withTarget } from './fidelity/roundtrip.js';

/** Of five spaces one has rows. */
const SOURCE = `
  box.schema.space.create('filled', {format = {{'id', 'unsigned'}}}):create_index('primary')
  for i = 1, 3 do box.space.filled:insert({i}) end
  box.schema.space.create('empty'):create_index('primary')
  box.schema.space.create('bare')
  box.schema.space.create('cache', {temporary = true}):create_index('primary')
  local _, problem = box.execute('CREATE VIEW counted AS SELECT "id" FROM "filled"')
  assert(problem == nil, tostring(problem))
`;

describe('the number of spaces in the last line of a run', () => {
  let source: TestServer;
  let folder: string;
  let file: string;
  let archive: Buffer;
  let dumped: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-counts-'));
    file = join(folder, 'backup.tar.zst');
    source = await startServer({ lua: SOURCE });
    const { code, stdout, stderr } = await tntar(['dump', source.uri]);
    equal(code, 0, stderr);
    [archive, dumped] = [stdout, stderr];
    writeFileSync(file, archive);
  });
  after(async () => {
    await source.stop();
    rmSync(folder, { recursive: true });
  });

  it('equals the number that list prints, with empty spaces and views', async () => {
    const { stdout } = await tntar(['list', '-i', file, '--json']);
    equal(JSON.parse(String(stdout)).spaces.length, 5);
    match(dumped, /dumped 5 spaces with 3 rows/);
    match((await tntar(['verify', '-i', file])).stderr, /verified 5 spaces with 3 rows/);
    const all = ['extract', '-C', join(folder, 'all'), '--all', '-i', file];
    match((await tntar(all)).stderr, /extracted 5 spaces with 3 rows/);
    await withTarget(async (target) => {
      match((await restore(target, archive)).stderr, /restored 5 spaces with 3 rows/);
    });
    await withTarget(async (target) => {
      const { stderr } = await tntar(['copy', source.uri, target.uri]);
      match(stderr, /copied 5 spaces with 3 rows/);
    });
  });

  it('includes only the chosen spaces', async () => {
    const choice = ['--space', 'filled', '--space', 'empty'];
    match((await tntar(['dump', source.uri, ...choice])).stderr, /dumped 2 spaces with 3 rows/);
    match((await tntar(['verify', '-i', file, ...choice])).stderr, /verified 2 spaces with 3 rows/);
    await withTarget(async (target) => {
      const { stderr } = await restore(target, archive, '--space', 'empty');
      match(stderr, /restored 1 space with 0 rows/);
    });
  });

  it('leaves out spaces that are kept unchanged on the target', async () => {
    await withTarget(async (target) => {
      await restore(target, archive);
      await target.eval(`box.space.empty:drop()`);
      const skipped = await restore(target, archive, '--existing', 'skip');
      match(skipped.stderr, /restored 1 space with 0 rows/);
      const replaced = await restore(target, archive, '--existing', 'replace');
      match(replaced.stderr, /restored 2 spaces with 3 rows/);
      const rows = await restore(target, archive, '--data-only', '--on-conflict', 'skip');
      match(rows.stderr, /restored 2 spaces with 0 rows/);
    });
  });
});
