import { equal, match, rejects, throws } from 'node:assert/strict';
import { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import * as tntar from '../../../lib/index.js';
import { archiveOrigin } from '../../../lib/sources/origin.js';
import { serverOrigin } from '../../../lib/sources/server.js';
import { fixturePath, readFixture } from '../../fixtures/folder.js';

const bytes = readFixture('2.6.0-plain.tar.zst');
const input = (): Readable => Readable.from([bytes]);
const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });
/** Where nobody listens: who comes as far as to connect fails with another kind of error. */
const server = { host: '127.0.0.1', port: 1 };

const file = (): tntar.ArchiveFile => ({ size: bytes.length, open: () => Readable.from([bytes]) });
const right = { archive: file() };

/** Each gets a wrong value in the place of something right. */
type Call = (wrong: never) => unknown;

const archive: Readonly<Record<string, Call>> = {
  restore: (wrong) => tntar.restore(wrong, server),
  previewRestore: (wrong) => tntar.previewRestore(wrong, server),
  verify: (wrong) => tntar.verify(wrong),
  list: (wrong) => tntar.list(wrong),
  extract: (wrong) => tntar.extract(wrong, fixturePath('never-made')),
  cat: (wrong) => tntar.cat(wrong, nowhere(), { space: 'plain' }),
  'diff, first side': (wrong) => tntar.diff({ archive: wrong }, right),
  'diff, second side': (wrong) => tntar.diff(right, { archive: wrong }),
  findDamage: (wrong) => tntar.findDamage(wrong),
  salvage: (wrong) => tntar.salvage(wrong, server),
  previewSalvage: (wrong) => tntar.previewSalvage(wrong, server),
};

const servers: Readonly<Record<string, Call>> = {
  dump: (wrong) => tntar.dump(wrong, nowhere()),
  'dump with a signal': (wrong) =>
    tntar.dump(wrong, nowhere(), { signal: new AbortController().signal }),
  dumpCluster: (wrong) => tntar.dumpCluster([wrong], nowhere()),
  restore: (wrong) => tntar.restore(input(), wrong),
  previewRestore: (wrong) => tntar.previewRestore(input(), wrong),
  'copy from': (wrong) => tntar.copy(wrong, server),
  'copy to': (wrong) => tntar.copy(server, wrong),
  'previewCopy to': (wrong) => tntar.previewCopy(server, wrong),
  'diff, first side': (wrong) => tntar.diff({ server: wrong }, right),
  'Connection.open': (wrong) => tntar.Connection.open(wrong),
};

/** Options that say the space, too, where they are options at all. */
const ofPlain = (options: object): never =>
  (Object.getPrototypeOf(options ?? []) === Object.prototype
    ? { ...options, space: 'plain' }
    : options) as never;

/** Functions that take options, each with those that are right, and all else that it needs. */
const optioned: Readonly<Record<string, (options: never) => unknown>> = {
  dump: (options) => tntar.dump(server, nowhere(), options),
  dumpCluster: (options) => tntar.dumpCluster([server], nowhere(), options),
  restore: (options) => tntar.restore(input(), server, options),
  previewRestore: (options) => tntar.previewRestore(input(), server, options),
  copy: (options) => tntar.copy(server, server, options),
  previewCopy: (options) => tntar.previewCopy(server, server, options),
  verify: (options) => tntar.verify(input(), options),
  list: (options) => tntar.list(file(), options),
  extract: (options) => tntar.extract(input(), fixturePath('never-made'), options),
  cat: (options) => tntar.cat(input(), nowhere(), ofPlain(options)),
  diff: (options) => tntar.diff(right, right, options),
  findDamage: (options) => tntar.findDamage(file(), options),
  salvage: (options) => tntar.salvage(file(), server, options),
  previewSalvage: (options) => tntar.previewSalvage(file(), server, options),
  archiveSink: (options) => tntar.archiveSink(options),
  directorySink: (options) => tntar.directorySink(fixturePath('never-made'), options),
  textSink: (options) => tntar.textSink(ofPlain(options)),
  archiveOrigin: (options) => archiveOrigin(input(), options),
  serverOrigin: (options) => serverOrigin({} as never, options),
};

const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  source: ['nonsense', '', 'toString', 5, null],
  forceSnapshot: ['yes', 1, null],
  strict: ['no'],
  level: ['high', 0, 1.5, 99, Number.NaN],
  filters: [{}, 'x', [() => {}]],
  report: [() => {}, {}, 'stderr'],
  signal: [true, {}, new AbortController()],
  existing: ['nonsense', '', null, true],
  onConflict: ['nonsense', 'drop'],
  only: ['rows', true],
  without: ['users', { users: 'no' }, { userz: true }],
  definitions: ['all'],
  escapeFormulas: ['yes'],
  all: ['yes'],
  format: ['nonsense', 'xml', '__proto__', 5],
  fields: ['id', [1]],
  limit: [-1, 1.5, '5', Number.NaN],
  invalidUtf8: ['ignore'],
  where: ['id == 1', [1]],
  sort: ['yes'],
  names: ['a', ['a']],
  onRow: [true],
  onSpace: [{}],
  onDefinitions: ['x'],
  onDamage: [1],
  isStrict: ['yes'],
  bytes: [-1, 'many'],
  shard: [0, 1.5, 'first', 1001],
  from: ['leader', true],
};

/** Which options each has, by what it says of one that it has not. */
async function optionsOf(call: (options: never) => unknown): Promise<string[]> {
  const error = await failure(() => call({ noSuchOption: 1 } as never));
  match(error.message, /has no option 'noSuchOption'/);
  return (error.hint ?? '').replace('it has: ', '').split(', ');
}

async function failure(call: () => unknown): Promise<tntar.TntarError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof tntar.TntarError) return error;
    throw error;
  }
  throw new Error('the call did not fail');
}

async function isUsage(call: () => unknown, message: RegExp): Promise<void> {
  const error = await failure(call);
  equal(error.kind, 'usage', error.message);
  match(error.message, message);
}

describe('a call of the library', () => {
  for (const [name, call] of Object.entries(archive)) {
    it(`${name} refuses values that are not a readable archive`, async () => {
      for (const wrong of [
        ...['no-such-file.tar.zst', '', import.meta.dirname, new URL('https://db1/backup')],
        ...[bytes, null, undefined, 5, {}, { size: 5 }, []],
      ]) {
        await isUsage(() => call(wrong as never), /the archive/);
      }
    });
  }

  for (const [name, call] of Object.entries(servers)) {
    it(`${name} refuses values that are not a server, and shows no password`, async () => {
      const secret = 'pa55word';
      for (const wrong of [
        `app:${secret}@db1:nonsense`,
        { address: `app:${secret}@db1:nonsense` },
        { address: `app:${secret}@db1:3301`, host: 'db2' },
        { address: 5 },
        3301,
        null,
        { host: 5 },
        { port: '3301' },
        { port: 70_000 },
        { hots: 'db1', password: secret },
        { password: Buffer.from(secret) },
        { password: [secret] },
        { connectTimeout: Number.NaN },
        { idleTimeout: -1 },
        { tls: true },
      ]) {
        const error = await failure(() => call(wrong as never));
        equal(error.kind, 'usage', error.message);
        equal(`${error.message} ${error.hint}`.includes(secret), false, error.message);
      }
    });
  }

  for (const [name, call] of Object.entries(optioned)) {
    it(`${name} refuses unknown options and invalid values`, async () => {
      for (const wrong of ['x', 5, null, []]) await isUsage(() => call(wrong as never), /option/);
      for (const option of await optionsOf(call)) {
        if (option === 'space') continue;
        const values = VALUES[option];
        if (values === undefined) throw new Error(`no wrong value is tried for ${option}`);
        for (const value of values) {
          await isUsage(() => call({ [option]: value } as never), /option|users/);
        }
      }
    });
  }

  it('refuses an output that is not writable', async () => {
    for (const wrong of ['backup.tar.zst', undefined, {}, Readable.from([])]) {
      await isUsage(() => tntar.dump(server, wrong as never), /output/);
      await isUsage(() => tntar.cat(input(), wrong as never, { space: 'plain' }), /output/);
    }
  });

  it('refuses a side of a comparison that says neither archive nor server', async () => {
    for (const wrong of ['b.tar.zst', input(), {}, null, { archive: file(), server }]) {
      await isUsage(() => tntar.diff(wrong as never, right), /diff: the first/);
      await isUsage(() => tntar.diff(right, wrong as never), /diff: the second/);
    }
    const nonsense = { server, source: 'nonsense' };
    await isUsage(() => tntar.diff(right, nonsense as never), /option 'source'/);
  });

  it('refuses a stream if the archive has to be read twice', async () => {
    await isUsage(() => tntar.findDamage(input()), /findDamage reads the archive twice/);
    await isUsage(() => tntar.salvage(input(), server), /salvage reads the archive twice/);
    await isUsage(() => tntar.previewSalvage(input(), server), /previewSalvage reads/);
  });

  it('refuses an invalid path, and a text without a space', async () => {
    await isUsage(() => tntar.extract(input(), 5 as never), /path/);
    throws(() => tntar.textSink({} as never), { kind: 'usage' });
    await isUsage(() => tntar.cat(input(), nowhere(), {} as never), /space/);
  });

  it('treats undefined options as left out', async () => {
    const options = { report: undefined, filters: undefined, definitions: undefined };
    const { spaces } = await tntar.verify(input(), options as never);
    equal(spaces.length > 0, true);
  });
});

describe('an archive that comes in pieces', () => {
  const pieces = (size: number): Uint8Array[] =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      Uint8Array.from(bytes.subarray(i * size, (i + 1) * size)),
    );
  const open = (start: number): AsyncIterable<Uint8Array> =>
    Readable.from([Uint8Array.from(bytes.subarray(start))]);

  it('may come as Uint8Array, from a stream of Node or of the web', async () => {
    const web = new Blob([Uint8Array.from(bytes)]).stream();
    for (const stream of [Readable.from(pieces(1000)), web]) {
      const { spaces } = await tntar.verify(stream as AsyncIterable<Uint8Array>);
      equal(spaces.length > 0, true);
    }
  });

  it('may be opened from any of its bytes on', async () => {
    const file = { size: bytes.length, open };
    const whole = await tntar.verify(input());
    equal((await tntar.list(file)).spaces.length, whole.spaces.length);
    const only = [tntar.chooseSpaces({ only: [whole.spaces[0]!.name] })];
    equal((await tntar.verify(file, { filters: only })).spaces.length, 1);
    equal((await tntar.findDamage(file)).lost.length, 0);
  });

  it('may be named by its path or URL, or come as a Blob', async () => {
    const path = fixturePath('2.6.0-plain.tar.zst');
    const { spaces } = await tntar.verify(input());
    for (const named of [path, pathToFileURL(path), new Blob([Uint8Array.from(bytes)])]) {
      equal((await tntar.verify(named)).spaces.length, spaces.length);
      const listed = await tntar.list(named);
      equal(listed.spaces.length, spaces.length);
      equal((await tntar.findDamage(named)).lost.length, 0);
    }
    equal((await tntar.list(input())).verified, true);
  });

  it('is refused if the pieces are not bytes', async () => {
    const latin = Readable.from([bytes.toString('latin1')]);
    await rejects(tntar.verify(latin), { kind: 'usage', message: /are not bytes \(string\)/ });
    const encoded = Readable.from([bytes], { objectMode: false }).setEncoding('latin1');
    await rejects(tntar.verify(encoded), { kind: 'usage', message: /are not bytes/ });
  });
});
