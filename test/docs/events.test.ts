import { deepEqual, equal } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shell } from '../support/cli.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';
import { pageAt } from './pages.js';

type Event = Record<string, unknown>;

const PAGE = pageAt('docs/reference/json-events.md');
/** The keys of each kind of event, from the table of the page. */
const KEYS = new Map(
  [...PAGE.text.matchAll(/^\| `(\w+)` +\| (.*?) \|/gm)].map(([, event = '', cell = '']) => [
    event,
    [...cell.matchAll(/`(\w+)`/g)].map(([, key = '']) => key),
  ]),
);

describe(PAGE.path, () => {
  let source: TestServer;
  let target: TestServer;
  let folder: string;

  before(async () => {
    const lua = `box.schema.space.create('users'):create_index('primary')
      for i = 1, 100 do box.space.users:insert{i} end`;
    [source, target] = await Promise.all([startServer({ lua }), startServer()]);
    folder = mkdtempSync(join(tmpdir(), 'tntar-events-'));
  });
  after(async () => {
    await Promise.all([source.stop(), target.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  async function eventsOf(args: string, code: number): Promise<Event[]> {
    const line = `tntar ${args} --progress json > output`;
    const result = await shell(line, { cwd: folder, env: { TT_CLI_PASSWORD: PASSWORD } });
    equal(result.code, code, result.stderr);
    const lines = result.stderr.trimEnd().split('\n');
    return lines.map((each) => JSON.parse(each) as Event);
  }

  /** Compares the keys of the event with the table; the page names in words those that some commands add. */
  function checkKeys(events: readonly Event[], event: string, added: readonly string[] = []): void {
    const found = events.find((each) => each['event'] === event);
    deepEqual(
      Object.keys(found ?? {}).sort(),
      ['event', ...(KEYS.get(event) ?? []), ...added].sort(),
    );
    for (const key of added) equal(PAGE.text.includes(`\`${key}\``), true, key);
  }

  it('has the keys of the events of a dump', async () => {
    const events = await eventsOf(
      `dump ${USER}@${source.address} -o a.tar.zst --exclude-rows users`,
      0,
    );
    checkKeys(events, 'note');
    checkKeys(events, 'summary', ['source', 'consistent', 'rowsExcluded']);
  });

  it('has the keys of the events of a verification', async () => {
    checkKeys(await eventsOf('verify a.tar.zst', 0), 'summary');
  });

  it('has the keys of the events of a restore, and of its error', async () => {
    const restore = `restore ${USER}@${target.address} a.tar.zst`;
    checkKeys(await eventsOf(restore, 0), 'summary', ['definitions']);
    checkKeys(await eventsOf(restore, 4), 'error');
  });
});
