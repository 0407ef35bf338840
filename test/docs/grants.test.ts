import { deepEqual, equal } from 'node:assert/strict';
import { shell } from '../support/cli.js';
import { fingerprint } from '../support/fingerprint.js';
import { startServer, type TestServer, USER } from '../support/server.js';
import { pageAt, runnable } from './pages.js';

const PAGE = pageAt('docs/reference/privileges.md');

describe('the grants of docs/reference/privileges.md', () => {
  /** Without users of its own, as an archive may be that `filler` restores. */
  const SPACES = `
    box.schema.space.create('plain'):create_index('primary')
    box.schema.space.create('numbered', {engine = 'vinyl'}):create_index('primary', {sequence = true})
    for i = 1, 10 do box.space.plain:insert{i, 'Row'} box.space.numbered:insert{box.NULL} end
    box.schema.func.create('lower', {is_deterministic = true, is_sandboxed = true,
        body = 'function(tuple) return {tuple[2]:lower()} end'})
    box.space.plain:create_index('by_name', {unique = false, func = 'lower',
        parts = {{1, 'string'}}})`;
  const USERS = `
    box.schema.role.create('clerk') box.schema.role.grant('clerk', 'read', 'space', 'plain')
    box.schema.user.create('ann', {password = 'a'}) box.schema.user.grant('ann', 'clerk')`;
  const uriOf = (user: string, { address }: TestServer): string => `${user}:secret@${address}`;
  /** Returns the block that creates the user. */
  const grantsOf = (user: string): string => {
    const found = runnable(PAGE, 'lua').filter(({ text }) =>
      text.includes(`user.create('${user}'`),
    );
    equal(found.length, 1);
    return found[0]?.text ?? '';
  };

  /** Makes the user, with an id that no user of an archive has. */
  const make = (user: string): string => `
    for i = 1, 8 do box.schema.user.create('placeholder' .. i) end
    ${grantsOf(user)}
    for i = 1, 8 do box.schema.user.drop('placeholder' .. i) end`;

  /** Dumps as one user and restores as another: the copy has to be the same but for the latter. */
  async function copy(lua: string, dumper: string, restorer: string, args = ''): Promise<void> {
    const [source, target] = await Promise.all([startServer({ lua }), startServer()]);
    try {
      if (dumper !== USER) await source.eval(make(dumper));
      if (restorer !== USER) await target.eval(make(restorer));
      const dump = `tntar dump ${args} ${uriOf(dumper, source)}`;
      const { code, stderr } = await shell(`${dump} | tntar restore ${uriOf(restorer, target)}`);
      equal(code, 0, stderr);
      if (restorer !== USER) await target.eval(`box.schema.user.drop('${restorer}')`);
      const system = true;
      deepEqual(await fingerprint(target, { system }), await fingerprint(source, { system }));
    } finally {
      await Promise.all([source.stop(), target.stop()]);
    }
  }

  // by force, for who may not run Lua cannot ask how large tuples are: see test/integration/hang.test.ts
  it('let a user dump from a snapshot', () =>
    copy(SPACES + USERS, 'dumper', USER, '--source snapshot --force-snapshot'));
  it('let a user dump by select', () => copy(SPACES + USERS, 'reader', USER, '--source select'));
  it('let a user restore users and grants', () => copy(SPACES + USERS, USER, 'restorer'));
  it('let a user restore spaces, functions and sequences', () => copy(SPACES, USER, 'filler'));

  it('let a user restore rows alone', async () => {
    const [source, target] = await Promise.all([startServer({ lua: SPACES }), startServer()]);
    try {
      await target.eval(`${SPACES} ${make('loader')}
        box.space.plain:truncate() box.space.numbered:truncate() box.space.numbered.index[0]:drop()
        box.space.numbered:create_index('primary', {sequence = true})`);
      const restore = `tntar restore --data-only ${uriOf('loader', target)}`;
      const { code, stderr } = await shell(`tntar dump ${uriOf(USER, source)} | ${restore}`);
      equal(code, 0, stderr);
      deepEqual(await fingerprint(target), await fingerprint(source));
      deepEqual(await target.eval('return box.space.numbered:insert{box.NULL}'), [11]);
    } finally {
      await Promise.all([source.stop(), target.stop()]);
    }
  });
});
