import { deepEqual } from 'node:assert/strict';
import { type Fingerprint, fingerprint } from '../../support/fingerprint.js';
import { type ServerOptions, startServer, type TestServer } from '../../support/server.js';
import { dump, isAtLeast, restore, SOURCES, startTarget } from './roundtrip.js';

/** Something that a database can have, and that its copy has to have as well. */
export interface Feature {
  title: string;
  /** Lua that makes it. */
  make: string;
  /**
   * Lua that uses it, run on the original and on each copy after all dumps: its answers have to be the
   * same. It may change the database.
   */
  ask?: string;
  /** What the server has to have, and from which release on, and before which. */
  needs?: [feature: string, since: string, until?: string];
}

function isThere(server: TestServer, { needs }: Feature): boolean {
  if (needs === undefined) return true;
  const [, since, until] = needs;
  return isAtLeast(server, since) && (until === undefined || !isAtLeast(server, until));
}

/** A server in which all features are, dumped by each source and restored into one server each. */
class Copies {
  source!: TestServer;
  readonly targets = new Map<string, TestServer>();
  /** Of the original and of each copy, before anybody used them. */
  readonly prints = new Map<string, Fingerprint>();

  /** @returns false where the server has none of the features */
  async make(features: readonly Feature[], options: ServerOptions): Promise<boolean> {
    this.source = await startServer(options);
    const possible = features.filter((feature) => isThere(this.source, feature));
    if (possible.length === 0) return false;
    for (const feature of possible) {
      await this.source.eval(feature.make).catch((error) => {
        throw new Error(`${feature.title}: ${error.message}`);
      });
    }
    for (const source of SOURCES) {
      const archive = await dump(this.source, '--source', source);
      const target = await startTarget(options.cfg === undefined ? {} : { cfg: options.cfg });
      this.targets.set(source, target);
      await restore(target, archive);
    }
    const system = [...this.targets.values()].every(
      ({ version }) => version === this.source.version,
    );
    this.prints.set('original', await fingerprint(this.source, { system }));
    for (const [source, target] of this.targets) {
      this.prints.set(source, await fingerprint(target, { system }));
    }
    return true;
  }

  async stop(): Promise<void> {
    await Promise.all([this.source, ...this.targets.values()].map((server) => server?.stop()));
  }
}

/**
 * Tests that all features survive dump and restore, by each source: the same rows, to the byte, in the
 * users' spaces and in the system's, and the same answers.
 */
export function testCopies(features: readonly Feature[], options: ServerOptions = {}): void {
  const copies = new Copies();
  before(async function () {
    if (!(await copies.make(features, options))) this.skip();
  });
  after(() => copies.stop());

  for (const source of SOURCES) {
    it(`rows and metadata are equal to the byte, read by ${source}`, () => {
      deepEqual(copies.prints.get(source), copies.prints.get('original'));
    });
  }
  for (const feature of features) {
    const { title, ask } = feature;
    if (ask === undefined) continue;
    it(title, async function () {
      if (!isThere(copies.source, feature)) this.skip();
      const expected = await copies.source.eval(ask);
      for (const [source, target] of copies.targets) {
        deepEqual({ source, answer: await target.eval(ask) }, { source, answer: expected });
      }
    });
  }
}
