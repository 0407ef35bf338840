import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tntar } from '../support/cli.js';
import { startServer, type TestServer } from '../support/server.js';
import { dump, restore, withTarget } from './fidelity/roundtrip.js';

const SOURCE = `
  local users = box.schema.space.create('users', {format = {{'id', 'unsigned'}, {'name', 'string'},
      {name = 'age', type = 'unsigned', is_nullable = true}, {name = 'note', type = 'any', is_nullable = true}}})
  users:create_index('primary')
  for i = 1, 100 do users:insert({i, 'user' .. i, i % 50}) end
  users:insert({101, 'nobody'})
  users:insert({9007199254740993ULL, 'big', 1, {kind = 'x'}})
  users:insert({18446744073709551615ULL, 'biggest', 1, require('decimal').new('1.5')})
  local log = box.schema.space.create('app:log', {format = {{'id', 'unsigned'}, {'text', 'string'}}})
  log:create_index('primary')
  for i = 1, 10 do log:insert({i, 'line' .. i}) end
`;
const IDS = `
  local ids = {}
  for _, user in box.space.users:pairs() do table.insert(ids, (tostring(user.id):gsub('ULL', ''))) end
  return table.concat(ids, ' ')`;

describe('--where', () => {
  let source: TestServer;
  let whole: Buffer;
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-where-'));
    source = await startServer({ lua: SOURCE });
    whole = await dump(source);
  });
  after(async () => {
    await source.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('dumps rows for which all conditions of a space are true, and all of other spaces', async () => {
    const archive = await dump(source, '--where', 'users: id > 95', '--where', 'users: id <= 100');
    await withTarget(async (target) => {
      await restore(target, archive);
      equal(await target.eval(IDS), '96 97 98 99 100');
      equal(await target.eval(`return box.space['app:log']:count()`), 10);
    });
  });

  it('restores rows for which the condition is true, and compares integers of 64 bits exactly', async () => {
    for (const [where, expected] of [
      ['users: id > 9007199254740992', '9007199254740993 18446744073709551615'],
      ['users: id == 18446744073709551615', '18446744073709551615'],
      ['users: age == null || (age == 49 && name.startsWith("user9"))', '99 101'],
      ['users: id > 101 && id < 9007199254741000 && note.kind == "x"', '9007199254740993'],
    ] as const) {
      await withTarget(async (target) => {
        await restore(target, whole, '--where', where);
        equal(await target.eval(IDS), expected, where);
      });
    }
  });

  it('uses the names of spaces before they are renamed, and the values before masks', async () => {
    const args = ['--where', 'app:log: text == "line7"', '--rename', 'app:log=log'];
    await withTarget(async (target) => {
      await restore(target, whole, ...args, '--mask', 'app:log.text=fixed:x');
      deepEqual(await target.eval('return box.space.log:select()'), [[7, 'x']]);
    });
  });

  it('records its effect in the archive and in the summary', async () => {
    const file = join(folder, 'some.tar.zst');
    const args = ['dump', source.uri, '--where', 'users: id < 3', '-o', file];
    const { code, stderr } = await tntar(args);
    equal(code, 0, stderr);
    match(stderr, /where 'users: id < 3': 'users': 103 rows in, 0 changed, 101 skipped, 2 out/);
    const listed = await tntar(['list', '-i', file]);
    match(listed.stdout.toString(), /where 'users: id < 3'/);
    ok(readFileSync(file).length < whole.length);
  });

  it('warns if it keeps no row', async () => {
    const args = ['dump', source.uri, '--where', 'users: name == "x"'];
    const { code, stderr } = await tntar(args);
    equal(code, 0, stderr);
    match(stderr, /skipped every row of 'users'/);
  });

  it('fails with the key of a row that it cannot decide', async () => {
    const where = 'users: id > 9007199254740993 && note + 1 == 2';
    const { code, stderr } = await tntar(['dump', source.uri, '--where', where]);
    equal(code, 1, stderr);
    match(stderr, /space 'users', row \[18446744073709551615\]: .*decimal \+ int/);
    match(stderr, /hint: .*--filter/);
  });

  for (const [where, expected] of [
    ['users', /cannot read the condition 'users'\nhint: write 'SPACE: EXPRESSION'/],
    ['user: id > 5', /space 'user' does not exist\nhint: there are .*users/],
    [
      'users: ids > 5',
      /field 'ids' does not exist, at 'ids > 5'\nhint: the format has id; name; age/,
    ],
    ['users: id >', /Unexpected token: EOF, at its end/],
    ['users: id > "5"', /no such overload: int > string/],
    ['users: name', /must be true or false/],
  ] as const) {
    it(`refuses '${where}', and writes nothing`, async () => {
      const { code, stdout, stderr } = await tntar(['dump', source.uri, '--where', where]);
      deepEqual([code, stdout.length], [2, 0], stderr);
      match(stderr, expected);
    });
  }
});
