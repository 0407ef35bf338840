import { deepEqual, doesNotMatch, match } from 'node:assert/strict';
import { startServer, type TestServer } from '../support/server.js';
import { dump, needs, restore, startTarget } from './fidelity/roundtrip.js';

/** What a configuration does: the server tells it from people by the option. */
const BY_CONFIG = `
  box.schema.user.create('app', {password = 'same', _origin = 'config'})
  box.schema.user.grant('app', 'execute', 'universe', nil, {_origin = 'config'})
`;
const BY_HAND = `
  box.schema.user.create('app', {password = 'same'})
  box.schema.user.grant('app', 'read,execute', 'universe')
  box.schema.space.create('s'):create_index('pk')
`;
const OF_APP = `
  local id = box.space._user.index.name:get('app').id
  return box.space._priv:get({id, 'universe', 0})[5]`;

describe('a user that a configuration manages', () => {
  let source: TestServer;
  let target: TestServer;
  beforeEach(async () => {
    [source, target] = await Promise.all([startServer(), startTarget()]);
  });
  afterEach(() => Promise.all([source.stop(), target.stop()]));

  it('is used as it is, and keeps the grants of its configuration', async function () {
    needs(this, target, 'origins of users', '3.6');
    await source.eval(BY_HAND);
    await target.eval(BY_CONFIG);
    const { stderr } = await restore(target, await dump(source));
    match(stderr, /^tntar: existing objects are used: 1 user$/m);
    // What was granted by hand goes with what was granted so, and the rest stays.
    await target.eval(`box.schema.user.revoke('app', 'read,execute', 'universe')`);
    deepEqual(await target.eval(OF_APP), 4 + 8 + 16);
  });

  it('is restored as an ordinary user to servers that record no origins', async function () {
    needs(this, source, 'origins of users', '3.6');
    await source.eval(`${BY_HAND} box.schema.user.create('ops', {_origin = 'config'})`);
    await restore(target, await dump(source));
    const { stderr } = await restore(target, await dump(source), '--existing', 'skip');
    doesNotMatch(stderr, /different definition/);
    deepEqual(await target.eval(OF_APP), await source.eval(OF_APP));
  });
});
