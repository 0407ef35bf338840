import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shell, tntar } from '../support/cli.js';
import { PASSWORD, startServer, USER } from '../support/server.js';
import { failsWith } from './outcome.js';

/** Where nobody listens. */
const NOWHERE = '127.0.0.1:1';

describe('tntar diff as a command', () => {
  const good = fileURLToPath(
    new URL('../../../test/fixtures/2.6.0-plain.tar.zst', import.meta.url),
  );
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-diff-bin-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('refuses an argument that may be an archive or a server', async () => {
    failsWith(await tntar(['diff', 'db1', good]), 2, /file 'db1' does not exist.*\n.*db1:3301/);
  });

  it('exits with 0 and reports that both sides are equal', async () => {
    const { code, stdout, stderr } = await tntar(['diff', good, good]);
    deepEqual([code, stderr], [0, '']);
    match(String(stdout), /^equal: /);
  });

  it('reads one side from a pipe, and refuses two', async () => {
    const { code, stderr } = await shell(`cat '${good}' | tntar diff - '${good}'`);
    deepEqual([code, stderr], [0, '']);
    failsWith(
      await tntar(['diff', '-', '-']),
      2,
      /both sides are -\nhint: .*: tntar diff - FILE\n/,
    );
  });

  it('exits with 1 only if the sides differ', async () => {
    failsWith(await tntar(['diff', join(folder, 'none.zst'), good]), 2, /cannot read.*none\.zst/);
    failsWith(await tntar(['diff', NOWHERE, good]), 5, /cannot connect/);
    failsWith(await tntar(['diff', good, good, '--space', 'nothing']), 2, /no space of either/);
    const { code, stderr } = await shell(`tntar diff '${good}' '${good}' > /dev/full`);
    equal(code, 6, stderr);
  });

  it('takes a password for each side, and prints neither', async () => {
    const server = await startServer({
      lua: `box.schema.user.create('bob', {password = 'other'})
      box.schema.user.grant('bob', 'super')`,
    });
    const passwords = ['first', 'second'].map((name) => join(folder, name));
    try {
      writeFileSync(passwords[0]!, `${PASSWORD}\n`);
      writeFileSync(passwords[1]!, 'other\n');
      for (const file of passwords) chmodSync(file, 0o600);
      const [a, b] = [`${USER}@${server.address}`, `bob@${server.address}`];
      const files = ['--password-file', passwords[0]!, '--password-file-b', passwords[1]!];
      const both = await tntar(['diff', a, b, ...files]);
      deepEqual([both.code, both.stdout.length > 0], [0, true], both.stderr);
      const inAddress = await tntar([
        'diff',
        a,
        `bob:other@${server.address}`,
        ...files.slice(0, 2),
      ]);
      equal(inAddress.code, 0, inAddress.stderr);
      const wrong = await tntar(['diff', a, `bob:hush@${server.address}`, ...files]);
      equal(wrong.code, 5);
      ok(!/hush|other/.test(wrong.stderr), wrong.stderr);
    } finally {
      await server.stop();
    }
  });

  it('prints JSON, one document or lines', async () => {
    const lua = `box.schema.space.create('s'):create_index('pk') box.space.s:insert{1, 2^53 + 1ULL}`;
    const server = await startServer({ lua });
    try {
      const empty = join(folder, 'empty.tar.zst');
      await tntar(['dump', server.uri, '-o', empty, '--schema-only', '-q']);
      const same = await tntar(['diff', empty, server.uri, '--json']);
      equal(same.code, 0, 'an archive without rows says nothing of them');
      match(same.stderr, /warning: .* has no rows: none are compared/);
      const words = await tntar(['diff', '-q', empty, server.uri]);
      match(words.stderr, /has no rows: none are compared/);
      equal(String(words.stdout), 'equal: definitions, without rows\n');
      deepEqual(JSON.parse(String(same.stdout)), {
        isEqual: true,
        only: 'schema',
        definitions: [],
        spaces: [],
      });
      const all = join(folder, 'all.tar.zst');
      await tntar(['dump', server.uri, '-o', all, '-q']);
      await server.eval(
        `box.space.s:replace{1, 'a'} box.space.s:create_index('more', {unique = false})`,
      );
      const { code, stdout } = await tntar(['diff', all, server.uri, '--json', '--rows', '-q']);
      equal(code, 1);
      deepEqual(String(stdout).split('\n'), [
        `{"definition":{"kind":"added","what":"index 'more' of space 's'","changes":[]}}`,
        '{"row":{"space":"s","before":[1,9007199254740993],"after":[1,"a"]}}',
        '{"space":{"name":"s","removed":0,"added":0,"changed":1,"equal":0}}',
        '{"isEqual":false}',
        '',
      ]);
      const schema = await tntar(['diff', all, server.uri, '--schema-only', '-q']);
      match(
        String(schema.stdout),
        /^\+ index 'more'.*\ndifferent: 1 definition, rows of 0 spaces\n$/,
      );
    } finally {
      await server.stop();
    }
  });

  it('refuses to compare nothing instead of reporting it as equal', async () => {
    const server = await startServer();
    try {
      const [schema, data] = ['schema', 'data'].map((name) => join(folder, `only-${name}.tar.zst`));
      await tntar(['dump', server.uri, '-o', schema!, '--schema-only', '-q']);
      await tntar(['dump', server.uri, '-o', data!, '--data-only', '-q']);
      for (const args of [
        [schema!, data!],
        [schema!, server.uri, '--data-only'],
        [data!, server.uri, '--schema-only'],
      ]) {
        failsWith(await tntar(['diff', ...args, '-q']), 2, /^tntar: there is nothing to compare/);
      }
    } finally {
      await server.stop();
    }
  });

  it('does not claim that rows were written if nothing shows it', async () => {
    const lua = `box.schema.space.create('s'):create_index('pk') box.space.s:insert{1}`;
    const server = await startServer({ lua });
    try {
      const [file, module] = [join(folder, 'whole.tar.zst'), join(folder, 'module')];
      await tntar(['dump', server.uri, '-o', file, '-q']);
      await tntar(['extract', '-i', file, '-C', module, '-q']);
      const { code, stderr } = await tntar(['diff', file, module]);
      equal(code, 0, stderr);
      match(stderr, /nothing proves that all rows are there/);
      doesNotMatch(stderr, /were written/);
    } finally {
      await server.stop();
    }
  });
});
