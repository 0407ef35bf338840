import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProgram } from '../../bin/commands/program.js';
import { shell, tntar } from '../support/cli.js';
import { failsWith, hasNoTrace } from './outcome.js';

const COMMANDS = ['dump', 'restore', 'list', 'verify', 'extract', 'diff', 'completion'];
const FILTERING_COMMANDS = ['dump', 'restore'];
const SERVER_COMMANDS = [...FILTERING_COMMANDS, 'diff'];
/** Where nobody listens. */
const NOWHERE = '127.0.0.1:1';

describe('usage', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-usage-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  describe('help', () => {
    it('names every command, with examples and exit codes', async () => {
      const { code, stdout, stderr } = await tntar(['--help']);
      equal(code, 0);
      equal(stderr, '');
      for (const command of COMMANDS) match(String(stdout), new RegExp(`^ +${command} `, 'm'));
      match(String(stdout), /^Examples:\n( {2}.*tntar .*\n){3,}/m);
      match(
        String(stdout),
        /^Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}3 .*\n {2}4 .*\n {2}5 /m,
      );
    });

    for (const command of COMMANDS) {
      it(`of ${command} has examples of it and the exit codes`, async () => {
        const { code, stdout, stderr } = await tntar([command, '--help']);
        equal(code, 0);
        equal(stderr, '');
        match(String(stdout), new RegExp(`^Usage: tntar ${command} `));
        match(String(stdout), new RegExp(`^Examples:\n(  .*\n)*  .*tntar ${command}`, 'm'));
        match(String(stdout), /^Exit codes:\n {2}0 .*\n/m);
      });
    }

    it('says how a command that talks to a server gets its password', async () => {
      for (const command of SERVER_COMMANDS) {
        const { stdout } = await tntar([command, '--help']);
        for (const word of ['TT_CLI_USERNAME', 'TT_CLI_PASSWORD', '--password-file', 'unix/:']) {
          ok(String(stdout).includes(word), `${command} --help does not say ${word}`);
        }
      }
    });

    it('says how a command that talks to a server speaks TLS', async () => {
      for (const command of SERVER_COMMANDS) {
        const { stdout } = await tntar([command, '--help']);
        for (const word of ['', '-ca', '-cert', '-key', '-key-password-file', '-server-name']) {
          match(String(stdout), new RegExp(`^  --tls${word} `, 'm'));
        }
      }
    });

    it('describes the order of filters', async () => {
      for (const command of FILTERING_COMMANDS) {
        const { stdout } = await tntar([command, '--help']);
        match(
          String(stdout).replace(/\s+/g, ' '),
          /order: --space, --exclude, --exclude-rows, --where, --filter, --mask, --rename, --engine\. /,
        );
      }
    });

    it('of restore describes each value of an option', async () => {
      const { stdout } = await tntar(['restore', '--help']);
      const text = String(stdout).replace(/\s+/g, ' ');
      match(
        text,
        /--existing .*: error \w+.*; skip \w+.*; replace \w+.*; truncate \w+.*; drop \w+/,
      );
      match(text, /--on-conflict .*: error \w+.*; skip \w+.*; replace \w+/);
    });

    it('is as well the command help', async () => {
      const [asked, other] = await Promise.all([
        tntar(['help', 'dump']),
        tntar(['dump', '--help']),
      ]);
      equal(asked.code, 0);
      equal(String(asked.stdout), String(other.stdout));
    });

    it('fits a terminal of 100 columns', async () => {
      for (const command of COMMANDS) {
        const { stdout } = await tntar([command, '--help']);
        for (const line of String(stdout).split('\n')) ok(line.length <= 100, line);
      }
    });
  });

  it('the version is that of the package', async () => {
    const file = new URL('../../../package.json', import.meta.url);
    const { version } = JSON.parse(readFileSync(file, 'utf8'));
    for (const option of ['--version', '-V']) {
      const { code, stdout } = await tntar([option]);
      equal(code, 0);
      equal(String(stdout), `${version}\n`);
    }
  });

  describe('a call that is wrong is answered with exit code 2, and nothing on stdout', () => {
    const wrong: [title: string, args: string[], message: RegExp][] = [
      ['no command', [], /^Usage: tntar /],
      ['an unknown command', ['dmup'], /unknown command 'dmup'\n\(Did you mean dump\?\)/],
      ['a command unlike any', ['frobnicate'], /unknown command 'frobnicate'/],
      ['an unknown option', ['dump', '--levle', '3'], /'--levle'\n\(Did you mean --level\?\)/],
      ['an option of another command', ['verify', '--json'], /unknown option '--json'/],
      ['one address too many', ['dump', 'db1', 'db2'], /too many arguments/],
      ['two archives', ['verify', 'a.tar.zst', 'b.tar.zst'], /too many arguments/],
      ['an option without its value', ['dump', '--level'], /'--level <n>' argument missing/],
      ['level 0', ['dump', '--level', '0'], /--level.*'0' is invalid.*1 to 19/],
      ['level 20', ['dump', '--level', '20'], /--level.*'20' is invalid/],
      ['a broken level', ['dump', '--level', '1.5'], /--level.*'1\.5' is invalid/],
      ['a level in words', ['dump', '--level', 'best'], /--level.*'best' is invalid/],
      ['an unknown source', ['dump', '--source', 'magic'], /--source.*auto, snapshot, select/],
      ['a timeout in words', ['dump', '--timeout', 'soon'], /--timeout.*'soon' is invalid/],
      ['a negative timeout', ['dump', '--timeout=-1'], /--timeout.*'-1' is invalid/],
      ['an empty timeout', ['restore', '--connect-timeout', ''], /--connect-timeout/],
      // timers take milliseconds in 31 bits, and fire at once for anything else
      ['an endless timeout', ['dump', NOWHERE, '--timeout', 'Infinity'], /--timeout.*invalid/],
      [
        'half an eternity',
        ['dump', NOWHERE, '--connect-timeout', '1e9'],
        /--connect-timeout.*inval/,
      ],
      [
        'no time to connect',
        ['dump', NOWHERE, '--connect-timeout', '0'],
        /--connect-timeout.*inval/,
      ],
    ];
    for (const [title, args, message] of wrong) {
      it(title, async () => {
        const { code, stdout, stderr } = await tntar(args);
        equal(code, 2, stderr);
        equal(String(stdout), '');
        match(stderr, message);
        hasNoTrace(stderr);
      });
    }
  });

  it('an empty value is refused with exit code 2, in every option and argument of every command', async () => {
    const program = buildProgram()
      .configureOutput({ writeErr: () => {} })
      .exitOverride();
    for (const command of program.commands) {
      command.copyInheritedSettings(program);
      const places: string[][] = command.registeredArguments.map((_, empty, all) =>
        all.map((__, i) => (i === empty ? '' : 'x')),
      );
      for (const { long, required, optional } of command.options) {
        if (required || optional) places.push([long!, '']);
      }
      for (const args of places) {
        const needed = command.options.flatMap(({ mandatory, long }) =>
          mandatory && !args.includes(long!) ? [long!, 'x'] : [],
        );
        const call = program.parseAsync([command.name(), ...needed, ...args], { from: 'user' });
        await rejects(call, { code: 'commander.invalidArgument' }, `${command.name()} ${args}`);
      }
    }
  });

  it('an empty name of a file or a server is refused before anything is asked or written', async () => {
    for (const args of [
      ['dump', NOWHERE, '-o', ''],
      ['dump', NOWHERE, '--output='],
      ['dump', NOWHERE, '--password-file', ''],
      ['restore', '', '-i', '/dev/null'],
      ['restore', NOWHERE, '-i', ''],
      ['copy', NOWHERE, ''],
      ['extract', '-C', ''],
      ['diff', '', NOWHERE],
    ]) {
      const { code, stdout, stderr } = await tntar(args, { cwd: folder });
      equal(code, 2, stderr);
      equal(String(stdout), '');
      match(stderr, /^error: .*'' is invalid.* It is empty; check that its variable is set\.\n/);
      deepEqual(readdirSync(folder), []);
    }
  });

  it('an input that cannot be read is named, with exit code 2', async () => {
    for (const args of [['verify'], ['restore', NOWHERE], ['restore', NOWHERE, '--salvage']]) {
      for (const [input, why] of [
        [join(folder, 'none'), /^tntar: cannot read the archive: ENOENT.*\nhint: .*\n$/],
        [folder, /^tntar: cannot read the archive: .* is a directory.*\nhint: .*\n$/],
        [`${process.execPath}/none`, /^tntar: cannot read the archive: ENOTDIR.*\nhint: .*\n$/],
      ] as const) {
        const { code, stderr } = await tntar([...args, '-i', input]);
        equal(code, 2, stderr);
        match(stderr, why);
      }
    }
  });

  it('--salvage does not wait for a writer of a pipe', async () => {
    const pipe = join(folder, 'pipe');
    const { code, stderr } = await shell(`mkfifo ${pipe} && tntar restore --salvage -i ${pipe}`);
    equal(code, 2, stderr);
    match(stderr, /--salvage reads the archive twice/);
  });

  describe('an invalid address is refused with exit code 2', () => {
    const addresses: [address: string, message: RegExp][] = [
      ['db1:0', /is not a port/],
      ['db1:65536', /is not a port/],
      ['99999', /is not a port/],
      ['http://db1:3301', /the address cannot be read/],
      ['a b', /the address cannot be read/],
      ['::1', /cannot be read/],
      ['@db1', /no user/],
      ['us%er@db1', /user name in the address has a %/],
    ];
    for (const [address, message] of addresses) {
      it(address, async () => {
        const result = await tntar(['dump', address], { timeoutMs: 5000 });
        failsWith(result, 2, message);
        match(result.stderr, /\nhint: an address is /);
      });
    }

    it('by restore as by dump', async () => {
      failsWith(await tntar(['restore', 'db1:port']), 2, /is not a port/);
    });

    it('and its password is not repeated', async () => {
      for (const address of ['me:hush%hush@db1', 'me:hushhush@db1:port', 'me:hushhush@a b']) {
        const result = await tntar(['dump', address]);
        failsWith(result, 2, /address|port/);
        ok(!/hush/.test(result.stderr), result.stderr);
      }
    });
  });

  describe('what a shell can do to the standard streams', () => {
    it('an input that is closed is an empty one', async () => {
      for (const call of ['verify', 'list', 'cat users', `restore ${NOWHERE}`, 'extract -C new']) {
        failsWith(
          await shell(`tntar ${call} <&-`),
          3,
          /^tntar: empty input: standard input is closed/,
        );
      }
      failsWith(await shell('tntar verify < /dev/null'), 3, /^tntar: empty input\n/);
    });

    it('help that does not fit on the disk is a failure without a stack trace', async () => {
      const { code, stderr } = await shell('tntar --help > /dev/full');
      notZero(code);
      hasNoTrace(stderr);
    });

    it('an error stays an error when stderr is closed, full or gone', async () => {
      const calls: [string, number][] = [
        ['tntar dump --nonsense', 2],
        [`tntar dump ${NOWHERE}`, 5],
        ['tntar verify < /dev/null', 3],
      ];
      for (const redirection of ['2>&-', '2>/dev/full', '2> >(exec 0<&-)']) {
        for (const [call, code] of calls) {
          const result = await shell(`${call} ${redirection}`);
          equal(result.code, code, `${call} ${redirection}: ${result.stderr}`);
          equal(String(result.stdout), '');
        }
      }
    });
  });
});

function notZero(code: number | null): void {
  ok(code !== null && code !== 0, `exit code ${code}`);
}
