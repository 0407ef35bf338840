import { deepEqual, equal } from 'node:assert/strict';
import { startServer, type TestServer } from '../support/server.js';
import { type Feature, testCopies } from './fidelity/copies.js';
import {
  dump,
  isAtLeast,
  list,
  needs,
  restore,
  SOURCES,
  withTarget,
} from './fidelity/roundtrip.js';

const FEATURES: readonly Feature[] = [
  {
    title: 'with its indexes and its sequence',
    make: `local space = box.schema.space.create('cache', {temporary = true, format = {{'id', 'unsigned'}}})
      space:create_index('primary', {sequence = true})
      space:create_index('second', {type = 'hash', parts = {{2, 'string'}}})`,
    ask: `return {box.space.cache.temporary, box.space.cache:len(), box.space.cache:insert({box.NULL, 'a'}),
      box.space.cache.index.second:get({'a'})}`,
  },
  {
    title: 'that is local, too',
    make: `box.schema.space.create('here', {temporary = true, is_local = true}):create_index('primary')`,
    ask: `return {box.space.here.temporary, box.space.here.is_local, box.space.here:insert({1})}`,
  },
  {
    title: 'of the type data-temporary',
    make: `box.schema.space.create('typed', {type = 'data-temporary'}):create_index('primary')`,
    ask: `return {box.space.typed.type, box.space.typed:insert({1})}`,
    needs: ['types of spaces', '3.0'],
  },
  {
    title: 'of the type normal, which is not temporary',
    make: `box.schema.space.create('normal', {type = 'normal'}):create_index('primary')
      box.space.normal:insert({1})`,
    ask: `return {box.space.normal.type, box.space.normal:select()}`,
    needs: ['types of spaces', '3.0'],
  },
];

describe('restore brings a temporary space back', () => testCopies(FEATURES));

describe('what does not survive a restart', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
    if (!isAtLeast(server, '3.0')) return;
    await server.eval(`
      local space = box.schema.space.create('fleeting', {type = 'temporary'})
      space:create_index('primary')
      space:create_index('second', {parts = {{2, 'string'}}})
      space:insert({1, 'a'})
      box.schema.space.create('lasting'):create_index('primary')
    `);
  });
  after(() => server.stop());

  for (const source of SOURCES) {
    it(`is in no backup, read by ${source}`, async function () {
      needs(this, server, 'spaces whose definitions are temporary', '3.0');
      const archive = await dump(server, '--source', source);
      const { spaces, omitted } = await list(archive);
      deepEqual(
        spaces.map(({ name }) => name),
        ['lasting'],
      );
      // a read view does not tell of it either
      const expected = source === 'snapshot' ? [] : [`space 'fleeting'`];
      deepEqual(
        omitted.map(({ what }) => what),
        expected,
      );
      await withTarget(async (target) => {
        await restore(target, archive);
        equal(await target.eval('return box.space.fleeting == nil'), true);
        equal(await target.eval('return box.space.lasting ~= nil'), true);
      });
    });
  }
});
