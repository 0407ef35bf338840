import { deepEqual, equal, match } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FoundEntry, survey } from '../../lib/archive/survey.js';
import { type Result, shell, tntar } from '../support/cli.js';
import { type Fingerprint, fingerprint } from '../support/fingerprint.js';
import { startServer, type TestServer } from '../support/server.js';
import { dump, withTarget } from './fidelity/roundtrip.js';

const LUA = `
  local digest = require('digest')
  local function filled(name, count, size, options)
    local space = box.schema.space.create(name, options)
    space:create_index('primary', {sequence = name == 'large' and 'counter' or nil})
    for i = 1, count do space:insert({i, digest.urandom(size)}) end
  end
  box.schema.user.create('ann', {password = 'a'})
  box.schema.func.create('greet', {body = 'function() return "hello" end'})
  box.schema.sequence.create('counter')
  filled('first', 100, 10)
  filled('large', 500, 10000)
  filled('cold', 300, 10000, {engine = 'vinyl'})
  filled('last', 100, 10)
  box.schema.space.create('empty'):create_index('primary')
  box.schema.user.grant('ann', 'read', 'space', 'large')
  box.schema.user.grant('ann', 'read', 'space', 'last')
`;
const SPACES = ['cold', 'empty', 'first', 'large', 'last'];

describe('a damaged archive', () => {
  let source: TestServer;
  let prints: Fingerprint;
  let archive: Buffer;
  let entries: FoundEntry[];
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-salvage-'));
    source = await startServer({ lua: LUA });
    prints = await fingerprint(source);
    archive = await dump(source);
    ({ found: entries } = await survey(async function* (start) {
      yield archive.subarray(start);
    }));
  });
  after(async () => {
    await source.stop();
    rmSync(folder, { recursive: true });
  });

  const idOf = (space: string): Promise<number> =>
    source.eval<number>('return box.space[...].id', space);

  /** The archive with a wrong bit in the middle of each of these entries. */
  const damagedIn = (...names: string[]): Buffer => {
    const bytes = Buffer.from(archive);
    for (const name of names) {
      const { start, end } = entries.find(({ record }) => record.name === name)!;
      bytes[Math.floor((start + end) / 2) + 5]! ^= 1;
    }
    return bytes;
  };

  const file = (bytes: Buffer): string => {
    const path = join(folder, 'damaged.tar.zst');
    writeFileSync(path, bytes);
    return path;
  };

  const salvage = (target: TestServer, bytes: Buffer, ...args: string[]): Promise<Result> =>
    tntar(['restore', target.uri, '--salvage', '-i', file(bytes), ...args]);

  /** Asserts which spaces are there, each to the byte. */
  const holds = async (target: TestServer, ...spaces: string[]): Promise<void> => {
    const expected = Object.fromEntries(spaces.map((name) => [name, prints[name]]));
    deepEqual(await fingerprint(target), expected);
  };

  it('is reported part by part by verify', async () => {
    const large = await idOf('large');
    const cold = await idOf('cold');
    const bytes = damagedIn(`${large}.dump.00001`, `${cold}.dump.00000`);
    for (const result of [
      await tntar(['verify', '-i', file(bytes)]),
      await shell(`tntar verify < ${file(bytes)}`),
    ]) {
      const { code, stderr } = result;
      equal(code, 3, stderr);
      for (const [name, part] of [
        ['large', `${large}.dump.00001`],
        ['cold', `${cold}.dump.00000`],
      ]) {
        match(stderr, new RegExp(`damaged from byte [\\d,]+ to [\\d,]+, entry ${part}: `));
        match(
          stderr,
          new RegExp(`lost: space '${name}': ${part} \\(1 of \\d entries, \\d+ of \\d00 rows\\)`),
        );
      }
      match(stderr, /\nhint: restore --salvage can restore 3 spaces of it\n$/);
    }
    const piped = await tntar(['verify'], { input: bytes });
    equal(piped.code, 3);
    equal(piped.stderr.trimEnd().split('\n').length, 2, piped.stderr);
  });

  it('restores whole spaces to the byte, and names the lost ones', async () => {
    const large = await idOf('large');
    await withTarget(async (target) => {
      const { code, stderr } = await salvage(target, damagedIn(`${large}.dump.00001`));
      equal(code, 3, stderr);
      await holds(target, 'cold', 'empty', 'first', 'last');
      match(stderr, /lost: space 'large': \d+\.dump\.00001 /);
      match(
        stderr,
        /\ntntar: the archive is damaged: the restore is INCOMPLETE, 4 spaces of it are whole\n/,
      );
      // what belongs to others is there, what belonged to it is not
      const grants = `return #box.space._priv.index.object:select({'space', box.space.last.id})`;
      equal(await target.eval(grants), 1);
      equal(await target.eval(`return box.space.large == nil`), true);
    });
  });

  it('restores the requested spaces', async () => {
    const bytes = damagedIn(`${await idOf('large')}.dump.00000`);
    await withTarget(async (target) => {
      const { code, stderr } = await salvage(target, bytes, '--space', 'last');
      equal(code, 3, stderr);
      match(stderr, /restored 1 space /);
      await holds(target, 'last');
      const again = await salvage(target, bytes, '--existing', 'drop', '--no-users');
      equal(again.code, 3, again.stderr);
      await holds(target, 'cold', 'empty', 'first', 'last');
    });
  });

  it('restores all definitions if only rows are damaged', async () => {
    const bytes = damagedIn(`${await idOf('large')}.dump.00000`);
    await withTarget(async (target) => {
      const { code, stderr } = await salvage(target, bytes, '--schema-only');
      equal(code, 3, stderr);
      match(stderr, /the archive is damaged, but nothing is lost: 5 spaces of it are whole/);
      equal(await target.eval('return box.space.large.index.primary ~= nil'), true);
    });
  });

  it('names the lost parts even if the restore is refused', async () => {
    const bytes = damagedIn(`${await idOf('large')}.dump.00000`);
    await withTarget(async (target) => {
      const { code, stderr } = await salvage(target, bytes, '--space', 'large');
      equal(code, 2, stderr);
      match(stderr, /lost: space 'large': .*\n(.*\n)*tntar: no space matches 'large'\n/);
      await holds(target);
    });
  });

  it('changes nothing on a dry run, and prints the same', async () => {
    const bytes = damagedIn(`${await idOf('large')}.dump.00000`);
    await withTarget(async (target) => {
      const { code, stdout, stderr } = await salvage(target, bytes, '--dry-run');
      equal(code, 3, stderr);
      match(String(stdout), /insert space 'last'/);
      match(stderr, /a restore would be INCOMPLETE, 4 spaces of it are whole/);
      await holds(target);
    });
  });

  it('restores everything before a cut', async () => {
    const last = entries.filter(({ name }) => name.kind === 'tuples').at(-1)!;
    const spaces = await source.eval<Record<string, string>>(`
      local names = {}
      for _, space in box.space._space:pairs(512, {iterator = 'GE'}) do
        names[tostring(space.id)] = space.name
      end
      return names`);
    const bytes = archive.subarray(0, last.end - 10);
    const cut = spaces[String(last.name.kind === 'tuples' && last.name.spaceId)]!;
    await withTarget(async (target) => {
      const { code, stderr } = await salvage(target, bytes);
      equal(code, 3, stderr);
      // whether a space without rows had any, nobody knows any more
      await holds(target, ...SPACES.filter((name) => name !== cut && name !== 'empty'));
      match(stderr, /lost: space 'empty': all rows, if it had any/);
      match(stderr, new RegExp(`lost: space '${cut}': `));
    });
  });

  it('with extra bytes after its end loses nothing, but is reported as damaged', async () => {
    await withTarget(async (target) => {
      const { code, stderr } = await salvage(target, Buffer.concat([archive, Buffer.alloc(100)]));
      equal(code, 3, stderr);
      match(stderr, /the archive is damaged, but nothing is lost: 5 spaces of it are whole/);
      await holds(target, ...SPACES);
    });
  });

  it('that is in fact whole is restored as usual', async () => {
    await withTarget(async (target) => {
      const { code, stderr } = await salvage(target, archive);
      equal(code, 0, stderr);
      await holds(target, ...SPACES);
    });
  });

  it('is not read again if another program has read its start', async () => {
    const path = file(damagedIn(`${await idOf('large')}.dump.00001`));
    const { code, stderr } = await shell(`(head -c 5 > /dev/null; tntar verify) < ${path}`);
    equal(code, 3, stderr);
    match(stderr, /^tntar: not a tar\.zst backup: [^\n]+\nhint: [^\n]+\n$/);
  });

  it('of a dump by select loses the facts in its trailer, and names them', async () => {
    const bytes = await dump(source, '--source', 'select', '--space', 'first');
    await withTarget(async (target) => {
      const { code, stderr } = await salvage(target, bytes.subarray(0, -300));
      equal(code, 3, stderr);
      match(stderr, /lost: trailer: whether rows were written/);
      await holds(target, 'first');
    });
  });

  it('cannot be salvaged from a pipe', async () => {
    const { code, stderr } = await tntar(['restore', source.uri, '--salvage'], { input: archive });
    equal(code, 2, stderr);
    match(stderr, /--salvage reads the archive twice/);
  });

  describe('whose definitions are damaged', () => {
    for (const [entry, space] of [
      ['280.dump', '_space'],
      ['288.dump', '_index'],
    ]) {
      it(`in ${space} restore nothing`, async () => {
        await withTarget(async (target) => {
          const { code, stderr } = await salvage(target, damagedIn(entry!));
          equal(code, 3, stderr);
          match(
            stderr,
            new RegExp(
              `is damaged in definitions that every restore needs: definitions in ${space}`,
            ),
          );
          await holds(target);
        });
      });
    }

    for (const [entry, space] of [
      ['284.dump', '_sequence'],
      ['285.dump', '_sequence_data'],
      ['296.dump', '_func'],
      ['304.dump', '_user'],
      ['312.dump', '_priv'],
      ['340.dump', '_space_sequence'],
    ]) {
      it(`in ${space} restore all rows, and the damage is named`, async () => {
        await withTarget(async (target) => {
          const { code, stderr } = await salvage(target, damagedIn(entry!));
          equal(code, 3, stderr);
          match(stderr, new RegExp(`lost: definitions in ${space}: ${entry} `));
          match(stderr, /the restore is INCOMPLETE, 5 spaces of it are whole/);
          await holds(target, ...SPACES);
        });
      });
    }
  });

  it('with damaged collations restores the spaces that use none', async () => {
    const lua = `
      box.internal.collation.create('ours', 'ICU', 'ru-RU')
      local columns = {{name = 'name', type = 'string', collation = 'ours'}}
      box.schema.space.create('column', {format = columns}):create_index('primary', {parts = {1}})
      local parts = {{1, 'string', collation = 'ours'}}
      box.schema.space.create('key'):create_index('primary', {parts = parts})
      local shipped = {{1, 'string', collation = 'unicode'}}
      box.schema.space.create('plain'):create_index('primary', {parts = shipped})
      for _, name in pairs({'column', 'key', 'plain'}) do box.space[name]:insert({'x'}) end
    `;
    await withTarget(
      async (collated) => {
        const whole = await dump(collated);
        const { found } = await survey(async function* (start) {
          yield whole.subarray(start);
        });
        const { end } = found.find(({ record }) => record.name === '276.dump')!;
        whole[end - 1]! ^= 1;
        await withTarget(async (target) => {
          const { code, stderr } = await salvage(target, whole);
          equal(code, 3, stderr);
          for (const name of ['column', 'key']) {
            match(stderr, new RegExp(`left out: space '${name}': the collation of it is lost`));
          }
          deepEqual(await target.eval('return {box.space.plain:len(), box.space.key == nil}'), [
            1,
            true,
          ]);
        });
      },
      { lua },
    );
  });

  it('without a manifest restores nothing', async () => {
    const result = await tntar(['verify', '-i', file(damagedIn('manifest.json'))]);
    equal(result.code, 3);
    match(result.stderr, /hint: /);
    equal(result.stderr.trimEnd().split('\n').length, 2, result.stderr);
    await withTarget(async (target) => {
      const { code, stderr } = await salvage(target, damagedIn('manifest.json'));
      equal(code, 3, stderr);
      match(stderr, /the manifest is damaged: /);
      await holds(target);
    });
  });
});
