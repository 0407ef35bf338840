import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tntar } from '../support/cli.js';
import { startServer, type TestServer } from '../support/server.js';
import { dump, restore, withTarget } from './fidelity/roundtrip.js';

const SOURCE = `
  local users = box.schema.space.create('users', {format = {{'id', 'unsigned'}, {'email', 'string'},
      {name = 'phone', type = 'string', is_nullable = true}, {'card', 'unsigned'}}})
  users:create_index('primary')
  users:create_index('email', {parts = {2}})
  for i = 1, 500 do users:insert({i, 'user' .. i, '+49' .. i, i % 7}) end
  users:insert({501, 'no phone', box.NULL, 0})
  local mails = box.schema.space.create('mail.box', {format = {{'id', 'unsigned'}, {'to', 'string'}}})
  mails:create_index('primary')
  for i = 1, 500 do mails:insert({i, 'user' .. i}) end
`;

describe('--mask', () => {
  let source: TestServer;
  let whole: Buffer;
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-masks-'));
    source = await startServer({ lua: SOURCE });
    whole = await dump(source);
  });
  after(async () => {
    await source.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('hashes values so that joins still work and unique values stay unique, and keeps no original value', async () => {
    const masks = ['--mask', 'users.email=hash', '--mask', 'mail.box.to=hash'];
    const archive = await dump(source, ...masks);
    await withTarget(async (target) => {
      await restore(target, archive);
      equal(await target.eval('return box.space.users:count()'), 501);
      const joined = `
        local found = 0
        for _, mail in box.space['mail.box']:pairs() do
          if box.space.users.index.email:get(mail.to).id == mail.id then found = found + 1 end
        end
        return found`;
      equal(await target.eval(joined), 500);
      match(await target.eval<string>('return box.space.users:get(1).email'), /^[0-9a-f]{32}$/);
    });
  });

  it('replaces values by null or by one value, and leaves null as it is', async () => {
    const args = ['--mask', 'users.phone=null', '--mask', 'mail.box.to=fixed:a=b'];
    await withTarget(async (target) => {
      await restore(target, whole, ...args);
      equal(await target.eval('return box.space.users:get(7).phone == nil'), true);
      equal(await target.eval(`return box.space['mail.box']:get(7).to`), 'a=b');
      equal(await target.eval('return box.space.users:get(7).email'), 'user7');
    });
  });

  it('gives the same hashes for the same key, and different ones for another', async () => {
    const key = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const hashes = async (...args: string[]): Promise<unknown> => {
      let found: unknown;
      await withTarget(async (target) => {
        await restore(target, whole, '--mask', 'users.card=hash', ...args);
        found = await target.eval('return tostring(box.space.users:get(3).card)');
      });
      return found;
    };
    const first = await hashes('--mask-key-file', key('a', 'a'.repeat(32)));
    equal(await hashes('--mask-key-file', key('b', 'a'.repeat(32))), first);
    ok((await hashes('--mask-key-file', key('c', 'c'.repeat(32)))) !== first);
    ok((await hashes()) !== first);
  });

  for (const [mask, expected] of [
    ['users.email', /cannot read the mask 'users.email'/],
    ['user.email=hash', /space 'user' does not exist\nhint: there are .*users/],
    ['users.mail=hash', /space 'users' has no field 'mail'\nhint: its format has id; email; phone/],
    ['users.email=fixed:x', /'users.email' is part of the unique index 'email'/],
    ['users.card=null', /'users.card' cannot be null/],
  ] as const) {
    it(`refuses ${mask}, and writes nothing`, async () => {
      const { code, stdout, stderr } = await tntar(['dump', source.uri, '--mask', mask]);
      deepEqual([code, stdout.length], [2, 0], stderr);
      match(stderr, expected);
    });
  }

  it('refuses a key that is too short', async () => {
    const file = join(folder, 'short');
    writeFileSync(file, 'short');
    const args = ['dump', source.uri, '--mask', 'users.email=hash', '--mask-key-file', file];
    const { code, stderr } = await tntar(args);
    equal(code, 2);
    match(stderr, /the key of masks must have at least 16 bytes/);
  });
});
