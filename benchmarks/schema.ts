import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startServer } from '../test/support/server.js';
import { measure, median, type Usage } from './measure.js';

/**
 * `npm run bench:schema -- [--spaces N] [--repeat N]`
 *
 * Measures the dump and the restore of a database of definitions alone, as whole processes, compared with the
 * time that the server itself takes to create the same objects in Lua. Each space has three indexes, a
 * row and two grants. There are as many users and roles as a server takes.
 */
const { values: options } = parseArgs({
  options: {
    spaces: { type: 'string', default: '2000' },
    repeat: { type: 'string', default: '3' },
  },
});
const spaces = Number(options.spaces);
const repeat = Number(options.repeat);
const TNTAR = 'bin/tntar.js';
/** An index takes its first pages when it is created. */
const MEMORY = { memtx_memory: 4 * 2 ** 30, checkpoint_interval: 0 };

/** A server has 32 users and roles at most, its own five included: `BOX_USER_MAX` of `schema_def.h`. */
const USERS = 27;

const DEFINITIONS = `
  local started = require('clock').monotonic()
  local users = {}
  for i = 1, ${USERS} do
    users[i] = 'user' .. i
    box.schema.user.create(users[i], {password = users[i]})
  end
  for i = 1, ${spaces} do
    local name = 'space' .. i
    local space = box.schema.space.create(name, {format = {{'id', 'unsigned'}, {'name', 'string'},
        {name = 'at', type = 'unsigned', is_nullable = true}}})
    space:create_index('primary')
    space:create_index('by_name', {parts = {2}})
    space:create_index('by_time', {parts = {{3, 'unsigned', is_nullable = true}}, unique = false})
    space:insert({1, name})
    box.schema.user.grant(users[i % ${USERS} + 1], 'read', 'space', name)
    box.schema.user.grant(users[(i + 1) % ${USERS} + 1], 'read,write', 'space', name)
  end
  local seconds = require('clock').monotonic() - started
  box.schema.user.grant('guest', 'super')
  return seconds`;

const folder = mkdtempSync(join(tmpdir(), 'tntar-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const archive = join(folder, 'schema.tar.zst');

const source = await startServer({ cfg: MEMORY });
const made = await source.eval<number>(DEFINITIONS);
const runs = new Map<string, Usage[]>();
function record(what: string, usage: Usage): void {
  runs.set(what, [...(runs.get(what) ?? []), usage]);
}
for (let turn = 0; turn < repeat; turn++) {
  for (const kind of ['snapshot', 'select']) {
    const args = ['dump', '-q', source.address, '--source', kind];
    record(`dump by ${kind}`, await measure({ script: TNTAR, args, stdout: archive }));
  }
  const target = await startServer({ lua: "box.schema.user.grant('guest', 'super')", cfg: MEMORY });
  const dryRun = ['restore', '-q', target.address, '--dry-run'];
  record('restore --dry-run', await measure({ script: TNTAR, args: dryRun, stdin: archive }));
  const args = ['restore', '-q', target.address];
  record('restore', await measure({ script: TNTAR, args, stdin: archive }));
  await target.stop();
}
await source.stop();

const lines = [
  `Tarantool ${source.version}, Node ${process.version}, ${spaces} spaces, ${3 * spaces} indexes, ` +
    `${USERS} users, ${2 * spaces} grants, middle of ${repeat} runs`,
  '',
  '| what | seconds | CPU seconds | peak MiB | ratio |',
  '| --- | ---: | ---: | ---: | --- |',
  `| created by Lua in the server | ${made.toFixed(2)} | - | - | |`,
  ...[...runs].map(([what, all]) => {
    const { seconds, cpuSeconds, peakMiB } = median(all);
    const cells = [seconds.toFixed(2), cpuSeconds.toFixed(2), peakMiB.toFixed(0)];
    return `| ${what} | ${cells.join(' | ')} | ${(seconds / made).toFixed(2)} of creating it |`;
  }),
  '',
  `archive: ${(statSync(archive).size / 1e6).toFixed(1)} MB`,
];
process.stdout.write(`${lines.join('\n')}\n`);
