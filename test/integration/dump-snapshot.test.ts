import { deepEqual, equal, match, notDeepEqual, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { tntar } from '../support/cli.js';
import { fingerprint } from '../support/fingerprint.js';
import { startServer, type TestServer } from '../support/server.js';
import {
  BULK,
  dump,
  expectSame,
  isAtLeast,
  list,
  parkDump,
  restore,
  roundTrip,
  SOURCES,
  withTarget,
} from './fidelity/roundtrip.js';

describe('a dump from a snapshot', () => {
  describe('while transactions change pairs of rows in two spaces', () => {
    const ROWS = 10_000;
    let server: TestServer;
    before(async () => {
      server = await startServer({
        lua: `
          local fiber = require('fiber')
          for _, engine in ipairs({'memtx', 'vinyl'}) do
              for _, side in ipairs({'left', 'right'}) do
                  box.schema.space.create(engine .. '_' .. side, {engine = engine}):create_index('primary')
              end
              local left, right = box.space[engine .. '_left'], box.space[engine .. '_right']
              for first = 1, ${ROWS}, 1000 do
                  box.begin()
                  for key = first, first + 999 do
                      left:insert({key, 500})
                      right:insert({key, 500})
                  end
                  box.commit()
              end
              -- what leaves one side arrives at the other
              fiber.create(function()
                  while true do
                      local key, amount = math.random(${ROWS}), math.random(-50, 50)
                      box.begin()
                      left:update({key}, {{'-', 2, amount}})
                      right:update({key}, {{'+', 2, amount}})
                      box.commit()
                      fiber.sleep(0)
                  end
              end)
          end
        `,
      });
    });
    after(() => server.stop());

    for (const round of ['first', 'second', 'third']) {
      it(`is from one moment, the ${round} time`, async () => {
        const position = 'return tostring(box.info.vclock[1])';
        const from = await server.eval(position);
        const archive = await dump(server, '--source', 'snapshot');
        notDeepEqual(await server.eval(position), from);
        ok((await list(archive)).consistent);
        await withTarget(async (target) => {
          await restore(target, archive);
          for (const engine of ['memtx', 'vinyl']) {
            const pairs = await target.eval(
              `local engine = ...
              local rows, wrong, moved = 0, 0, 0
              for _, left in box.space[engine .. '_left']:pairs() do
                  local right = box.space[engine .. '_right']:get({left[1]})
                  rows = rows + 1
                  wrong = wrong + (left[2] + right[2] == 1000 and 0 or 1)
                  moved = moved + (left[2] == 500 and 0 or 1)
              end
              return {rows = rows, wrong = wrong, is_moved = moved > 0}`,
              engine,
            );
            deepEqual(pairs, { rows: ROWS, wrong: 0, is_moved: true });
          }
        });
      });
    }
  });

  it('has no rows of open transactions', async () => {
    const server = await startServer();
    try {
      // of memtx, only one with this option can be open while others read
      const engines = ['vinyl'];
      if (isAtLeast(server, '2.10')) {
        await server.restart({ memtx_use_mvcc_engine: true });
        engines.push('memtx');
      }
      await server.eval(
        `for _, engine in ipairs(...) do
            local space = box.schema.space.create(engine, {engine = engine})
            space:create_index('primary')
            for i = 1, 3000 do space:insert({i, 'committed'}) end
        end`,
        engines,
      );
      const before = await fingerprint(server);
      await server.eval(
        `local fiber = require('fiber')
        for _, engine in ipairs(...) do
            fiber.create(function()
                local space = box.space[engine]
                box.begin()
                for i = 1, 3000, 2 do space:replace({i, 'not committed'}) end
                for i = 2, 3000, 2 do space:delete({i}) end
                for i = 3001, 3500 do space:insert({i, 'not committed'}) end
                fiber.sleep(3600)
            end)
        end`,
        engines,
      );
      for (const source of SOURCES) {
        const archive = await dump(server, '--source', source);
        await withTarget(async (target) => {
          await restore(target, archive);
          deepEqual(await fingerprint(target), before);
        });
      }
    } finally {
      await server.stop();
    }
  });

  describe('while spaces are created, dropped, truncated and altered', () => {
    let server: TestServer;
    before(async () => {
      server = await startServer({
        lua: `
          ${BULK}
          for _, engine in ipairs({'memtx', 'vinyl'}) do
              for _, name in ipairs({'dropped', 'truncated', 'altered', 'emptied', 'renamed'}) do
                  local space = box.schema.space.create(engine .. ' ' .. name, {engine = engine})
                  space:create_index('primary')
                  for i = 1, 1000 do space:insert({i, engine .. i}) end
              end
          end
        `,
      });
    });
    after(() => server.stop());

    it('has the state in which it began', () =>
      withTarget(async (target) => {
        const options = { system: target.version === server.version };
        const before = await fingerprint(server, options);
        const dumping = await parkDump(server, '--source', 'snapshot');
        await server.eval(`
        for _, engine in ipairs({'memtx', 'vinyl'}) do
            box.space[engine .. ' dropped']:drop()
            box.space[engine .. ' truncated']:truncate()
            box.space[engine .. ' altered']:create_index('second', {parts = {{2, 'string'}}})
            box.space[engine .. ' renamed']:rename(engine .. ' other')
            for i = 1, 1000 do box.space[engine .. ' emptied']:delete({i}) end
            box.schema.space.create(engine .. ' created', {engine = engine}):create_index('primary')
            box.space[engine .. ' created']:insert({1})
        end
        box.schema.user.create('created')
        box.space.bulk:truncate()
      `);
        const { code, stdout, stderr } = await dumping.finish();
        equal(code, 0, stderr);
        await restore(target, stdout);
        deepEqual(await fingerprint(target, options), before);
      }));
  });

  describe('of a database with local and temporary spaces', () => {
    let server: TestServer;
    before(async () => {
      server = await startServer({
        lua: `
          local function fill(name, options)
              box.schema.space.create(name, options):create_index('primary')
              for i = 1, 1000 do box.space[name]:insert({i, name}) end
          end
          fill('plain')
          fill('local', {is_local = true})
          fill('local disk', {is_local = true, engine = 'vinyl'})
          fill('temporary', {temporary = true})
          box.schema.space.create('bare')
        `,
      });
    });
    after(() => server.stop());

    const EXPECTED = {
      snapshot: {
        plain: ['snapshot', 1000],
        local: ['select', 1000],
        'local disk': ['select', 1000],
        temporary: ['none', 0],
        bare: ['none', 0],
      },
      select: {
        plain: ['select', 1000],
        local: ['select', 1000],
        'local disk': ['select', 1000],
        temporary: ['none', 0],
        bare: ['none', 0],
      },
    };

    for (const source of SOURCES) {
      it(`says how the rows of each space were read, by ${source}`, async () => {
        const { spaces, omitted } = await list(await dump(server, '--source', source));
        const read = spaces.map(({ name, rowsFrom, rows }) => [name, [rowsFrom, rows]]);
        deepEqual(Object.fromEntries(read), EXPECTED[source]);
        deepEqual(
          omitted.map(({ what }) => what),
          ["rows of 'temporary'"],
        );
      });

      it(`has all definitions, and all rows except those of the temporary space, by ${source}`, async () => {
        const archive = await dump(server, '--source', source);
        await withTarget(async (target) => {
          await restore(target, archive);
          equal(await target.eval('return box.space.temporary:len()'), 0);
          await target.eval(`for i = 1, 1000 do box.space.temporary:insert({i, 'temporary'}) end`);
          await expectSame(server, target);
        });
      });
    }
  });

  it('fails if a local space is dropped before its rows are read', async () => {
    const server = await startServer({
      lua: `${BULK}
        box.schema.space.create('local', {is_local = true}):create_index('primary')
        box.space['local']:insert({1})`,
    });
    try {
      const dumping = await parkDump(server, '--source', 'snapshot');
      await server.eval(`box.space['local']:drop()`);
      const { code, stdout, stderr } = await dumping.finish();
      equal(code, 1);
      match(stderr, /local/);
      equal((await tntar(['verify'], { input: stdout })).code, 3);
    } finally {
      await server.stop();
    }
  });

  it('takes no more memory while nobody reads its output, and is complete in the end', async () => {
    const MEGABYTES = 100;
    const server = await startServer({
      lua: `
        local digest = require('digest')
        local space = box.schema.space.create('large')
        space:create_index('primary')
        for first = 1, ${MEGABYTES * 1000}, 1000 do
            box.begin()
            for i = first, first + 999 do space:insert({i, digest.urandom(1000)}) end
            box.commit()
        end
      `,
    });
    try {
      const dumping = await parkDump(server, '--source', 'snapshot');
      const head: Buffer[] = [];
      for (let i = 0; i < 60; i++) {
        const chunk = dumping.stdout.read(16 * 1024) as Buffer | null;
        if (chunk !== null) head.push(chunk);
        await setTimeout(50);
      }
      const slow = peakMemory(dumping.pid);
      const finishing = dumping.finish();
      let peak = slow;
      const timer = setInterval(() => {
        peak = Math.max(peak, peakMemory(dumping.pid));
      }, 20);
      const { code, stdout, stderr } = await finishing;
      clearInterval(timer);
      equal(code, 0, stderr);
      const { rows, spaces } = await list(Buffer.concat([...head, stdout]));
      equal(rows, MEGABYTES * 1000);
      equal(spaces[0]?.bytes, await server.eval('return tonumber(box.space.large:bsize())'));
      ok(slow < 160 && peak < 192, `${slow} MiB while the reader was slow, ${peak} MiB in all`);
    } finally {
      await server.stop();
    }
  });

  it('is made from a read-only replica', async () => {
    const master = await startServer({
      lua: `
        box.schema.user.grant('guest', 'replication')
        box.schema.space.create('copied'):create_index('primary', {sequence = true})
        for i = 1, 1000 do box.space.copied:insert({box.NULL, 'row ' .. i}) end
      `,
    });
    const replica = await startServer({
      cfg: { replication: master.address, read_only: true },
    });
    try {
      for (const source of SOURCES) {
        await roundTrip(replica, ['--source', source]);
      }
    } finally {
      await Promise.all([master.stop(), replica.stop()]);
    }
  });
});

/** The most memory that a process ever had resident, in MiB; 0 where it is gone. */
function peakMemory(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
