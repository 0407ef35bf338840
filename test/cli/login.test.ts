import { equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Result, shell, tntar } from '../support/cli.js';
import { startProxy } from '../support/proxy.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';
import { TerminalSession } from '../support/terminal.js';
import { decompressed, failsWith, hasNoTrace } from './outcome.js';
import { Running } from './running.js';
import { withServer } from './with-server.js';

/** Neither can stand in an address as it is. */
const BOB = 'bob';
const BOBS = 'p@ss:w%/ord ü';
const WRONG = 'not-the-right-one';

const SCHEMA = `
  box.schema.user.create('${BOB}', {password = '${BOBS}'})
  box.schema.user.grant('${BOB}', 'read', 'universe')
  box.schema.user.grant('guest', 'read', 'universe')
  box.schema.space.create('numbers'):create_index('primary')
  box.space.numbers:insert({1})
`;

describe('login', () => {
  let server: TestServer;
  let folder: string;
  before(async () => {
    server = await startServer({ lua: SCHEMA });
    folder = mkdtempSync(join(tmpdir(), 'tntar-login-'));
  });
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  const passwordFile = (content: string): string => {
    const file = join(folder, 'password');
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  };

  describe('takes user and password', () => {
    const isBackup = async ({ code, stdout, stderr }: Result): Promise<void> => {
      equal(code, 0, stderr);
      equal((await tntar(['verify', '-q'], { input: stdout })).code, 0);
    };

    it('from the address', async () => {
      await isBackup(await tntar(['dump', server.uri]));
    });

    it('from the address, with characters that it has to escape', async () => {
      const login = `${BOB}:${encodeURIComponent(BOBS)}`;
      await isBackup(await tntar(['dump', `${login}@${server.address}`]));
    });

    it('from TT_CLI_USERNAME and TT_CLI_PASSWORD, as they are', async () => {
      const env = { TT_CLI_USERNAME: BOB, TT_CLI_PASSWORD: BOBS };
      await isBackup(await tntar(['dump', server.address], { env }));
    });

    it('the user from the address, the password from the environment', async () => {
      const env = { TT_CLI_USERNAME: 'nobody', TT_CLI_PASSWORD: BOBS };
      await isBackup(await tntar(['dump', `${BOB}@${server.address}`], { env }));
    });

    it('the password from the address rather than from the environment', async () => {
      const env = { TT_CLI_PASSWORD: WRONG };
      await isBackup(await tntar(['dump', server.uri], { env }));
    });

    for (const [title, content] of [
      ['a file', PASSWORD],
      ['the first line of a file', `${PASSWORD}\nnot this\n`],
      ['a file that was written on Windows', `${PASSWORD}\r\n`],
    ] as const) {
      it(`the password from ${title}, rather than from the environment`, async () => {
        const args = [
          'dump',
          `${USER}@${server.address}`,
          '--password-file',
          passwordFile(content),
        ];
        await isBackup(await tntar(args, { env: { TT_CLI_PASSWORD: WRONG } }));
      });
    }

    it('not at all, as guest', async () => {
      await isBackup(await tntar(['dump', server.address]));
      await isBackup(await tntar(['dump', `guest@${server.address}`]));
    });

    it('through a unix socket as well', async () => {
      const env = { TT_CLI_PASSWORD: PASSWORD };
      await withServer({ unixSocket: true }, async ({ address, socketPath, uri }) => {
        await isBackup(await tntar(['dump', `${USER}@${address}`], { env }));
        await isBackup(await tntar(['dump', `${USER}@${socketPath}`], { env }));
        await isBackup(await tntar(['dump', uri]));
      });
    });
  });

  describe('is refused with exit code 5', () => {
    const dumpAs = (user: string, password: string): Promise<Result> => {
      const env = { TT_CLI_USERNAME: user, TT_CLI_PASSWORD: password };
      return tntar(['dump', server.address], { env, timeoutMs: 5000 });
    };

    it('if the password is wrong, in the words of the server', async () => {
      failsWith(await dumpAs(BOB, WRONG), 5, /as 'bob': .*(Incorrect password|credentials)/);
    });

    it('if the user is unknown', async () => {
      failsWith(await dumpAs('nobody', WRONG), 5, /as 'nobody': .*(not found|credentials)/);
    });

    it('if a user but no password is given and no terminal can be asked', async () => {
      const result = await tntar(['dump', `${BOB}@${server.address}`], { timeoutMs: 5000 });
      failsWith(result, 5, /as 'bob': .*(Incorrect password|credentials)/);
      match(result.stderr, /hint: .*TT_CLI_PASSWORD/);
    });

    it('by restore as by dump, before it reads its input', async () => {
      const env = { TT_CLI_USERNAME: BOB, TT_CLI_PASSWORD: WRONG };
      const restore = new Running(['restore', server.address], { env });
      failsWith(await restore.end(5000), 5, /as 'bob'/);
    });

    it('if the connection is refused', async () => {
      failsWith(await tntar(['dump', '127.0.0.1:1']), 5, /127\.0\.0\.1:1: .*ECONNREFUSED/);
    });

    it('if the host name has no address', async () => {
      const result = await tntar(['dump', 'db1.invalid:3301'], { timeoutMs: 15_000 });
      failsWith(result, 5, /db1\.invalid:3301: .*(ENOTFOUND|EAI_AGAIN)|did not complete the login/);
    });

    it('if the socket file is missing or is not a socket', async () => {
      failsWith(await tntar(['dump', `unix/:${folder}/none`]), 5, /none: .*ENOENT/);
      writeFileSync(join(folder, 'file'), '');
      failsWith(await tntar(['dump', join(folder, 'file')]), 5, /file: .*ECONNREFUSED/);
    });

    it('if the user lacks read access, and names the objects', async () => {
      await server.eval("box.schema.user.create('eve', {password = 'eve'})");
      const result = await tntar(['dump', '-q', server.address], {
        env: { TT_CLI_USERNAME: 'eve', TT_CLI_PASSWORD: 'eve' },
      });
      failsWith(result, 5, /[Rr]ead access to (universe|space) .*(_\w+|universe).*'eve'/);
    });
  });

  describe('keeps a password to itself', () => {
    it('in everything that is printed and written, if it is right', async () => {
      const env = { TT_CLI_USERNAME: BOB, TT_CLI_PASSWORD: BOBS };
      const { code, stdout, stderr } = await tntar(['dump', server.address], { env });
      equal(code, 0);
      ok(!stderr.includes(BOBS));
      const content = decompressed(stdout);
      ok(content.includes(BOB), 'the archive has the user');
      ok(!content.includes(BOBS));
      ok(!content.includes(PASSWORD));
    });

    it('in everything that is printed, if it is wrong', async () => {
      const addresses = [`${BOB}:${WRONG}@${server.address}`, `${BOB}:${WRONG}@127.0.0.1:1`];
      for (const address of addresses) {
        const { code, stderr } = await tntar(['dump', address]);
        equal(code, 5);
        ok(!stderr.includes(WRONG), stderr);
      }
    });

    it('in the list of processes, if it is not an argument', async () => {
      const proxy = await startProxy(server, { after: 300, fault: 'stall' });
      const dump = new Running(['dump', `${BOB}@${proxy.address}`, '--timeout', '1'], {
        env: { TT_CLI_PASSWORD: BOBS },
      });
      await dump.until(() => proxy.open > 0);
      const cmdline = readFileSync(`/proc/${dump.pid}/cmdline`, 'utf8');
      match(cmdline, /tntar\.js\0dump\0bob@/);
      ok(!cmdline.includes(BOBS));
      equal((await dump.end(8000)).code, 1);
      await proxy.stop();
    });
  });

  describe('asks on the terminal', () => {
    /** What the terminal shows once it has asked. */
    const QUESTION = /Password of bob at 127\.0\.0\.1:\d+: /;
    const ask = async (
      line: string,
      keys: string,
    ): Promise<{ code: number | null; shown: string }> => {
      const session = new TerminalSession(line, { cwd: folder });
      await session.see(QUESTION);
      session.type(keys);
      return session.end();
    };
    const dump = (): string => `tntar dump -q ${BOB}@${server.address}`;

    it('while standard output is a file, and does not show what is typed', async () => {
      const { code, shown } = await ask(`${dump()} > asked.tar.zst`, `${BOBS}\r`);
      equal(code, 0, shown);
      ok(!shown.includes('w%'), shown);
      equal((await tntar(['verify', '-i', join(folder, 'asked.tar.zst')])).code, 0);
    });

    it('while standard output and input are pipes', async () => {
      const line = `echo | ${dump()} | tntar verify -q && echo verified`;
      const { code, shown } = await ask(line, `${BOBS}\r`);
      equal(code, 0, shown);
      match(shown, /verified/);
      ok(!shown.includes('w%'), shown);
    });

    it('and goes on in a line of its own', async () => {
      const { shown } = await ask(`${dump()} > asked.tar.zst; echo after`, `${BOBS}\r`);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what moves the cursor is no text
      const text = shown.replace(/\x1b\[[\d;]*[A-Z]/g, '');
      match(text, /^Password of bob at [\d.:]+: \r?\n(tntar: warning: .*\r?\n)?after\r?\n$/);
    });

    it('and reports a wrong one', async () => {
      const { code, shown } = await ask(`${dump()} > asked.tar.zst`, `${WRONG}\r`);
      equal(code, 5, shown);
      match(shown, /Incorrect password|credentials/);
      ok(!shown.includes(WRONG), shown);
    });

    it('and leaves the terminal as it was', async () => {
      const line = `${dump()} > asked.tar.zst; stty -a`;
      for (const keys of [`${BOBS}\r`, `${WRONG}\r`, '\x03']) {
        const { shown } = await ask(line, keys);
        match(shown, / icanon /);
        match(shown, / echo /);
      }
    });

    it('and Ctrl-C ends it as SIGINT does', async () => {
      const { code, shown } = await ask(`${dump()} > asked.tar.zst`, '\x03');
      hasNoTrace(shown);
      equal(code, 130, shown);
    });

    it('and Ctrl-D is no password', async () => {
      const { code, shown } = await ask(`${dump()} > asked.tar.zst`, '\x04');
      hasNoTrace(shown);
      equal(code, 5, shown);
      match(shown, /no password/);
    });

    for (const command of ['dump', 'restore']) {
      it(`and a signal to ${command} ends it while it asks`, async () => {
        const line = `echo | tntar ${command} -q ${BOB}@${server.address} > signaled.tar.zst &
          child=$!; echo "child $child"; wait $child; echo "code $?"; stty -a`;
        const session = new TerminalSession(line, { cwd: folder });
        await session.see(QUESTION);
        await session.see(/child \d+/);
        await shell(`kill -TERM ${/child (\d+)/.exec(session.shown)?.[1]}`);
        const { shown } = await session.end();
        match(shown, /code 143/);
        match(shown, / icanon .* echo /s);
      });
    }
  });
});
