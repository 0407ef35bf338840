import { deepEqual, equal, match, ok } from 'node:assert/strict';
import type { Result } from '../support/cli.js';
import { startServer, type TestServer } from '../support/server.js';
import { aboutTarget, dump, needs, restore, tryRestore, withTarget } from './fidelity/roundtrip.js';

const SOURCE = `
  local till = box.schema.space.create('till', {field_count = 2, format = {
      {'id', 'unsigned'}, {'sum', 'number', is_nullable = true}}})
  till:create_index('primary')
  for i = 1, 50 do till:insert({i, i / 2}) end
  till:insert({51, box.NULL})
  box.schema.space.create('shop'):create_index('primary')
  box.space.shop:insert({1})
  box.schema.sequence.create('counter'):set(5000)
`;
const COUNTER = `box.schema.sequence.create('counter')`;
const SHOP = `box.schema.space.create('shop'):create_index('primary')`;
const TILL = `box.schema.space.create('till'):create_index('primary')`;

describe('restore --data-only', () => {
  let source: TestServer;
  let archive: Buffer;
  before(async () => {
    source = await startServer({ lua: SOURCE });
    archive = await dump(source);
  });
  after(() => source.stop());

  /** Fills a target that has these definitions. */
  function intoTarget(
    lua: string,
    check: (result: Result, target: TestServer) => Promise<void> | void,
    args: readonly string[] = [],
  ): Promise<void> {
    return withTarget(async (target) => {
      await target.eval(lua);
      await check(await tryRestore(target, archive, ['--data-only', ...args]), target);
    });
  }

  /** Expects a refusal for these reasons, and that nothing was written. */
  function isRefused(lua: string, ...reasons: RegExp[]): Promise<void> {
    return withTarget(async (target) => {
      await target.eval(lua);
      const lsn = await target.eval('return tostring(box.info.lsn)');
      for (const args of [['--data-only'], ['--data-only', '--dry-run']]) {
        const { code, stderr } = await tryRestore(target, archive, args);
        equal(code, 4, stderr);
        for (const reason of reasons) match(stderr, reason);
        match(stderr, /cannot take the rows of this backup/);
        match(stderr, /hint: change its spaces to fit .*nothing was written/);
        ok(!stderr.includes('INCOMPLETE'), stderr);
      }
      equal(await target.eval('return tostring(box.info.lsn)'), lsn);
    });
  }

  it('refuses a target with other fields and keys, and names all of them', async () => {
    await isRefused(
      `box.schema.space.create('till', {field_count = 3}):create_index('primary')
       box.schema.space.create('shop'):create_index('primary', {parts = {{1, 'string'}}}) ${COUNTER}`,
      /'till': its rows have 2 fields, and the target requires 3/,
      /'shop': field 1 is unsigned in the backup and string on the target/,
    );
  });

  it('refuses a foreign key to a space that is being filled, or to the space itself', async function () {
    needs(this, await aboutTarget(), 'foreign keys of spaces', '2.10');
    await isRefused(
      `${SHOP} ${COUNTER}
       box.schema.space.create('till', {
           format = {{'id', 'unsigned'}, {name = 'sum', type = 'number', is_nullable = true}},
           foreign_key = {shop = {space = 'shop', field = {id = 1}}}}):create_index('primary')`,
      /'till': its foreign key 'shop' refers to 'shop', and rows may be loaded before the rows that they refer to/,
    );
    await isRefused(
      `${SHOP} ${COUNTER}
       box.schema.space.create('till', {format = {{'id', 'unsigned'},
           {name = 'sum', type = 'number', is_nullable = true, foreign_key = {
               other = {field = 'id'}}}}}):create_index('primary')`,
      /'till': its foreign key 'other' refers to itself/,
    );
  });

  it('fills a space whose foreign key refers to one that gets no rows', async function () {
    needs(this, await aboutTarget(), 'foreign keys of spaces', '2.10');
    const lua = `${SHOP} ${COUNTER}
      box.schema.space.create('ids', {format = {{'id', 'unsigned'}}}):create_index('primary')
      for i = 1, 51 do box.space.ids:insert({i}) end
      box.schema.space.create('till', {
          format = {{'id', 'unsigned'}, {'sum', 'any', is_nullable = true}},
          foreign_key = {id = {space = 'ids', field = {id = 'id'}}}}):create_index('primary')`;
    await intoTarget(lua, async ({ code, stderr }, target) => {
      equal(code, 0, stderr);
      equal(await target.eval('return box.space.till:count()'), 51);
    });
  });

  it('warns of a narrower type, and stops at the first row that does not fit it', async () => {
    const lua = `${SHOP} ${COUNTER} box.schema.space.create('till', {format = {
      {'id', 'unsigned'}, {'sum', 'unsigned', is_nullable = true}}}):create_index('primary')`;
    await intoTarget(lua, ({ code, stderr }) => {
      equal(code, 1, stderr);
      match(
        stderr,
        /warning: some rows may be refused by 'till': field 2 'sum' is number in the backup and unsigned on the target/,
      );
    });
  });

  it('warns of a default, and stops if the default fills a row', async function () {
    needs(this, await aboutTarget(), 'defaults that fill rows', '3.0');
    const lua = `${SHOP} ${COUNTER} box.schema.space.create('till', {format = {{'id', 'unsigned'},
      {name = 'sum', type = 'number', is_nullable = true, default = 7}}}):create_index('primary')`;
    await intoTarget(lua, ({ code, stderr }) => {
      equal(code, 1, stderr);
      match(
        stderr,
        /warning: some rows may be refused by 'till': field 2 'sum' has a default on the target/,
      );
      match(stderr, /row \[51\]: the target stored a different row/);
    });
  });

  it('leaves a sequence unchanged if the value is out of its bounds, and says so', async () => {
    const lua = `${SHOP} ${TILL} box.schema.sequence.create('counter', {max = 100}):set(40)`;
    await intoTarget(lua, async ({ code, stderr }, target) => {
      equal(code, 0, stderr);
      match(
        stderr,
        /left out: value of sequence 'counter': 5000 is outside its bounds on the target, -?\d+ to 100/,
      );
      equal(await target.eval('return box.sequence.counter:next()'), 41);
    });
  });

  it('prints the same for a value that select reads at the end', async () => {
    const read = await dump(source, '--source', 'select');
    await withTarget(async (target) => {
      await target.eval(`${SHOP} ${TILL} box.schema.sequence.create('counter', {max = 100})`);
      const { stderr } = await restore(target, read, '--data-only');
      equal(stderr.split("value of sequence 'counter': 5000").length, 2, stderr);
      equal(await target.eval('return box.sequence.counter:next()'), 1);
    });
  });

  it('reports the confirmed rows of each space when it stops', async () => {
    const lua = `${SHOP} ${TILL} ${COUNTER} box.space.till:insert({51, 'theirs'})`;
    await intoTarget(lua, async ({ code, stderr }, target) => {
      equal(code, 1, stderr);
      const told = /'till': (\d+) of (\d+)/.exec(stderr);
      deepEqual(told?.slice(1), ['50', '51'], stderr);
      match(stderr, /INCOMPLETE: .* confirmed \(/);
      match(
        stderr,
        /hint: .*the rows sent are the first of each space in the archive: delete those/,
      );
      equal(await target.eval('return box.space.till:count()'), 51);
    });
  });

  it('prints in a dry run what it would do', async () => {
    const check = ({ code, stdout, stderr }: Result): void => {
      equal(code, 0, stderr);
      match(String(stdout), /insert 51 rows \(\d+ B\) into space 'till'/);
      match(
        String(stdout),
        /Other on the target:\n {2}some rows may be refused by 'till': field 2/,
      );
    };
    const lua = `${SHOP} ${COUNTER} box.schema.space.create('till', {format = {
      {'id', 'unsigned'}, {'sum', 'unsigned', is_nullable = true}}}):create_index('primary')`;
    await intoTarget(lua, check, ['--dry-run']);
  });

  it('counts the written rows in the last line', async () => {
    await intoTarget(`${SHOP} ${TILL} ${COUNTER}`, ({ code, stderr }) => {
      equal(code, 0, stderr);
      match(stderr, /restored 2 spaces with 52 rows/);
    });
  });

  it('leaves a sequence at its value in the backup', async () => {
    await intoTarget(`${SHOP} ${TILL} ${COUNTER}`, async (_result, target) => {
      equal(await target.eval('return box.sequence.counter:next()'), 5001);
    });
  });
});
