import { constants } from 'node:os';
import { shell } from '../support/cli.js';
import { type Fingerprint, fingerprint } from '../support/fingerprint.js';
import { PASSWORD, startServer, USER } from '../support/server.js';
import { SHOP } from './dataset.js';

// what was started and made goes with the process
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}

say('Starting two Tarantool servers: one with a small online shop in it, one empty.');
const [source, target] = await Promise.all([startServer({ lua: SHOP }), startServer()]);
say(
  `The shop is a Tarantool ${source.version} at ${source.address}, and ${target.address} is empty.`,
);
say(`The password comes from the variable TT_CLI_PASSWORD.`);

const from = `${USER}@${source.address}`;
const to = `${USER}@${target.address}`;
say('\nA copy of the live server, through a pipe:');
await run(`tntar dump ${from} | tntar restore ${to}`);
say('\nOr a backup in a file, and what it holds:');
await run(`tntar dump ${from} > shop.tar.zst`);
await run('tntar list < shop.tar.zst');

say('\nWhat the servers say, each hashing the raw bytes of its own tuples:\n');
const prints = await Promise.all(
  [source, target].map((server) => fingerprint(server, { system: true })),
);
const isEqual = compare(prints[0] ?? {}, prints[1] ?? {});
say(isEqual ? '\nThe copy is equal.' : '\nThe copy is NOT equal.');
await Promise.all([source.stop(), target.stop()]);
process.exitCode = isEqual ? 0 : 1;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Shows a command line and what it prints; ends the demo if it fails. */
async function run(command: string): Promise<void> {
  say(`\n  $ ${command}`);
  const env = { TT_CLI_PASSWORD: PASSWORD };
  const { code, stdout, stderr } = await shell(command, { env, cwd: source.dir });
  const lines = `${stderr}${stdout}`.trimEnd().split('\n');
  say(lines.map((line) => `  ${line}`).join('\n'));
  if (code !== 0) {
    say(`\nThat failed with exit code ${code}.`);
    process.exit(1);
  }
}

/** Prints both sides of every space, and tells whether all are equal. */
function compare(source: Fingerprint, target: Fingerprint): boolean {
  const names = Object.keys({ ...source, ...target }).sort();
  const rows = names.map((name) => {
    const [one, other] = [source[name], target[name]];
    const isSame = one?.hash === other?.hash && one?.rows === other?.rows;
    const counts = [one, other].map((print) => String(print?.rows ?? 'none'));
    const hashes = [one, other].map((print) => print?.hash.slice(0, 12) ?? '-');
    return [name, ...counts, ...hashes, isSame ? 'equal' : 'DIFFERS'];
  });
  const head = ['space', 'rows', 'copied', 'hash', 'of the copy', ''];
  for (const row of [head, ...rows]) {
    const [name = '', ...cells] = row;
    const [count = '', copied = '', ...rest] = cells;
    const texts = rest.map((text) => text.padEnd(12)).join('  ');
    say(`  ${name.padEnd(16)}${count.padStart(8)}${copied.padStart(8)}  ${texts}`.trimEnd());
  }
  return rows.every((row) => row.at(-1) === 'equal');
}
