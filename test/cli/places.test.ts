import { deepEqual, doesNotMatch, equal, match } from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kindOf } from '../../bin/options/places.js';
import { fixturePath } from '../fixtures/folder.js';
import { type Result, shell, tntar } from '../support/cli.js';
import { failsWith } from './outcome.js';
import { withServer } from './with-server.js';

/** Nobody listens there. */
const NOWHERE = '127.0.0.1:1';
const SPACE = 'orders';

describe('a file or a server as an argument', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-places-'));
    copyFileSync(fixturePath('2.6.0-full.tar.zst'), join(folder, 'a.tar.zst'));
    for (const name of ['a', 'db1', 'db1:3301', NOWHERE]) {
      copyFileSync(join(folder, 'a.tar.zst'), join(folder, name));
    }
    mkdirSync(join(folder, '127.0.0.1'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]): Promise<Result> => tntar(args, { cwd: folder });

  it('is recognized by the files that exist and by its form', () => {
    for (const [argument, kind] of [
      [fixturePath('2.6.0-full.tar.zst'), 'archive'],
      ['-', 'archive'],
      ['/not/there', 'archive'],
      ['backup.tar.zst', 'archive'],
      ['backup@monday.tar.gz', 'archive'],
      ['3301', 'server'],
      ['db1:3301', 'server'],
      ['[::1]:3301', 'server'],
      ['me@db1', 'server'],
      ['me:secret@unix/:/run/a.sock', 'server'],
      ['unix/:/run/a.sock', 'server'],
    ] as const) {
      equal(kindOf(argument), kind, argument);
    }
  });

  describe('of a command that reads an archive', () => {
    for (const [command, ...options] of [
      ['list'],
      ['verify'],
      ['cat', SPACE],
      ['extract', '-q', '--all', '-C', 'extracted'],
    ] as const) {
      it(`names the archive of ${command}, as -i does`, async () => {
        const results = [];
        for (const input of [['a.tar.zst'], ['-i', 'a.tar.zst']]) {
          const { code, stdout, stderr } = await run(command, ...options, ...input);
          equal(code, 0, stderr);
          results.push(String(stdout));
          rmSync(join(folder, 'extracted'), { recursive: true, force: true });
        }
        equal(results[0], results[1]);
      });

      it(`is refused by ${command} together with -i`, async () => {
        const result = await run(command, ...options, 'a.tar.zst', '-i', 'a');
        failsWith(
          result,
          2,
          /the input is given twice: a\.tar\.zst and -i a\nhint: leave out a\.tar\.zst or -i a\n/,
        );
      });

      it(`is refused by ${command} if it is a server, and the hint shows what to type`, async () => {
        const result = await run(command, ...options, 'me:hush@db2:3301');
        failsWith(
          result,
          2,
          /me:\*\*\*@db2:3301 is the address of a server, but \w+ reads an archive\n/,
        );
        match(
          result.stderr,
          new RegExp(`hint: tntar dump me:\\*\\*\\*@db2:3301 \\| tntar ${command}`),
        );
      });
    }

    it('may be any name, a directory, or - for standard input', async () => {
      equal((await run('list', 'a')).code, 0);
      equal((await run('list', 'db1:3301')).code, 0, 'a file that exists is no server');
      equal((await run('list', fixturePath('lua-module/2.6.0'))).code, 0);
      const { code } = await shell('tntar list - < a', { cwd: folder });
      equal(code, 0);
      failsWith(await run('list', 'none.zst'), 2, /cannot read the archive: ENOENT.*none\.zst/);
    });

    it('comes after the space for cat, and a wrong order is explained', async () => {
      for (const [args, call] of [
        [['a.tar.zst', SPACE], `tntar cat ${SPACE} a.tar.zst`],
        [['a.tar.zst'], 'tntar cat SPACE a.tar.zst'],
        [['./a'], 'tntar cat SPACE ./a'],
      ] as const) {
        const result = await run('cat', ...args);
        failsWith(result, 2, /is a file, but the first argument of cat is the name of a space\n/);
        match(result.stderr, new RegExp(`^hint: ${call}$`, 'm'));
      }
    });
  });

  it('of restore names the archive after the server', async () => {
    await withServer({}, async ({ uri, address }) => {
      const { code, stderr } = await run('restore', uri, 'a.tar.zst');
      equal(code, 0, stderr);
      equal((await run('diff', '-q', 'a.tar.zst', uri)).code, 0, address);
    });
  });

  it('of restore is refused if there are two archives, or two servers', async () => {
    failsWith(
      await run('restore', NOWHERE, 'a', '-i', 'a'),
      2,
      /the input is given twice.*\nhint: leave out a or -i a\n/,
    );
    const secret = await run('restore', NOWHERE, 'me:hush@db2', '-i', 'a');
    failsWith(secret, 2, /the input is given twice: me:\*\*\*@db2 and -i a\nhint: /);
    doesNotMatch(secret.stderr, /hush/);
    const copied = await run('restore', 'me:hush@db2', 'you:hush@db3');
    failsWith(
      copied,
      2,
      /you:\*\*\*@db3 is the address of a server, but restore reads an archive\n/,
    );
    match(copied.stderr, /hint: tntar copy you:\*\*\*@db3 me:\*\*\*@db2\n/);
  });

  it('of a command that talks to a server is refused if it is a file, and the hint shows what to type', async () => {
    for (const [args, problem, call] of [
      [
        ['restore', 'a.tar.zst'],
        /a\.tar\.zst is a file, but restore/,
        /tntar restore ADDRESS a\.tar\.zst\n/,
      ],
      [
        ['restore', 'none.tar.zst'],
        /none\.tar\.zst looks like the name of an archive, but restore/,
        /tntar restore ADDRESS none/,
      ],
      [
        ['restore', 'a.tar.zst', 'me:hush@db2'],
        /is a file/,
        /tntar restore me:\*\*\*@db2 a\.tar\.zst\n/,
      ],
      [
        ['restore', fixturePath('lua-module/2.6.0')],
        /is a directory/,
        /tntar restore ADDRESS \S+\n/,
      ],
      [
        ['dump', 'a.tar.zst'],
        /is a file, but dump/,
        /tntar dump ADDRESS -o a\.tar\.zst; .*tntar list a/,
      ],
      [
        ['dump', 'new.tar.zst'],
        /zst looks like the name of an archive, but dump/,
        /tntar dump ADDRESS -o new\.tar\.zst;/,
      ],
      [['copy', 'a.tar.zst', 'db2'], /is a file, but copy/, /tntar restore db2 a\.tar\.zst\n/],
      [
        ['copy', 'db2', 'new.tar.zst'],
        /zst looks like the name of an archive, but copy/,
        /tntar dump db2 -o new\.tar\.zst\n/,
      ],
      [['copy', 'a.tar.zst', 'b.tar.zst'], /is a file/, /tntar restore ADDRESS a\.tar\.zst\n/],
      [
        ['restore', 'db1', 'a.tar.zst'],
        /db1 is a file/,
        /hint: tntar restore ADDRESS a\.tar\.zst; for a server of this name: db1:3301\n/,
      ],
      [['restore', 'db1', '-i', 'a'], /db1 is a file/, /tntar restore ADDRESS a; for a server/],
      [['restore', 'db1', 'db2'], /db1 is a file/, /tntar restore db2 db1; for a server/],
      [['dump', 'db1'], /db1 is a file/, /for a server of this name: db1:3301\n/],
    ] as const) {
      const result = await run(...args);
      failsWith(result, 2, problem);
      match(result.stderr, call);
      doesNotMatch(result.stderr, /hush/);
    }
  });

  it('of a command that talks to a server may have the name of a folder or of a file that is not an archive', async () => {
    const { code, stderr } = await run('dump', '-q', '127.0.0.1', '--connect-timeout', '1');
    deepEqual([code, stderr.includes('is a ')], [5, false]);
    failsWith(await run('dump', NOWHERE), 5, /cannot connect/);
    writeFileSync(join(folder, '127.0.0.2'), 'no archive');
    failsWith(await run('dump', '127.0.0.2', '--connect-timeout', '1'), 5, /cannot connect/);
  });
});
