import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Result, tntar } from '../support/cli.js';
import { fingerprint } from '../support/fingerprint.js';
import { startServer, type TestServer } from '../support/server.js';
import { dump, restore, tryRestore, withTarget } from './fidelity/roundtrip.js';

const SOURCE = `
  local users = box.schema.space.create('users', {format = {{'id', 'unsigned'}, {'email', 'string'},
      {'score', 'any'}}})
  users:create_index('primary')
  for i = 1, 3000 do users:insert({i, 'user' .. i .. '@example.org', require('ffi').cast('double', i)}) end
  local log = box.schema.space.create('log')
  log:create_index('primary')
  log:insert({1, {deep = {1, 2, box.NULL}}})
`;

const IDENTITY = `export default (space, tuple) => tuple;`;

describe('--filter', () => {
  let source: TestServer;
  let whole: Buffer;
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-filters-'));
    source = await startServer({ lua: SOURCE });
    whole = await dump(source);
  });
  after(async () => {
    await source.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  let files = 0;
  const file = (code: string, extension = 'mjs'): string => {
    files++;
    const path = join(folder, `filter-${files}.${extension}`);
    writeFileSync(path, code);
    return path;
  };
  const dumpBy = (code: string): Promise<Result> =>
    tntar(['dump', source.uri, '--filter', file(code)]);
  const refused = async (code: string, expected: RegExp): Promise<void> => {
    const { code: exit, stderr, stdout } = await dumpBy(code);
    equal(exit, 1, stderr);
    match(stderr, expected);
    const { code: verified } = await tntar(['verify'], { input: stdout });
    equal(verified, 3);
  };

  it('keeps every byte if the filter returns every tuple unchanged', async () => {
    const { stdout, stderr, code } = await dumpBy(IDENTITY);
    equal(code, 0, stderr);
    await withTarget(async (target) => {
      await restore(target, stdout, '--filter', file(IDENTITY));
      deepEqual(await fingerprint(target), await fingerprint(source));
    });
  });

  it('may print, and its text does not get into the archive', async () => {
    const { stdout, stderr, code } = await dumpBy(`
      console.log('loaded');
      export default (space, tuple) => {
        if (space.name === 'users' && tuple.get('id') === 7) console.info('row', 7);
        return tuple;
      };`);
    equal(code, 0, stderr);
    match(stderr, /^loaded$/m);
    match(stderr, /^row 7$/m);
    const verified = await tntar(['verify'], { input: stdout });
    equal(verified.code, 0, verified.stderr);
  });

  it('changes one field, skips rows, and counts both', async () => {
    const code = `export default (space, tuple) => {
      if (space.name !== 'users') return tuple;
      if (tuple.get('id') % 10 === 0) return null;
      return tuple.set('email', 'nobody@example.org');
    };`;
    const { stdout, stderr } = await dumpBy(code);
    match(stderr, /'users': 3000 rows in, 2700 changed, 300 skipped, 2700 out/);
    await withTarget(async (target) => {
      await restore(target, stdout);
      equal(await target.eval('return box.space.users:count()'), 2700);
      deepEqual(await target.eval('return box.space.users:get(7):totable()'), [
        7,
        'nobody@example.org',
        7,
      ]);
      // a double is a double, although it is a whole number
      const raw = await target.eval(`return require('digest').base64_encode(
          require('msgpack').encode(box.space.users:get(7)))`);
      equal(Buffer.from(String(raw), 'base64').at(-9), 0xcb);
    });
  });

  it('takes asynchronous filters, and filters that make several rows of one', async () => {
    const later = `export default async (space, tuple) => tuple;`;
    const more = `export default function* (space, tuple, { Tuple }) {
      yield tuple;
      if (space.name !== 'log') return;
      yield tuple.set(0, tuple.get(0) + 1);
      yield Tuple.from([tuple.get(0) + 2, ['anew']]);
    };`;
    await withTarget(async (target) => {
      await restore(target, whole, '--filter', file(later), '--filter', file(more));
      equal(await target.eval('return box.space.log:count()'), 3);
      equal(await target.eval('return box.space.log:get(3)[2][1]'), 'anew');
      equal(await target.eval('return box.space.users:count()'), 3000);
    });
  });

  it('writes types that JavaScript does not have', async () => {
    const code = `export default (space, tuple, { Decimal, Double, Uuid }) => {
      if (space.name !== 'log') return tuple;
      const id = Uuid.from('64d22e4d-ac92-4a23-899a-e59f34af5479');
      return tuple.set(1, [Decimal.from('0.10'), new Double(1), 1, id]);
    };`;
    await withTarget(async (target) => {
      await restore(target, whole, '--filter', file(code));
      const asked = `local found = box.space.log:get(1)[2]
        return tostring(found[1]), tostring(found[4]), type(found[4]) == 'cdata'`;
      const [price, id, isUuid] = await target.eval<unknown[]>(
        `return {(function() ${asked} end)()}`,
      );
      deepEqual([price, id, isUuid], ['0.10', '64d22e4d-ac92-4a23-899a-e59f34af5479', true]);
    });
  });

  it('changes memtx to vinyl by a field of _space', async () => {
    const code = `export default (space, tuple) =>
      space.id === 280 ? tuple.update([['=', 'engine', 'vinyl']]) : tuple;`;
    await withTarget(async (target) => {
      await restore(target, whole, '--filter', file(code));
      equal(await target.eval('return box.space.users.engine'), 'vinyl');
      equal(await target.eval('return box.space.users:count()'), 3000);
    });
  });

  it('leaves out a space and its rows if the definition of the space is skipped', async () => {
    const code = `export default (space, tuple) =>
      space.isSystem && space.name === '_space' && tuple.get('name') === 'log' ? undefined : tuple;`;
    await withTarget(async (target) => {
      const { stderr } = await restore(target, whole, '--filter', file(code));
      match(stderr, /left out: space 'log', with its rows: filter .* skips its row of _space/);
      equal(await target.eval('return box.space.log == nil'), true);
    });
  });

  it('warns if it skips every row of a space', async () => {
    const { stderr, code } = await dumpBy(
      `export default (space, tuple) => (space.name === 'users' ? null : tuple);`,
    );
    equal(code, 0, stderr);
    match(stderr, /warning: filter .* skipped every row of 'users'/);
  });

  it('ends a dump if the filter throws, with space, key and the words of the filter', async () => {
    await refused(
      `export default (space, tuple) => {
        if (tuple.get(0) === 42) throw new Error('no such thing');
        return tuple;
      };`,
      /filter filter-\d+\.mjs: space 'users', row \[42\]: no such thing/,
    );
  });

  for (const [what, value] of [
    ['false', 'false'],
    ['an array', '[1, 2]'],
    ['a string', `'x'`],
    ['7', '7'],
    ['an object \\(Object\\)', '{}'],
  ] as const) {
    it(`refuses ${what.replaceAll('\\', '')} for a tuple`, async () => {
      const code = `export default (space, tuple) => (space.name === 'log' ? ${value} : tuple);`;
      await refused(code, new RegExp(`space 'log', row \\[1\\]: it returned ${what}, not a tuple`));
    });
  }

  it('refuses definitions that no server can have', async () => {
    await refused(
      `export default (space, tuple) => (space.id === 280 ? tuple.set('name', 7) : tuple);`,
      /makes definitions that no server accepts: _space: row \[\d+\]: field 3 is not/,
    );
  });

  it('may make a row that the format of its space forbids, and the target refuses it with space and key', async () => {
    const { stdout, code } = await dumpBy(
      `export default (space, tuple) => (space.name === 'users' ? tuple.set('email', 7) : tuple);`,
    );
    equal(code, 0);
    await withTarget(async (target) => {
      const { code: exit, stderr } = await tryRestore(target, stdout);
      equal(exit, 1, stderr);
      match(stderr, /space 'users', row \[1\]: Tuple field 2.*string.*INCOMPLETE/);
    });
  });

  it('ends a restore before anything is written if the filter throws at the first rows', async () => {
    const code = `export default (space, tuple) => {
      if (space.name === 'users' && tuple.get(0) === 2999) throw new Error('enough');
      return tuple;
    };`;
    await withTarget(async (target) => {
      const { code: exit, stderr } = await tryRestore(target, whole, ['--filter', file(code)]);
      equal(exit, 1);
      match(stderr, /row \[2999\]: enough/);
      equal(await target.eval('return box.space.users == nil'), true);
    });
  });

  describe('in TypeScript', () => {
    const TYPED = `import type { RowFilter } from 'tntar';
      const filter: RowFilter = (space, tuple) =>
        space.name === 'log' ? tuple.set(0, (tuple.get(0) as number) + 6) : tuple;
      export default filter;`;
    /** What the running Node takes, e.g. `strip`; nothing before 22.18. */
    const { typescript } = process.features as { typescript?: string | false };
    const run = (code: string, extension: string): Promise<Result> =>
      tntar(['dump', source.uri, '--filter', file(code, extension)]);

    for (const extension of ['ts', 'mts']) {
      it(`works if Node loads TypeScript, else is refused with a hint: .${extension}`, async () => {
        const { code, stdout, stderr } = await run(TYPED, extension);
        if (!typescript) {
          deepEqual([code, stdout.length], [2, 0], stderr);
          match(
            stderr,
            /hint: Node \S+ does not load TypeScript by itself \(22\.18 does\): compile it/,
          );
          return;
        }
        equal(code, 0, stderr);
        await withTarget(async (target) => {
          await restore(target, stdout);
          deepEqual(await target.eval('return box.space.log:get(7)[1]'), 7);
        });
      });
    }

    it('is refused if Node cannot load it by stripping its types alone', async function () {
      if (typescript !== 'strip') this.skip();
      const { code, stderr } = await run(`enum Kind { A }\n${IDENTITY}`, 'ts');
      equal(code, 2, stderr);
      match(stderr, /enum is not supported.*\nhint: Node takes types away, and does no more/);
    });
  });

  for (const [what, path, expected] of [
    ['that is not there', () => join(folder, 'none.mjs'), /the file does not exist/],
    ['that is no module', () => file('export default ('), /cannot load the filter/],
    [
      'that cannot be read, by its line',
      () => file('const a = 1;\n\nconst b = ;\nexport default () => null;'),
      /cannot load the filter .*: Unexpected token ';', at \/.*filter-\d+\.mjs:3\nhint: /,
    ],
    [
      'that imports what a file does not export, by its line',
      () => file(`\nimport { x } from '${pathToFileURL(file(IDENTITY))}';\n${IDENTITY}`),
      /cannot load .* does not provide an export named 'x', at \/.*filter-\d+\.mjs:2\nhint: /,
    ],
    [
      'that imports one that cannot be read',
      () => file(`import '${pathToFileURL(file('const b = ;'))}';\n${IDENTITY}`),
      /cannot load .*: Unexpected token ';'\nhint: /,
    ],
    ['of another kind', () => file(IDENTITY, 'txt'), /\.txt.*\nhint: it has to be an ES module/],
    [
      'that imports what is not there',
      () => file(`import { x } from './x';\n${IDENTITY}`),
      /cannot load .*\nhint: it may import a file by its whole name/,
    ],
    [
      'without a default export',
      () => file('export const x = 1;'),
      /default export is not a function/,
    ],
  ] as const) {
    it(`refuses a file ${what}, and reads nothing`, async () => {
      const { code, stderr, stdout } = await tntar(['dump', source.uri, '--filter', path()]);
      deepEqual([code, stdout.length], [2, 0], stderr);
      match(stderr, expected);
      ok(!stderr.includes('    at '), stderr);
    });
  }
});
