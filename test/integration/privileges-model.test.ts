import { deepEqual, ok } from 'node:assert/strict';
import { Connection } from '../../lib/iproto/connection.js';
import { parseUri } from '../../lib/iproto/uri.js';
import type { Catalog } from '../../lib/schema/catalog/catalog.js';
import { Field, Privilege, SystemSpace } from '../../lib/schema/server/system-spaces.js';
import { Privileges } from '../../lib/schema/trust/privileges.js';
import { readCatalog } from '../../lib/server/catalog.js';
import { findHidden } from '../../lib/server/unreadable.js';
import type { Value } from '../../lib/tuple/codec.js';
import { startServer, type TestServer } from '../support/server.js';
import { connect } from './fidelity/roundtrip.js';

const SPACES = `
  for _, name in ipairs({'plain', 'hashed', 'sorted', 'local'}) do
      local space = box.schema.space.create(name, {engine = name == 'sorted' and 'vinyl' or 'memtx',
          is_local = name == 'local'})
      space:create_index('primary', {type = name == 'hashed' and 'hash' or 'tree'})
  end
  box.schema.space.create('keyless')
  box.schema.user.create('ann', {password = 'ann'})
  box.schema.user.grant('ann', 'read,write,create', 'universe')
  box.session.su('ann', function() box.schema.space.create('own'):create_index('primary') end)
  box.schema.user.revoke('ann', 'read,write,create', 'universe')
`;

/** Lua that grants to `user` in many ways, dealt out in all combinations. */
const GRANTS = [
  `box.schema.user.grant(user, 'read', 'space', 'plain')`,
  `box.schema.user.grant(user, 'write,alter', 'space')`,
  `box.schema.user.grant(user, 'create,execute', 'role')`,
  `box.schema.user.grant(user, 'clerk')`,
  `box.schema.user.revoke(user, 'public')`,
];
const WIDE_GRANTS = ['space', 'universe'].map(
  (object) => `box.schema.user.grant(user, 'read', '${object}')`,
);

describe('the privileges of a user', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({
      lua: `
        ${SPACES}
        box.schema.role.create('reader') box.schema.role.create('clerk')
        box.schema.role.grant('reader', 'read', 'space', 'hashed')
        box.schema.role.grant('clerk', 'reader')
        box.schema.role.grant('public', 'read', 'space', 'local')
        box.schema.user.grant('guest', 'read', 'space', 'sorted')`,
    });
  });
  after(() => server.stop());

  /** Spaces that can be read at all. */
  function readable(catalog: Catalog): { id: number; name: string; owner: Value | undefined }[] {
    const { id, name, owner, engine } = Field.space;
    return catalog
      .rows(SystemSpace.SPACE)
      .map(({ fields }) => fields)
      .filter((fields) => ['memtx', 'vinyl'].includes(String(fields[engine])))
      .filter((fields) => catalog.primaryKeyOf(Number(fields[id])) !== undefined)
      .map((fields) => ({
        id: Number(fields[id]),
        name: String(fields[name]),
        owner: fields[owner],
      }));
  }

  /** @returns how many spaces are hidden from the user */
  async function compare(user: string): Promise<number> {
    const admin = await connect(server);
    const catalog = await readCatalog(admin);
    admin.close();
    const spaces = readable(catalog);
    const privileges = new Privileges(catalog, user);
    const computed = spaces.filter((space) => !(privileges.on('space', space) & Privilege.READ));
    const connection = await Connection.open(parseUri(`${user}:${user}@${server.address}`));
    const answered = await findHidden(connection, spaces);
    connection.close();
    deepEqual(
      computed.map(({ id }) => id),
      answered.map(({ spaceId }) => spaceId),
    );
    return computed.length;
  }

  it('are computed as the server itself decides', async () => {
    const deals = Array.from({ length: 2 ** GRANTS.length }, (_, deal) =>
      GRANTS.filter((__, i) => deal & (2 ** i)),
    );
    const found = new Set<number>();
    for (const dealt of [...deals, ...WIDE_GRANTS.map((grant) => [grant])]) {
      await server.eval(`
        local user = 'eve'
        box.schema.user.create(user, {password = user})
        ${dealt.join('\n')}`);
      found.add(await compare('eve'));
      await server.eval(`box.schema.user.drop('eve')`);
    }
    ok(found.size > 3 && found.has(0), `of ${[...found]}`);
    await compare('ann');
  });
});
