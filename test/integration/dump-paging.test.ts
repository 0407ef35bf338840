import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { eachTuple } from '../../lib/backup/batch.js';
import type { Connection } from '../../lib/iproto/connection.js';
import { readCatalog } from '../../lib/server/catalog.js';
import { readSpace } from '../../lib/server/pages.js';
import { selectSource } from '../../lib/sources/select.js';
import { type Fingerprint, fingerprint, type SpacePrint } from '../support/fingerprint.js';
import { raw } from '../support/hostile-data.js';
import { startServer, type TestServer } from '../support/server.js';
import {
  connect,
  dump,
  isAtLeast,
  list,
  needs,
  putRaw,
  roundTrip,
  SOURCES,
} from './fidelity/roundtrip.js';

/** A space with a kind of primary key, of several pages where so many rows are possible. */
interface Case {
  title: string;
  /** Parts of the primary key, as Lua. */
  parts: string;
  /** Lua: the tuple number `i`, or `nil` for none. */
  tuple: string;
  /** More options of the primary index, as Lua. */
  index?: string;
  /** Options of the space, as Lua. */
  space?: string;
  /** Feature and release that it takes. */
  needs?: [feature: string, since: string];
}

/** More than the first two pages take: 256 rows, and 1024. */
const ROWS = 1500;

const CASES: readonly Case[] = [
  {
    title: 'of several parts',
    parts: `{{1, 'unsigned'}, {2, 'string'}, {3, 'integer'}}`,
    tuple: `{i % 3, 'k' .. i % 7, -i, 'value'}`,
  },
  {
    title: 'whose parts are in another order than the fields, and apart',
    parts: `{{5, 'unsigned'}, {2, 'string'}}`,
    tuple: `{'x', 'k' .. i, i, {}, i % 5, 'last'}`,
  },
  { title: 'integer', parts: `{{1, 'integer'}}`, tuple: `{i % 2 == 0 and i or -i}` },
  {
    title: 'unsigned up to 2^64 - 1',
    parts: `{{1, 'unsigned'}}`,
    tuple: `{0ULL - 1 - i * 1000003ULL}`,
  },
  {
    title: 'string of any bytes',
    parts: `{{1, 'string'}}`,
    tuple: `{digest.sha1(tostring(i)):sub(1, i % 20)  .. '\\0\\255' .. i}`,
  },
  {
    title: 'string with long values',
    parts: `{{1, 'string'}}`,
    tuple: `i <= 40 and {('x'):rep(100000) .. i} or nil`,
  },
  {
    title: 'string with a collation',
    parts: `{{1, 'string', collation = 'unicode'}}`,
    tuple: `{({'ä', 'A', 'a', 'ß', 'Ж', 'é'})[i % 6 + 1] .. i}`,
  },
  {
    title: 'string with a collation that ignores case',
    parts: `{{2, 'string', collation = 'unicode_ci'}, {1, 'unsigned'}}`,
    tuple: `{i, i % 2 == 0 and 'SAME' or 'same'}`,
  },
  {
    title: 'varbinary',
    parts: `{{1, 'varbinary'}}`,
    tuple: `binary(digest.sha1(tostring(i)):sub(1, 4) .. i)`,
  },
  {
    title: 'scalar with bytes, strings, numbers and booleans',
    parts: `{{1, 'scalar'}}`,
    tuple: `i == 1 and {true} or i == 2 and {false} or i % 3 == 0 and binary('b' .. i)
      or i % 3 == 1 and {'b' .. i} or {i + 0.5}`,
  },
  {
    title: 'scalar with bytes only, one a prefix of the next',
    parts: `{{1, 'scalar'}}`,
    tuple: `i <= 600 and binary(('b'):rep(i)) or nil`,
  },
  {
    title: 'double',
    parts: `{{1, 'double'}}`,
    tuple: `{ffi.new('double', (i - 700) / 4)}`,
  },
  {
    title: 'double with infinities and the smallest',
    parts: `{{1, 'double'}}`,
    tuple: `{ffi.new('double', ({1 / 0, -1 / 0, 5e-324, 1.7e308})[i] or i)}`,
  },
  {
    title: 'number, mixed',
    parts: `{{1, 'number'}}`,
    tuple: `{({i, i + 0.5, -i, ffi.new('float', i + 0.25), 2ULL ^ 63 + i, decimal.new(i) / 8 + 100000})
      [i % 6 + 1]}`,
  },
  {
    title: 'double with NaN in the last part',
    parts: `{{1, 'unsigned'}, {2, 'double'}}`,
    tuple: `{i, 0 / 0}`,
  },
  { title: 'boolean', parts: `{{1, 'boolean'}}`, tuple: `i <= 2 and {i == 1} or nil` },
  { title: 'uuid', parts: `{{1, 'uuid'}}`, tuple: `{uuid.new()}` },
  { title: 'decimal', parts: `{{1, 'decimal'}}`, tuple: `{decimal.new(i - 700) / 16}` },
  {
    title: 'datetime',
    parts: `{{1, 'datetime'}}`,
    tuple: `{require('datetime').new({timestamp = i - 700, nsec = i})}`,
    needs: ['datetime', '2.10'],
  },
  {
    title: 'in descending order',
    parts: `{{1, 'unsigned', sort_order = 'desc'}, {2, 'string', sort_order = 'asc'}}`,
    tuple: `{math.floor(i / 2), 'k' .. i}`,
    needs: ['sort_order', '3.2'],
  },
  {
    title: 'behind a JSON path',
    parts: `{{'[2].address["zip code"]', 'unsigned'}}`,
    tuple: `{'x', {name = 'n' .. i, address = {street = 's', ['zip code'] = i}}}`,
  },
  {
    title: 'behind a JSON path that starts with a field name',
    parts: `{{'data.id', 'string'}, {'no', 'unsigned'}}`,
    space: `{format = {{'no', 'unsigned'}, {'data', 'map'}}}`,
    tuple: `{i, {id = 'k' .. i % 3, other = {id = 7}}}`,
  },
  {
    title: 'behind JSON paths into arrays',
    parts: `{{'[3][2].id', 'unsigned'}, {'[3][1]', 'string'}}`,
    tuple: `{1, 2, {'k' .. i, {id = math.floor(i / 2)}, 'tail'}}`,
  },
  {
    title: 'behind a JSON path in letters beyond ASCII',
    parts: `{{'[1].größe.Ключ', 'unsigned'}}`,
    tuple: `{{['größe'] = {['Ключ'] = i, ['клю'] = 1}}}`,
  },
  {
    title: 'hash of unsigned',
    parts: `{{1, 'unsigned'}}`,
    index: `type = 'hash'`,
    tuple: `{i}`,
  },
  {
    title: 'hash of several parts',
    parts: `{{2, 'string'}, {1, 'unsigned'}}`,
    index: `type = 'hash'`,
    tuple: `{i, 'k' .. i}`,
  },
  {
    title: 'hash of a string behind a JSON path',
    parts: `{{'[1].id', 'string'}}`,
    index: `type = 'hash'`,
    tuple: `{{id = 'k' .. i}}`,
  },
  {
    title: 'of vinyl',
    space: `{engine = 'vinyl'}`,
    parts: `{{1, 'unsigned'}, {2, 'string'}}`,
    tuple: `{i % 10, 'k' .. i, ('x'):rep(i % 100)}`,
  },
  {
    title: 'of vinyl behind a JSON path',
    space: `{engine = 'vinyl'}`,
    parts: `{{'[2].id', 'unsigned'}}`,
    tuple: `{'x', {id = i}}`,
  },
  {
    title: 'of vinyl with a collation and bytes',
    space: `{engine = 'vinyl'}`,
    parts: `{{1, 'string', collation = 'unicode_ci'}}`,
    tuple: `{'É' .. i}`,
  },
];

const SETUP = `
local title, parts, index_options, space_options, tuple, rows = ...
local function value(code, ...)
    return assert(load('local i, binary, digest, decimal, ffi, uuid = ... return ' .. code))(...)
end
local digest, decimal, ffi, uuid =
    require('digest'), require('decimal'), require('ffi'), require('uuid')

-- Lua cannot make MessagePack's bin before 3.0, so SQL does
local function binary(bytes)
    local hex = bytes:gsub('.', function(char) return ('%02x'):format(char:byte()) end)
    return box.execute(("SELECT x'%s'"):format(hex)).rows[1]
end

local space = box.schema.space.create(title, value(space_options))
local options = value('{' .. index_options .. '}')
options.parts = value(parts)
space:create_index('primary', options)
box.begin()
for i = 1, rows do
    local row = value(tuple, i, binary, digest, decimal, ffi, uuid)
    if row ~= nil then
        space:replace(row)
    end
end
box.commit()
`;

/** What {@link fingerprint} says of a space, computed from what was read of it. */
function printOf(tuples: readonly Buffer[]): SpacePrint {
  const digests = tuples.map((tuple) => createHash('sha1').update(tuple).digest());
  digests.sort(Buffer.compare);
  const hash = createHash('sha1').update(Buffer.concat(digests)).digest('hex');
  return { rows: digests.length, hash };
}

/** All tuples of a space, read by pages. */
async function readAll(connection: Connection, name: string): Promise<Buffer[]> {
  const { spaces } = await readCatalog(connection);
  const tuples: Buffer[] = [];
  for await (const batch of readSpace(connection, spaces.find((space) => space.name === name)!)) {
    const own = [...eachTuple(batch.bytes)];
    equal(own.length, batch.count);
    tuples.push(...own);
  }
  return tuples;
}

describe('select reads a space by pages', () => {
  let server: TestServer;
  let connection: Connection;
  before(async () => {
    server = await startServer();
    connection = await connect(server);
  });
  after(async () => {
    connection.close();
    await server.stop();
  });

  describe('whose primary key is', () => {
    let prints: Fingerprint;
    before(async () => {
      for (const { title, parts, index = '', space = '{}', tuple, needs } of CASES) {
        if (needs && !isAtLeast(server, needs[1])) continue;
        await server.eval(SETUP, title, parts, index, space, tuple, ROWS);
      }
      prints = await fingerprint(server);
    });

    for (const { title, needs: needed } of CASES) {
      it(title, async function () {
        if (needed) needs(this, server, ...needed);
        deepEqual(printOf(await readAll(connection, title)), prints[title]);
      });
    }

    it('any of these, and a server takes every row of it', async () => {
      await roundTrip(server, ['--source', 'select']);
    });
  });

  describe('with rows', () => {
    it('whose keys are not in their shortest encoding', async () => {
      await server.eval(`
      for _, kind in ipairs({'tree', 'hash'}) do
          box.schema.space.create('long ' .. kind):create_index('primary',
              {type = kind, parts = {{2, 'unsigned'}, {1, 'string'}}})
      end
    `);
      const tuples = Array.from({ length: ROWS }, (_, i) =>
        raw.array32(raw.str32(`k${i}`), raw.uint32(i % 100), raw.array16()),
      );
      for (const name of ['long tree', 'long hash']) {
        await putRaw(server, name, tuples);
        deepEqual(printOf(await readAll(connection, name)), printOf(tuples));
      }
    });

    // The server indexes the last of several values under one key, and reading has to go on from it.
    it('whose maps have a key twice', async () => {
      await server.eval(`
      box.schema.space.create('twice'):create_index('primary', {parts = {{'[1].id', 'unsigned'}}})
      box.schema.space.create('nested twice'):create_index('primary', {parts = {{'[1].a.id', 'unsigned'}}})
    `);
      const id = raw.str('id');
      const flat = Array.from({ length: ROWS }, (_, i) =>
        raw.array32(raw.map(id, raw.uint16(i), id, raw.uint16(2000 - i))),
      );
      const a = raw.str('a');
      const nested = Array.from({ length: ROWS }, (_, i) =>
        raw.array32(
          raw.map(
            ...[a, raw.map(id, raw.uint16(i))],
            ...[a, raw.map(id, raw.uint16(3000), id, raw.uint16(2000 - i))],
            ...[a, raw.map(raw.str('x'), raw.uint16(i))],
          ),
        ),
      );
      await putRaw(server, 'twice', flat);
      await putRaw(server, 'nested twice', nested);
      deepEqual(printOf(await readAll(connection, 'twice')), printOf(flat));
      deepEqual(printOf(await readAll(connection, 'nested twice')), printOf(nested));
    });

    it('as many as pages hold, one fewer and one more', async () => {
      await server.eval(`box.schema.space.create('counted'):create_index('primary')`);
      // of small rows the pages take 256, 1024, 4096 and 8192
      const ends = [256, 1280, 5376, 13_568].flatMap((end) => [end - 1, end, end + 1]);
      for (const rows of [0, 1, 2, ...ends, 30_000]) {
        await server.eval(
          `local space, rows = box.space.counted, ...
        box.begin()
        for i = space:len() + 1, rows do space:insert({i}) end
        box.commit()`,
          rows,
        );
        const tuples = await readAll(connection, 'counted');
        equal(tuples.length, rows);
        equal(new Set(tuples.map((tuple) => tuple.toString('hex'))).size, rows);
      }
    });

    it('that suddenly grow from 10 bytes to 1 MB', async () => {
      await server.eval(`
      local space = box.schema.space.create('growing')
      space:create_index('primary')
      box.begin()
      for i = 1, 15000 do space:insert({i, 'small'}) end
      box.commit()
      for i = 15001, 15060 do space:insert({i, ('x'):rep(1000000)}) end
      space:insert({15061, 'small'})
    `);
      const [tuples, { growing }] = [
        await readAll(connection, 'growing'),
        await fingerprint(server),
      ];
      deepEqual(printOf(tuples), growing);
    });
  });

  describe('whose primary index is a hash, and which is written to meanwhile', () => {
    const ROWS_OF_HASH = 30_000;
    let written: TestServer;
    let reader: Connection;
    before(async () => {
      written = await startServer();
      reader = await connect(written);
    });
    after(async () => {
      reader.close();
      await written.stop();
    });

    /**
     * Fills the space anew, with more than a source reads ahead, and runs `lua` on the keys read so far
     * as soon as these are `enough`.
     */
    async function readWhile(enough: number, lua: string, isLocal = false): Promise<string[]> {
      await written.eval(`
        if box.space.hashed then box.space.hashed:drop() end
        local space = box.schema.space.create('hashed', {is_local = ${isLocal}})
        space:create_index('primary', {type = 'hash', parts = {{1, 'string'}}})
        box.begin()
        local padding = ('x'):rep(100)
        for i = 1, ${ROWS_OF_HASH} do space:insert({('%05d'):format(i), padding}) end
        box.commit()
      `);
      const read: string[] = [];
      let isWritten = false;
      for await (const item of selectSource(reader)) {
        if (item.kind !== 'tuples' || item.space.name !== 'hashed') continue;
        for (const tuple of eachTuple(item.bytes)) read.push(tuple.toString('latin1', 2, 7));
        if (read.length < enough || isWritten) continue;
        isWritten = true;
        await written.eval(`local space, read = box.space.hashed, ... ${lua}`, read);
      }
      return read;
    }

    it('fails if the last row that was read is deleted', async () => {
      const deleteAll = `
        box.begin()
        for i = 1, ${ROWS_OF_HASH} do space:delete({('%05d'):format(i)}) end
        box.commit()
      `;
      await rejects(readWhile(1, deleteAll), /space 'hashed'.*hash/);
    });

    /** Fails where a row is lost or occurs twice that was neither deleted nor inserted meanwhile. */
    async function expectAllOrFailure(lua: string, isLocal = false): Promise<void> {
      const read = await readWhile(5000, lua, isLocal).catch((error: Error) => error.message);
      if (typeof read === 'string') {
        match(read, /space 'hashed'.*hash/);
        return;
      }
      const times = new Map<string, number>();
      for (const key of read) times.set(key, (times.get(key) ?? 0) + 1);
      const keys = Array.from({ length: ROWS_OF_HASH }, (_, i) => String(i + 1).padStart(5, '0'));
      deepEqual(
        {
          lost: keys.filter((key) => !times.has(key)).length,
          readTwice: keys.filter((key) => (times.get(key) ?? 0) > 1).length,
        },
        { lost: 0, readTwice: 0 },
      );
    }

    // A deleted row is replaced in its slot by the next of its chain: from where reading has not been
    // to where it has been.
    it('fails or reads all other rows if rows are deleted after they were read', async () => {
      await expectAllOrFailure(`
        box.begin()
        for i = 1, 1000 do space:delete({read[i]}) end
        box.commit()
      `);
    });

    // A table that grows moves rows to its end, where reading meets them again.
    it('fails or reads each row only once if rows are inserted', async () => {
      await expectAllOrFailure(`
        box.begin()
        for i = 40001, 60000 do space:insert({tostring(i)}) end
        box.commit()
      `);
    });

    // Its writes move no component of the vclock that everybody is told.
    it('fails or reads each row only once if the space is local', async () => {
      await expectAllOrFailure(
        `box.begin()
        for i = 40001, 60000 do space:insert({tostring(i)}) end
        box.commit()`,
        true,
      );
    });

    describe('while only other spaces are written to', () => {
      before(() =>
        written.eval(`
          if box.space.hashed then box.space.hashed:drop() end
          local function create(name, rows, options)
              local space = box.schema.space.create(name, options)
              space:create_index('primary', {type = 'hash', parts = {{1, 'string'}}})
              for i = 1, rows do space:insert({tostring(i)}) end
          end
          create('one page', 100)
          create('local, one page', 100, {is_local = true})
          create('local', 5000, {is_local = true})
          box.schema.space.create('busy'):create_index('primary')
          local fiber = require('fiber')
          fiber.create(function()
              while true do
                  box.space.busy:replace({1, math.random()})
                  fiber.sleep(0)
              end
          end)
        `),
      );

      for (const source of SOURCES) {
        it(`is read by ${source} if it takes one page or is local`, async () => {
          const { spaces } = await list(await dump(written, '--source', source));
          deepEqual(
            spaces.map(({ name, rows }) => [name, rows]),
            [
              ['one page', 100],
              ['local, one page', 100],
              ['local', 5000],
              ['busy', 1],
            ],
          );
        });
      }
    });
  });
});
