import { deepEqual, equal, match } from 'node:assert/strict';
import { tntar } from '../support/cli.js';
import { HOSTILE } from '../support/hostile-data.js';
import { startServer, type TestServer } from '../support/server.js';
import { isAtLeast, mayHang, putRaw, roundTrip, SOURCES } from './fidelity/roundtrip.js';

const SPACES = ['memtx', 'vinyl'];

/** The tuples of a space as the server holds them, in hexadecimal. */
const ROWS_IN_HEX = `
local ffi = require('ffi')
local rows = setmetatable({}, {__serialize = 'seq'})
for _, tuple in box.space[...]:pairs() do
    local size = tonumber(ffi.C.box_tuple_bsize(tuple))
    local buffer = ffi.new('char[?]', size)
    ffi.C.box_tuple_to_buf(tuple, buffer, size)
    table.insert(rows, (ffi.string(buffer, size):gsub('.', function(char)
        return ('%02x'):format(char:byte())
    end)))
end
return rows
`;

describe('dump and restore keep every byte', () => {
  describe('of tuples that a decoder would change', () => {
    let server: TestServer;
    let expected: Record<string, string>;

    before(async () => {
      server = await startServer({
        lua: `
          box.schema.space.create('memtx'):create_index('primary')
          box.schema.space.create('vinyl', {engine = 'vinyl'}):create_index('primary')
        `,
      });
      const tuples = HOSTILE.filter(({ since = '0' }) => isAtLeast(server, since)).map(
        ({ name, tuple }, id) => ({ name, bytes: tuple(id) }),
      );
      for (const space of SPACES) {
        await putRaw(
          server,
          space,
          tuples.map(({ bytes }) => bytes),
        );
      }
      // half of the vinyl space is read from its files, and half from memory
      await server.eval('box.snapshot()');
      const half = tuples.filter((_, i) => i % 2 === 0).map(({ bytes }) => bytes);
      await putRaw(server, 'vinyl', half);
      expected = Object.fromEntries(tuples.map(({ name, bytes }) => [name, bytes.toString('hex')]));
    });
    after(() => server.stop());

    /** By the names of the tuples, so that a difference says which it is. */
    async function rowsOf(from: TestServer, space: string): Promise<Record<string, string>> {
      const rows = await from.eval<string[]>(ROWS_IN_HEX, space);
      equal(rows.length, Object.keys(expected).length);
      return Object.fromEntries(Object.keys(expected).map((name, i) => [name, rows[i]!]));
    }

    it('as the source server stored them', async () => {
      for (const space of SPACES) deepEqual(await rowsOf(server, space), expected);
    });

    for (const source of SOURCES) {
      it(`read by ${source}`, async () => {
        await roundTrip(server, ['--source', source], async (target) => {
          for (const space of SPACES) deepEqual(await rowsOf(target, space), expected);
        });
      });
    }
  });

  describe('of a tuple of 20 MB', () => {
    const cfg = { memtx_max_tuple_size: 32 * 1024 * 1024 };
    let server: TestServer;
    before(async () => {
      server = await startServer({
        cfg,
        lua: `
          local space = box.schema.space.create('large')
          space:create_index('primary')
          space:insert({1, 'small'})
          space:insert({2, ('twenty'):rep(20e6 / 6)})
          space:insert({3, 'small'})
        `,
      });
    });
    after(() => server.stop());

    for (const source of SOURCES) {
      it(`read by ${source}`, async function () {
        if (source === 'snapshot' && mayHang(server)) this.skip();
        await roundTrip(server, ['--source', source], undefined, { cfg });
      });
    }
  });

  describe('but not of a tuple of 140 MB, which is too large for an archive,', () => {
    let server: TestServer;
    before(async () => {
      server = await startServer({
        cfg: { memtx_max_tuple_size: 160 * 1024 * 1024, memtx_memory: 512 * 1024 * 1024 },
        lua: `
          local space = box.schema.space.create('larger')
          space:create_index('primary')
          for i = 1, 3000 do space:insert({i, ('small'):rep(200)}) end
          space:insert({3001, ('fifteen'):rep(140e6 / 7)})
        `,
      });
    });
    after(() => server.stop());

    for (const source of SOURCES) {
      it(`read by ${source}, and the error names the tuple`, async function () {
        if (source === 'snapshot' && mayHang(server)) this.skip();
        const { code, stdout, stderr } = await tntar([
          'dump',
          '-q',
          server.uri,
          '--source',
          source,
        ]);
        equal(code, 1, stderr);
        match(stderr, /^tntar: .*over (the limit of )?\d+.*\nhint: .*archive.*\n$/);
        match(stderr, /^tntar: .*space 'larger'/);
        equal((await tntar(['verify'], { input: stdout })).code, 3);
      });
    }
  });

  describe('of spaces whose id or name is unusual', () => {
    const NAMES = [
      `with 'both' "quotes"`,
      'with/a/slash and ../dots',
      'C:\\back\\slash',
      ' spaces around ',
      'Ünïcödé и кириллица 表 🚀',
      '-rf',
      '[brackets] %s %n {braces}',
      'SELECT',
      'a'.repeat(255),
    ];
    let server: TestServer;
    before(async () => {
      server = await startServer();
      await server.eval(
        `local names = ...
        for i, name in ipairs(names) do
            local space = box.schema.space.create(name, {format = {{name, 'unsigned'}}})
            space:create_index(name, {parts = {name}})
            space:create_index('second ' .. name:sub(1, 200), {parts = {name}})
            space:insert({i, name})
        end
        for _, id in ipairs({70000, 1000000000}) do
            local space = box.schema.space.create('space ' .. id, {id = id})
            space:create_index('primary')
            space:insert({id})
        end`,
        NAMES,
      );
    });
    after(() => server.stop());

    for (const source of SOURCES) {
      it(`read by ${source}`, () => roundTrip(server, ['--source', source]));
    }
  });
});
