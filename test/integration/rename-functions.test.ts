import { deepEqual, equal, match } from 'node:assert/strict';
import { startServer, type TestServer } from '../support/server.js';
import { dump, needs, restore, withTarget } from './fidelity/roundtrip.js';

/** A column and a function of one name with their space. */
const SOURCE = `
  box.schema.func.create('T', {language = 'SQL_EXPR', is_deterministic = true, body = '"T" > 0'})
  box.schema.space.create('T', {format = {{'T', 'integer'}}, constraint = {positive = 'T'}})
  box.space.T:create_index('primary')
  box.space.T:insert({1})
`;
const CREATE = `
  local ok, problem = pcall(box.schema.func.create, ..., {language = 'SQL_EXPR',
      is_deterministic = true, body = ...})
  return ok or tostring(problem)`;

describe('--rename and functions in SQL', () => {
  let source: TestServer;
  before(async function () {
    source = await startServer();
    needs(this, source, 'functions of language SQL_EXPR', '2.11');
    await source.eval(SOURCE);
  });
  after(() => source.stop());

  for (const [what, body, expected] of [
    ['behind a dot', '"T"."T" > 0', /does not support reference to spaces/],
    ['the row of its own', 'NEW."T" > 0', /does not support reference to spaces/],
    ['in a subselect', '(SELECT COUNT(*) FROM "T") > 0', /does not support subselects/],
    ['behind EXISTS', 'EXISTS (SELECT 1 FROM "T")', /does not support subselects/],
  ] as const) {
    it(`rely on a server that refuses a space in an expression: ${what}`, async () => {
      match(String(await source.eval(CREATE, body)), expected);
    });
  }

  it('rely on a server that accepts no row if it takes a space after IN', async () => {
    const tried = await source.eval(`
      box.schema.func.create('slips', {language = 'SQL_EXPR', is_deterministic = true,
          body = '"T" IN (SELECT "T" FROM SEQSCAN "T")'})
      local space = box.schema.space.create('other', {format = {{'T', 'integer'}},
          constraint = {slips = 'slips'}})
      space:create_index('primary')
      local found = {pcall(space.insert, space, {1}), pcall(space.insert, space, {2})}
      space:drop()
      box.schema.func.drop('slips')
      return {found[1], found[2]}`);
    deepEqual(tried, [false, false]);
  });

  it('leave the function as it is, and it still checks the renamed space', async () => {
    const archive = await dump(source, '--rename', 'T=new');
    await withTarget(async (target) => {
      await restore(target, archive);
      const tried = `local space = box.space.new
        return {box.func.T.body, space:count(), (pcall(space.insert, space, {2})),
            (pcall(space.insert, space, {-1}))}`;
      deepEqual(await target.eval(tried), ['"T" > 0', 1, true, false]);
      equal(await target.eval('return box.space.T == nil'), true);
    });
  });
});
