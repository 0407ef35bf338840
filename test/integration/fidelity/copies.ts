import { deepEqual } from 'node:assert/strict';
import type { Context } from 'mocha';
import { type ServerOptions, startServer, type TestServer } from '../../support/server.js';
import { TOLD } from './lua.js';
import {
  dump,
  hasFeature,
  isAtLeast,
  type Need,
  needs,
  restore,
  SOURCES,
  type State,
  startTarget,
  stateOf,
} from './roundtrip.js';

/** Something that a database can have, and that its copy has to have as well. */
export interface Feature {
  title: string;
  /** Lua that makes it. */
  make: string;
  /**
   * Lua that uses it, run on the original and on each copy after all dumps: its answers have to be the
   * same. It may change the database. Errors are to go through `told()`, see {@link TOLD}.
   */
  ask?: string;
  /** What the servers have to have. */
  needs?: Need;
  /** What is different from which release on, so that none from there goes to a server before. */
  oneWay?: [what: string, since: string];
}

/** A server in which all features are, dumped by each source and restored into one server each. */
class Copies {
  source!: TestServer;
  readonly targets = new Map<string, TestServer>();
  /** Of the original and of each copy, before anybody used them; empty where no feature is possible. */
  readonly states = new Map<string, State>();

  get #servers(): TestServer[] {
    return [this.source, ...this.targets.values()];
  }

  get #areAlike(): boolean {
    return this.#servers.every(({ version }) => version === this.source.version);
  }

  async make(features: readonly Feature[], options: ServerOptions): Promise<void> {
    this.source = await startServer(options);
    for (const source of SOURCES) {
      this.targets.set(
        source,
        await startTarget(options.cfg === undefined ? {} : { cfg: options.cfg }),
      );
    }
    const possible = features.filter((feature) =>
      this.#servers.every((server) =>
        this.#needsOf(feature).every((need) => hasFeature(server, need)),
      ),
    );
    if (possible.length === 0) return;
    for (const feature of possible) {
      await this.source.eval(feature.make).catch((error) => {
        throw new Error(`${feature.title}: ${error.message}`);
      });
    }
    for (const [source, target] of this.targets) {
      await restore(target, await dump(this.source, '--source', source));
    }
    this.states.set('original', await stateOf(this.source, this.#areAlike));
    for (const [source, target] of this.targets) {
      this.states.set(source, await stateOf(target, this.#areAlike));
    }
  }

  ask(server: TestServer, lua: string): Promise<unknown> {
    return server.eval(`${TOLD}${lua}`, this.#areAlike);
  }

  /** What all servers have to have: what goes one way only goes from old to old, too. */
  #needsOf({ needs: need, oneWay }: Feature): Need[] {
    const isNew = oneWay !== undefined && isAtLeast(this.source, oneWay[1]);
    return [...(need === undefined ? [] : [need]), ...(isNew ? [oneWay as Need] : [])];
  }

  /** Skips the test where a server lacks what the feature takes. */
  needs(context: Context, feature: Feature): void {
    for (const need of this.#needsOf(feature)) {
      for (const server of this.#servers) needs(context, server, ...need);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server?.stop()));
  }
}

/**
 * Tests that all features survive dump and restore, by each source: the same rows, to the byte, in the
 * users' spaces and, where the servers are of one version, in the system's; an equivalent schema; and
 * the same answers.
 */
export function testCopies(features: readonly Feature[], options: ServerOptions = {}): void {
  const copies = new Copies();
  before(() => copies.make(features, options));
  after(() => copies.stop());

  for (const source of SOURCES) {
    it(`rows and metadata are the same, read by ${source}`, function () {
      if (copies.states.size === 0) copies.needs(this, features[0]!);
      deepEqual(copies.states.get(source), copies.states.get('original'));
    });
  }
  for (const feature of features) {
    const { title, ask } = feature;
    if (ask === undefined) continue;
    it(title, async function () {
      copies.needs(this, feature);
      const expected = await copies.ask(copies.source, ask);
      for (const [source, target] of copies.targets) {
        deepEqual({ source, answer: await copies.ask(target, ask) }, { source, answer: expected });
      }
    });
  }
}
