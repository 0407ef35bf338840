import { doesNotMatch, equal, match } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Result } from '../support/cli.js';
import type { TestServer } from '../support/server.js';

/**
 * Asserts that a run failed as the help promises: with this exit code, with nothing on stdout, and
 * with one line that says what happened, and one with a hint at most. Such a run needs `--quiet`
 * where notes could come before.
 */
export function failsWith(result: Result, code: number, message: RegExp): void {
  const { stdout, stderr } = result;
  equal(result.code, code, `exit code ${result.code} (${result.signal}): ${stderr}`);
  equal(String(stdout), '');
  match(stderr, /^tntar: [^\n]+\n(hint: [^\n]+\n)?$/);
  match(stderr, message);
  hasNoTrace(stderr);
}

/** Asserts that nothing looks like an error that nobody caught. */
export function hasNoTrace(stderr: string): void {
  doesNotMatch(stderr, /^ +at |node:internal|Unhandled|Node\.js v|Detected unsettled/m);
}

/** What an archive holds, decompressed by Debian's zstd, as far as it goes. */
export function decompressed(archive: Buffer): Buffer {
  const maxBuffer = 1024 * 1024 * 1024;
  return spawnSync('zstd', ['-dcq'], { input: archive, maxBuffer }).stdout;
}

/** Asserts that the server soon has no connection left. */
export async function isReleased(server: TestServer): Promise<void> {
  const CONNECTIONS = 'return box.stat.net().CONNECTIONS.current';
  const deadline = performance.now() + 3000;
  let open = await server.eval<number>(CONNECTIONS);
  while (open > 0 && performance.now() < deadline) {
    await sleep(20);
    open = await server.eval<number>(CONNECTIONS);
  }
  equal(open, 0, 'the server still has connections');
}
