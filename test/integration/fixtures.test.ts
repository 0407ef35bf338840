import { deepEqual, equal, ok } from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { type Expected, fixturePath, readFixture } from '../fixtures/folder.js';
import { tntar } from '../support/cli.js';
import { entriesOf, ofUsers } from '../support/entries.js';
import { fingerprint, imprint } from '../support/fingerprint.js';
import type { TestServer } from '../support/server.js';
import {
  dump,
  isAtLeast,
  list,
  restore,
  SOURCES,
  startTarget,
  tryRestore,
  withTarget,
} from './fidelity/roundtrip.js';

/** Names of the frozen archives, e.g. `2.6.0-full`. */
const NAMES = readdirSync(fixturePath())
  .filter((file) => file.endsWith('.tar.zst'))
  .map((file) => file.replace('.tar.zst', ''));

const archiveOf = (name: string): Buffer => readFixture(`${name}.tar.zst`);
const expectedOf = (name: string): Expected => JSON.parse(String(readFixture(`${name}.json`)));

/** `2.11` of `2.11.9-full`. */
const releaseOf = (name: string): string => /^\d+\.\d+/.exec(name)?.[0] ?? '';

/** True where the server has all that the archive has: what is plain, or said in SQL, is known to all. */
function holds(server: TestServer, name: string): boolean {
  return !name.endsWith('full') || isAtLeast(server, releaseOf(name));
}

/** Names of things in full archives, with the release from which on a server can hold them. */
const BEYOND: Record<string, string> = {
  without_nulls: '2.8.1',
  times: '2.10',
  limited: '2.10',
  by_value: '3.0',
  by_function: '3.0',
  log: '3.0',
  fay: '3.0',
  narrow: '3.1',
  descending: '3.2',
  priced: '3.5',
};

/** Those of an archive that are too new for the server. */
function beyond(server: TestServer, name: string): string[] {
  const origin = { version: releaseOf(name) };
  return Object.entries(BEYOND)
    .filter(([, since]) => isAtLeast(origin, since) && !isAtLeast(server, since))
    .map(([thing]) => thing);
}

/** How many rows each space has, where it has any. */
function filled(spaces: readonly { name: string; rows: number }[]): Record<string, number> {
  const counts = spaces.filter(({ rows }) => rows > 0).map(({ name, rows }) => [name, rows]);
  return Object.fromEntries(counts);
}

describe('frozen archives', () => {
  it('exist for three versions of each kind', () => {
    for (const version of ['2.6.0', '2.11.9', '3.9.0']) {
      for (const kind of ['plain', 'full']) ok(NAMES.includes(`${version}-${kind}`));
    }
    for (const version of ['2.6.0', '2.11.5', '3.2.1']) ok(NAMES.includes(`${version}-sql`));
  });

  for (const name of NAMES) {
    describe(name, () => {
      const archive = archiveOf(name);
      const expected = expectedOf(name);

      it('is whole', async () => {
        const { code, stderr } = await tntar(['verify'], { input: archive });
        equal(code, 0, stderr);
      });

      it('lists what its server had', async () => {
        const { spaces, server, tool, created, consistent } = await list(archive);
        const names = spaces.map((space) => space.name).sort();
        for (const space of Object.keys(expected.spaces)) ok(names.includes(space), space);
        const prints = Object.entries(expected.spaces);
        deepEqual(
          filled(spaces),
          filled(prints.map(([space, { rows }]) => ({ name: space, rows }))),
        );
        deepEqual(
          { server: server.version, tool, created, consistent },
          {
            server: expected.server,
            tool: `tntar ${expected.tntar}`,
            created: expected.created,
            consistent: true,
          },
        );
      });

      it('is restored to the byte by a server that can hold it', async function () {
        await withTarget(async (target) => {
          if (!holds(target, name)) this.skip();
          await restore(target, archive);
          deepEqual(await fingerprint(target), expected.spaces);
          if (target.version !== expected.server) return;
          const all = { ...expected.spaces, ...expected.system };
          const prints = Object.entries(await fingerprint(target, { system: true }));
          // older fixtures say nothing of what a newer fingerprint covers
          deepEqual(Object.fromEntries(prints.filter(([space]) => space in all)), all);
        });
      });

      it('is refused by a server that cannot hold it, and this server is left unchanged', async function () {
        await withTarget(async (target) => {
          if (holds(target, name)) this.skip();
          const before = await imprint(target);
          const { code, stderr } = await tryRestore(target, archive);
          equal(code, 4, stderr);
          ok(!stderr.includes('INCOMPLETE'), stderr);
          // ten things are named, and the rest is counted
          const [, more] = /; and (\d+) more\n/.exec(stderr) ?? [];
          const unnamed = beyond(target, name).filter((thing) => !stderr.includes(`'${thing}'`));
          ok(unnamed.length <= Number(more ?? 0), `${unnamed.join()}: ${stderr}`);
          deepEqual(await imprint(target), before);
        });
      });
    });
  }
});

describe('an archive that was restored', () => {
  const archive = archiveOf('2.6.0-plain');
  let target: TestServer;
  before(async () => {
    target = await startTarget();
    await restore(target, archive);
  });
  after(() => target.stop());

  for (const source of SOURCES) {
    it(`is dumped again with the same entries for the users' spaces, read by ${source}`, async () => {
      const again = await dump(target, '--source', source);
      deepEqual(ofUsers(await entriesOf(again)), ofUsers(await entriesOf(archive)));
    });
  }
});
