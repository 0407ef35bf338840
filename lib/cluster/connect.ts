import type { Vclock } from '../backup/vclock.js';
import { TntarError } from '../base/errors.js';
import { longListOf, type Report } from '../base/report.js';
import { Connection } from '../iproto/connection.js';
import { type Server, withSignal } from '../iproto/options.js';
import type { Catalog } from '../schema/catalog/catalog.js';
import { Field, SystemSpace } from '../schema/server/system-spaces.js';
import { readCatalog } from '../server/catalog.js';
import { readOnlyReason, readStatus } from '../server/status.js';
import { type MemberFacts, type MemberOptions, type ReadyMember, readyMember } from './members.js';

/** Which instance of a shard is read; by default a replica that has all of the master, else the master. */
export type ReadFrom = 'replica' | 'master';

/** The keys of `_schema` with the uuid of the replica set: up to 2.x, and since 3.0. */
const REPLICASET_KEYS: readonly string[] = ['replicaset_uuid', 'cluster'];
const TITLE_KEY = 'replicaset_name';

/** An instance that is connected. */
interface Instance extends MemberFacts {
  connection: Connection;
  catalog: Catalog;
  vclock: Vclock;
}

function schemaText(catalog: Catalog, keys: readonly string[]): string | undefined {
  const { key, value } = Field.schema;
  const row = catalog
    .rows(SystemSpace.SCHEMA)
    .find(({ fields }) => keys.includes(String(fields[key])));
  return row === undefined ? undefined : String(row.fields[value]);
}

async function instanceAt(connection: Connection): Promise<Instance> {
  const catalog = await readCatalog(connection);
  const replicaset = schemaText(catalog, REPLICASET_KEYS);
  if (replicaset === undefined) {
    throw new TntarError(
      'failure',
      `${connection.where} does not say to which replica set it belongs`,
    );
  }
  const { vclock } = await readStatus(connection);
  const isMaster = (await readOnlyReason(connection)) === undefined;
  return {
    connection,
    catalog,
    replicaset,
    title: schemaText(catalog, [TITLE_KEY]),
    instance: connection.greeting.uuid,
    role: isMaster ? 'master' : 'replica',
    vclock,
  };
}

/** Writes of the master that a replica has not. Writes to spaces that are local to an instance do not count. */
function lagOf(replica: Vclock, master: Vclock): number {
  return Object.entries(master).reduce(
    (lag, [id, lsn]) => lag + (id === '0' ? 0 : Math.max(0, lsn - (replica[id] ?? 0))),
    0,
  );
}

/** Chooses the instance of a shard that is read. */
function chosen(instances: readonly Instance[], from: ReadFrom | undefined): Instance {
  const masters = instances.filter(({ role }) => role === 'master');
  const [master] = masters;
  const where = (all: readonly Instance[]): string =>
    longListOf(all.map(({ connection }) => connection.where));
  if (masters.length > 1) {
    throw new TntarError('failure', `a shard has two masters: ${where(masters)}`, {
      hint: 'make one of them read-only: their rows differ, and nobody knows which are right',
    });
  }
  const replicas = instances.filter(({ role }) => role === 'replica');
  if (from === 'master') {
    if (master !== undefined) return master;
    throw new TntarError('failure', `a shard has no master among ${where(instances)}`, {
      hint: 'name its master, too, or read a replica (--from replica)',
    });
  }
  const byLag = replicas
    .map((replica) => ({
      replica,
      lag: master === undefined ? 0 : lagOf(replica.vclock, master.vclock),
    }))
    .sort((a, b) => a.lag - b.lag);
  const [best] = byLag;
  if (from === 'replica' && best === undefined) {
    throw new TntarError('failure', `a shard has no replica among ${where(instances)}`, {
      hint: 'name a replica of each shard, or read the masters (--from master)',
    });
  }
  if (best !== undefined && (from === 'replica' || best.lag === 0)) return best.replica;
  return master ?? best!.replica;
}

/** Connected shards. */
export interface ConnectedMembers {
  /** The shards, in the order of the uuids of their replica sets. */
  members: ReadyMember[];
  /** Connections to the masters of all shards with vshard; none if one of them is not known. */
  masters: Connection[];
  /** Closes all connections. */
  close(): void;
}

/** Options of {@link connectMembers}. */
export interface ConnectOptions extends MemberOptions {
  from?: ReadFrom | undefined;
  report: Report;
  signal?: AbortSignal | undefined;
}

/**
 * Connects to the instances of a cluster, and chooses the one of each shard that is read. Instances of one replica set
 * are one shard.
 *
 * @param servers - at least one instance of each shard
 * @throws TntarError for an instance that cannot be reached or read, or a shard that has not the instance that is wanted
 * @example
 * const { members, masters, close } = await connectMembers(['db1:3301', 'db2:3301'], options);
 */
export async function connectMembers(
  servers: readonly Server[],
  options: ConnectOptions,
): Promise<ConnectedMembers> {
  const { from, report, signal } = options;
  const open = new Set<Connection>();
  const close = (): void => {
    for (const connection of open) connection.close();
  };
  try {
    const connections = await settled(
      servers.map(async (server) => {
        const connection = await Connection.open(withSignal(server, signal));
        open.add(connection);
        return connection;
      }),
    );
    const instances = await settled(connections.map(instanceAt));
    const shards = new Map<string, Map<string, Instance>>();
    for (const each of instances) {
      const shard = shards.get(each.replicaset) ?? new Map<string, Instance>();
      shards.set(each.replicaset, shard.set(each.instance, each));
    }
    const sorted = [...shards].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, shard]) => shard);
    const members: ReadyMember[] = [];
    const masters: (Connection | undefined)[] = [];
    for (const [i, shard] of sorted.entries()) {
      const instance = chosen([...shard.values()], from);
      const { connection, catalog, vclock: _, ...facts } = instance;
      members.push(await readyMember(connection, catalog, facts, options));
      report.note(`shard ${i + 1}: ${connection.where}, ${facts.role}`);
      const master = [...shard.values()].find(({ role }) => role === 'master');
      if (members.at(-1)!.bucketSpace === undefined) continue;
      const own = await master?.connection.another();
      if (own !== undefined) open.add(own);
      masters.push(own);
    }
    const known = masters.filter((each) => each !== undefined);
    return { members, masters: known.length === masters.length ? known : [], close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Waits for all, and throws the first error: nothing is left to happen later. */
async function settled<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
