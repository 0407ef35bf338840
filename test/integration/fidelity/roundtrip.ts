import { deepEqual, equal } from 'node:assert/strict';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { Context } from 'mocha';
import { Connection } from '../../../lib/iproto/connection.js';
import { RequestType } from '../../../lib/iproto/constants.js';
import { store } from '../../../lib/iproto/requests.js';
import { parseUri } from '../../../lib/iproto/uri.js';
import { type Result, type RunOptions, spawnTntar, tntar } from '../../support/cli.js';
import { type Description, describeDatabase } from '../../support/description.js';
import { type Fingerprint, fingerprint } from '../../support/fingerprint.js';
import { type ServerOptions, startServer, type TestServer } from '../../support/server.js';

/** Both ways of reading a server. */
export const SOURCES = ['snapshot', 'select'] as const;

/** The server's program for targets, where it is not that of the sources. */
export const TARGET_BIN = process.env['TARANTOOL_TARGET_BIN'];

/** True where the server is of this release, e.g. `2.10` or `2.6.1`, or of a newer one. */
export function isAtLeast({ version }: Pick<TestServer, 'version'>, release: string): boolean {
  const parts = version.split(/[.-]/).map(Number);
  const wanted = release.split('.').map(Number);
  const different = wanted.findIndex((part, i) => part !== parts[i]);
  return different < 0 || (parts[different] ?? 0) > wanted[different]!;
}

/** What a server has to have, and from which release on, and before which. */
export type Need = [feature: string, since: string, until?: string];

export function hasFeature(server: Pick<TestServer, 'version'>, [, since, until]: Need): boolean {
  return isAtLeast(server, since) && (until === undefined || !isAtLeast(server, until));
}

/** Skips the test where a server is too old for it, or too new, and says so in its title. */
export function needs(context: Context, server: Pick<TestServer, 'version'>, ...need: Need): void {
  if (hasFeature(server, need)) return;
  const { test } = context;
  if (test !== undefined) test.title += ` (${server.version} lacks: ${need[0]})`;
  context.skip();
}

/** A server to restore into: `$TARANTOOL_TARGET_BIN`, else like any other. */
export function startTarget(options: ServerOptions = {}): Promise<TestServer> {
  return startServer(TARGET_BIN === undefined ? options : { ...options, bin: TARGET_BIN });
}

/** Starts servers for a test, and ends them behind it. */
export async function withTarget<T>(
  work: (target: TestServer) => Promise<T>,
  options: ServerOptions = {},
): Promise<T> {
  const target = await startTarget(options);
  try {
    return await work(target);
  } finally {
    await target.stop();
  }
}

/** What targets are. */
export function aboutTarget(): Promise<Pick<TestServer, 'version'>> {
  return withTarget(async ({ version }) => ({ version }));
}

/** The archive of a dump that has to go well. */
export async function dump(server: TestServer, ...args: string[]): Promise<Buffer> {
  const { code, stdout, stderr } = await tntar(['dump', server.uri, ...args]);
  equal(code, 0, stderr);
  return stdout;
}

/** Runs a restore, which may fail. */
export function tryRestore(
  target: Pick<TestServer, 'uri'>,
  archive: Buffer,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<Result> {
  return tntar(['restore', target.uri, ...args], { ...options, input: archive });
}

/** A restore that has to go well. */
export async function restore(
  target: Pick<TestServer, 'uri'>,
  archive: Buffer,
  ...args: string[]
): Promise<Result> {
  const result = await tryRestore(target, archive, args);
  equal(result.code, 0, result.stderr);
  return result;
}

/** All of a database that its copy has to have. */
export interface State {
  description: Description;
  prints: Fingerprint;
}

/** @param system - whether the rows of all system spaces count, byte for byte; marks in `_schema` do always */
export async function stateOf(server: TestServer, system: boolean): Promise<State> {
  const [description, prints] = await Promise.all([
    describeDatabase(server),
    fingerprint(server, { system, marks: true }),
  ]);
  return { description, prints };
}

/**
 * Fails where the servers do not hold the same tuples to the byte and equivalent metadata, which has to
 * be the same to the byte where they are of one version.
 */
export async function expectSame(source: TestServer, target: TestServer): Promise<void> {
  const system = source.version === target.version;
  const [expected, actual] = await Promise.all(
    [source, target].map((server) => stateOf(server, system)),
  );
  deepEqual(actual, expected);
}

/** Dumps `source`, restores into a fresh server, and compares the two. */
export async function roundTrip(
  source: TestServer,
  args: readonly string[] = [],
  check: (target: TestServer) => Promise<void> = async () => {},
  options: ServerOptions = {},
): Promise<void> {
  const archive = await dump(source, ...args);
  await withTarget(async (target) => {
    await restore(target, archive);
    await expectSame(source, target);
    await check(target);
  }, options);
}

/** What `tntar list --json` says about an archive. */
export async function list(archive: Buffer): Promise<VerifyResult> {
  const { code, stdout, stderr } = await tntar(['list', '--json'], { input: archive });
  equal(code, 0, stderr);
  return JSON.parse(String(stdout));
}

/** The part of that document which tests look at. */
export interface VerifyResult {
  tool: string;
  created: string;
  server: { version: string };
  source: string;
  consistent: boolean;
  vclock: Record<string, number>;
  endVclock: Record<string, number>;
  rows: number;
  spaces: { id: number; name: string; rowsFrom: string; rows: number; bytes: number }[];
  omitted: { what: string; why: string }[];
}

/** A raw connection as the tests' user. */
export function connect(server: Pick<TestServer, 'uri'>): Promise<Connection> {
  return Connection.open(parseUri(server.uri));
}

/** Stores tuples as raw bytes, which Lua would decode and encode. */
export async function putRaw(
  server: TestServer,
  space: string,
  tuples: Iterable<Buffer>,
): Promise<void> {
  const id = await server.eval<number>('return box.space[...].id', space);
  const connection = await connect(server);
  try {
    for (const tuple of tuples) {
      const request = store(RequestType.REPLACE, id, tuple);
      await connection.request(request, `store ${tuple.toString('hex').slice(0, 100)}`);
    }
  } finally {
    connection.close();
  }
}

/**
 * A dump that has begun and waits for its reader: what it still has to write fits no pipe, given a
 * space of {@link BULK}.
 */
export interface ParkedDump {
  pid: number;
  stdout: Readable;
  /** Reads the rest, and waits for the end. */
  finish(): Promise<Result>;
}

/** Lua for a space `bulk` of 40 MB that no compression makes smaller, more than a dump holds. */
export const BULK = `
local digest = require('digest')
local bulk = box.schema.space.create('bulk')
bulk:create_index('primary')
box.begin()
for i = 1, 400 do bulk:insert({i, digest.urandom(100000)}) end
box.commit()
`;

/**
 * True for releases that a read view may hang (tarantool#11604): for a user who may not run Lua, and so cannot say
 * that no tuple is large, tntar takes no snapshot there.
 */
export function mayHang({ version }: TestServer): boolean {
  return /^3\.(2\.[01]|3\.[0-2]|4\.0)$/.test(version);
}

/** Starts a dump, and lets it go on only until its pipe is full. */
export async function parkDump(server: TestServer, ...args: string[]): Promise<ParkedDump> {
  const child = spawnTntar(['dump', server.uri, ...args]);
  const closed = once(child, 'close');
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // the first bytes come behind the manifest, hence behind the first look at the server
  await Promise.race([once(child.stdout, 'readable'), closed]);
  await setTimeout(PARKING_MS);
  return {
    pid: child.pid ?? 0,
    stdout: child.stdout,
    async finish() {
      const stdout: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
      const [code, signal] = await closed;
      return { code, signal, stdout: Buffer.concat(stdout), stderr };
    },
  };
}

/** Longer than a dump takes to fill the pipe. */
const PARKING_MS = 300;
