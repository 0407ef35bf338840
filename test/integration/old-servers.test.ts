import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { fixturePath, oldLua, readFixture, runLua } from '../fixtures/folder.js';
import { tntar } from '../support/cli.js';
import { fingerprint } from '../support/fingerprint.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';
import { dump, list, restore, startTarget, tryRestore } from './fidelity/roundtrip.js';

/** A server of 1.10, where there is one. */
const OLD_BIN = process.env['TARANTOOL_OLD_BIN'];

const ARCHIVES = readdirSync(fixturePath('old')).filter((file) => file.endsWith('.tar.zst'));

/** What each sequence of `old/1.10.lua` gives next, or that it is at its end. */
const NEXT = `
  local next = {}
  for _, sequence in box.space._sequence:pairs() do
    local name = sequence[3]
    local ok, value = pcall(function() return box.sequence[name]:next() end)
    next[name] = ok and value or 'at its end'
  end
  return next`;
const EXPECTED_NEXT = {
  users_seq: 301,
  moved: 20,
  set: -2,
  full: 'at its end',
  cycling: 1,
  falling: 1,
  raised: 100,
  lowered: -100,
  reserved_seq: 10,
  unused: 1,
};

/** Fails where the target lacks anything of the database of `old/1.10.lua`. */
async function expectRestored(target: TestServer): Promise<void> {
  const counts = `local counts = {}
    for _, name in ipairs({'users', 'events', 'by_hash', 'words', 'here_only', 'cache', 'reserved'}) do
      counts[name] = box.space[name]:count()
    end
    return counts`;
  deepEqual(await target.eval(counts), {
    users: 299,
    events: 300,
    by_hash: 1,
    words: 1,
    here_only: 1,
    reserved: 2,
    cache: 0,
  });
  deepEqual(await target.eval(NEXT), EXPECTED_NEXT);
  const marks = `local marks = {}
    for _, name in ipairs({'onceinstalled', 'vshard_version'}) do
      table.insert(marks, box.space._schema:get(name))
    end
    return marks`;
  deepEqual(await target.eval(marks), [['onceinstalled'], ['vshard_version', 0, 1, 41, 0]]);
  const functions = `local functions = {}
    for _, name in ipairs({'in_lua', 'in_c'}) do
      local row = box.space._func.index.name:get(name)
      table.insert(functions, {row.language, row.setuid, row.exports})
    end
    return functions`;
  deepEqual(await target.eval(functions), [
    ['LUA', 0, ['LUA']],
    ['C', 1, ['LUA']],
  ]);
  const collation = `local part = box.space._index:get({box.space.words.id, 0}).parts[1]
    return {box.space._collation:get(part.collation).name, part.collation > 276,
      box.space._collation:get(3).name, box.space.words:get({'СЛОВО'})[1]}`;
  deepEqual(await target.eval(collation), ['weak', true, 'binary', 'слово']);
}

/** Fails where users cannot do on the target what they could on 1.10. */
async function expectAccess(target: TestServer): Promise<void> {
  const login = `ann:secret-of-ann@${target.address}`;
  const ask = `
    local function try(uri, ...)
      local connection = require('net.box').connect(uri)
      local ok, result = pcall(connection.call, connection, ...)
      connection:close()
      return ok and #result or tostring(result)
    end
    local uri, guest = ...
    return {try(uri, 'box.space.users:select', {{1}}), try(uri, 'box.space.events:select', {{'x'}}),
      try(guest, 'box.space.users:select', {{1}})}`;
  const [own, other, guest] = await target.eval<unknown[]>(ask, login, target.address);
  deepEqual([typeof own, typeof guest], ['string', 'string']);
  match(String(other), /access|denied|not allowed/i);
}

describe('a database of 1.10', () => {
  it('is among the fixtures', () => ok(ARCHIVES.length > 0));

  for (const file of ARCHIVES) {
    it(`is restored from ${file}, with its users, grants, sequences and functions`, async () => {
      const archive = readFixture(`old/${file}`);
      const { consistent } = await list(archive);
      equal(consistent, true);
      const target = await startTarget();
      try {
        const { stderr } = await restore(target, archive);
        const note = "field 'word' of space 'words': the custom key 'collation' is left out";
        equal(stderr.includes(note), !file.includes('-on-'), stderr);
        await expectRestored(target);
        await expectAccess(target);
      } finally {
        await target.stop();
      }
    });
  }
});

describe('a server of 1.10', () => {
  let source: TestServer;
  before(async function () {
    if (OLD_BIN === undefined) this.skip();
    source = await startServer({ bin: OLD_BIN });
    await runLua(source, [oldLua(source) ?? '']);
  });
  after(() => source?.stop());

  it('is dumped by select, and nothing in it changes', async () => {
    const before = await source.eval('return box.info.lsn');
    const prints = await fingerprint(source);
    const target = await startTarget();
    try {
      await restore(target, await dump(source));
      deepEqual(await fingerprint(target), prints);
      await expectRestored(target);
    } finally {
      await target.stop();
    }
    equal(await source.eval('return box.info.lsn'), before);
  });

  it('is copied into a newer server', async () => {
    const target = await startTarget();
    try {
      const { code, stderr } = await tntar(['copy', source.uri, target.uri]);
      equal(code, 0, stderr);
      await expectRestored(target);
    } finally {
      await target.stop();
    }
  });

  it('refuses a dump from a snapshot', async () => {
    const { code, stderr } = await tntar(['dump', source.uri, '--source', 'snapshot']);
    equal(code, 2, stderr);
    match(stderr, /cannot send a snapshot over the network\nhint: use --source select/);
  });

  it('gives the values of its sequences only to users who may write them', async () => {
    await source.eval(`box.schema.user.create('reads', {password = '${PASSWORD}'})
      box.schema.user.grant('reads', 'read,execute', 'universe')`);
    const uri = source.uri.replace(USER, 'reads');
    const { code, stderr } = await tntar(['dump', uri]);
    equal(code, 5, stderr);
    match(stderr, /the values of sequences cannot be read: .*_sequence_data/);
    match(stderr, /hint: read as admin, from the master/);
  });

  it('is refused as a target before anything is written', async () => {
    const archive = await dump(source);
    const before = await source.eval('return box.info.lsn');
    const { code, stderr } = await tryRestore(source, archive);
    equal(code, 4, stderr);
    match(stderr, /runs Tarantool 1\.10\.\d+, which is too old to restore into/);
    match(stderr, /hint: restore into 2\.6 or newer; nothing was written/);
    equal(await source.eval('return box.info.lsn'), before);
  });

  it('gives the same next numbers as if it had not been read', async () => {
    deepEqual(await source.eval(NEXT), EXPECTED_NEXT);
  });
});
