import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { commandFolder, type Result, shell } from '../support/cli.js';
import { PASSWORD, startServer, type TestServer } from '../support/server.js';
import { fileOf, pageAt } from './pages.js';

const PAGE = pageAt('docs/guides/run-it-every-night.md');
const FILES = PAGE.blocks.flatMap(({ file }) => (file === undefined ? [] : [file]));
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

/** Stands in for a program that reaches people: notes what it is called with. */
const NOTING =
  '#!/bin/sh\necho "$(basename "$0") $*" >> "$NOTES"\n[ "$#" -gt 3 ] || cat >> "$NOTES"\n';

describe('the guide to a nightly backup', () => {
  let db1: TestServer;
  /** Stands for `/`: the files of the page are installed below it. */
  let root: string;
  let archives: string;

  before(async () => {
    db1 = await startServer({
      lua: `box.schema.user.create('dumper', {password = '${PASSWORD}'})
        box.schema.user.grant('dumper', 'super')
        box.schema.space.create('users'):create_index('primary')
        for i = 1, 100 do box.space.users:insert{i} end`,
    });
  });
  after(() => db1.stop());

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tntar-nightly-'));
    archives = join(root, 'var/backups/tntar');
    mkdirSync(archives, { recursive: true });
    for (const file of FILES) {
      install(file, fileOf(PAGE, file), file.startsWith('/usr/local/bin') ? 0o755 : 0o644);
    }
    install('/etc/tntar/db1.password', `${PASSWORD}\n`, 0o600);
    for (const name of ['mail', 'logger']) install(`/stubs/${name}`, NOTING);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function install(path: string, text: string, mode = 0o755): void {
    const at = join(root, path);
    mkdirSync(dirname(at), { recursive: true });
    const moved = text
      .replaceAll('/etc/tntar', join(root, 'etc/tntar'))
      .replaceAll('/var/backups', join(root, 'var/backups'))
      .replaceAll('db1:3301', db1.address);
    writeFileSync(at, moved);
    chmodSync(at, mode);
  }

  const change = (path: string, from: string, to: string): void => {
    const at = join(root, path);
    writeFileSync(at, readFileSync(at, 'utf8').replace(from, to));
  };

  const run = (line: string): Promise<Result> => {
    const folders = [join(root, 'stubs'), join(root, 'usr/local/bin'), commandFolder()];
    const PATH = [...folders, process.env['PATH']].join(delimiter);
    return shell(line, { cwd: root, env: { PATH, NOTES: join(root, 'notes') } });
  };
  const nightly = (): Promise<Result> => run('tntar-nightly etc/tntar/db1.conf');
  const names = (): string[] => readdirSync(archives).filter((name) => name.endsWith('.tar.zst'));
  const notes = (): string => readFileSync(join(root, 'notes'), 'utf8');

  /** Makes files that look like archives of other nights. */
  const addOld = (...dates: string[]): string[] =>
    dates.map((date) => {
      const name = `db1-${date}T021500.tar.zst`;
      writeFileSync(join(archives, name), 'old');
      return name;
    });

  it('writes one archive that is private, whole and has the date in its name', async () => {
    const { code, stdout, stderr } = await nightly();
    equal(code, 0, stderr);
    equal(`${stdout}${stderr}`, '');
    const [name = ''] = names();
    match(name, /^db1-\d{8}T\d{6}\.tar\.zst$/);
    equal(statSync(join(archives, name)).mode & 0o777, 0o600);
    equal((await run(`tntar verify '${join(archives, name)}'`)).code, 0);
    ok(!existsSync(join(archives, 'db1.new')));
  });

  it('keeps the newest archives, and touches no files of other backups', async () => {
    change('etc/tntar/db1.conf', 'keep=14', 'keep=3');
    addOld('20200101', '20200102');
    const kept = addOld('20200103', '20200104');
    const others = ['db1-old-20200101T021500.tar.zst', 'db2-20200101T021500.tar.zst'];
    for (const other of others) writeFileSync(join(archives, other), 'other');
    equal((await nightly()).code, 0);
    const left = names().sort();
    equal(left.length, 5);
    deepEqual(left.slice(0, 2), kept);
    deepEqual(left.slice(3), others);
  });

  it('exits with the code of the dump that failed, and removes nothing', async () => {
    change('etc/tntar/db1.conf', db1.address, '127.0.0.1:1');
    change('etc/tntar/db1.conf', 'keep=14', 'keep=1');
    const old = addOld('20200101', '20200102');
    const { code, stderr } = await nightly();
    equal(code, 5);
    match(stderr, /^tntar: /);
    deepEqual(names().sort(), old);
  });

  it('exits with the code of the check that failed, gives the archive no name, and recovers', async () => {
    install(
      '/stubs/tntar',
      `#!/bin/sh\n[ "$1" != verify ] || exit 3\nexec '${commandFolder()}/tntar' "$@"\n`,
    );
    const old = addOld('20200101');
    equal((await nightly()).code, 3);
    deepEqual(names(), old);
    rmSync(join(root, 'stubs/tntar'));
    equal((await nightly()).code, 0);
    equal(names().length, 2);
  });

  it('refuses to run twice at a time', async () => {
    const lock = join(archives, 'db1.lock');
    const { code, stderr } = await run(`flock '${lock}' tntar-nightly etc/tntar/db1.conf`);
    equal(code, 1);
    match(stderr, /another backup of db1 is still running/);
    deepEqual(names(), []);
  });

  describe('has a line for cron', () => {
    const command = (): string => {
      const line = readFileSync(join(root, 'etc/cron.d/tntar'), 'utf8')
        .trimEnd()
        .split('\n')
        .at(-1);
      const [, user, rest] = /^\d+ \d+ \* \* \* (\S+) (.*)$/.exec(line ?? '') ?? [];
      equal(user, 'tntar');
      ok(rest !== undefined && !rest.includes('%'), 'cron makes a line end of a percent sign');
      return rest;
    };

    it('that raises no alarm after a success', async () => {
      equal((await run(command())).code, 0);
      ok(!existsSync(join(root, 'notes')));
    });

    it('that raises an alarm after a failure', async () => {
      change('etc/tntar/db1.conf', db1.address, '127.0.0.1:1');
      await run(command());
      match(notes(), /^logger .*the backup of db1 failed$/m);
      match(notes(), /^mail -s tntar: the backup of db1 failed ops@example\.org$/m);
    });
  });

  it('notices that there is no archive of the last night', async () => {
    const check = 'tntar-check-age etc/tntar/db1.conf';
    match((await run(check)).stderr, /no backup of db1 in the last 26 hours/);
    const [name = ''] = addOld('20200101');
    equal((await run(check)).code, 0);
    const longAgo = Date.now() / 1000 - 27 * 3600;
    utimesSync(join(archives, name), longAgo, longAgo);
    equal((await run(check)).code, 1);
  });

  it('has units that name each other and the scripts of the page', () => {
    const unit = (name: string): string => fileOf(PAGE, `/etc/systemd/system/${name}`);
    const service = unit('tntar-nightly@.service');
    match(service, /^OnFailure=tntar-alarm@%i\.service$/m);
    for (const text of [service, unit('tntar-alarm@.service')]) {
      const program = /^ExecStart=(\S+)/m.exec(text)?.[1] ?? '';
      ok(FILES.includes(program), program);
    }
    match(unit('tntar-nightly@.timer'), /^OnCalendar=\*-\*-\* 02:15:00$/m);
  });

  (hasSystemd ? it : it.skip)('has units that systemd-analyze accepts', async () => {
    const folder = join(root, 'etc/systemd/system');
    for (const name of readdirSync(folder)) {
      change(`etc/systemd/system/${name}`, '/usr/local/bin', join(root, 'usr/local/bin'));
    }
    const units = ['tntar-nightly@.service', 'tntar-nightly@.timer', 'tntar-alarm@.service'];
    const env = `SYSTEMD_UNIT_PATH='${folder}:'`;
    const { code, stdout, stderr } = await run(
      `cd '${folder}' && ${env} systemd-analyze verify --man=no ${units.join(' ')}`,
    );
    equal(code, 0, `${stdout}${stderr}`);
    ok(!stderr.includes('tntar'), stderr);
  });
});
