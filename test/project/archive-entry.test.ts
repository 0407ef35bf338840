import { deepEqual, equal, ok } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { ROOT } from '../docs/pages.js';
import { fixturePath } from '../fixtures/folder.js';

/** Prints what is imported, and what is required, by a program that lists an archive. */
const PROGRAM = `
  import { createRequire, register } from 'node:module';
  const hooks = \`
    import { writeSync } from 'node:fs';
    export async function resolve(specifier, context, next) {
      const resolved = await next(specifier, context);
      writeSync(1, resolved.url + String.fromCharCode(10));
      return resolved;
    }\`;
  register('data:text/javascript,' + encodeURIComponent(hooks));
  const { decodeTuple, list } = await import(process.argv[1]);
  const { spaces } = await list(process.argv[2]);
  for (const file of Object.keys(createRequire(import.meta.url).cache)) console.log(file);
  console.log('spaces', spaces.length, typeof decodeTuple);
`;

function loadedBy(entry: string): string[] {
  const args = ['--input-type=module', '-e', PROGRAM, entry, fixturePath('2.6.0-plain.tar.zst')];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
  });
  equal(status, 0, stderr);
  ok(/^spaces [1-9]\d* function$/m.test(stdout), stdout);
  const names = [...stdout.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)/g)].map(
    ([, name]) => name!,
  );
  return [...new Set(names)].sort();
}

describe('tntar/archive', () => {
  it('lists an archive, and loads nothing for servers, expressions or decimals', () => {
    deepEqual(loadedBy('tntar/archive'), ['stream-chain', 'zstd-napi']);
  });

  it('is told apart from tntar, which does load the driver', () => {
    ok(loadedBy('tntar').includes('tarantool-driver'));
  });
});
