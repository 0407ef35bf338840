import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shell } from '../support/cli.js';
import { ROOT } from './pages.js';

const FOLDER = join(ROOT, '.typedoc');
const PROGRAM = join(FOLDER, 'node_modules/typedoc/bin/typedoc');

describe('the generator of the API reference', () => {
  it('is locked with a hash for every package, and names no registry', () => {
    const lock = JSON.parse(readFileSync(join(FOLDER, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { integrity?: string; resolved?: string }>;
    };
    const entries = Object.entries(lock.packages).filter(([path]) => path !== '');
    ok(entries.some(([path]) => path === 'node_modules/typedoc'));
    deepEqual(
      entries.filter(
        ([, { integrity, resolved }]) => !integrity?.startsWith('sha512-') || resolved,
      ),
      [],
    );
  });

  // `npm run docs` installs it; the suite does not
  (existsSync(PROGRAM) ? it : it.skip)(
    'writes a page for each export, and fails for none',
    async () => {
      const out = mkdtempSync(join(tmpdir(), 'tntar-api-'));
      try {
        const line = `node '${PROGRAM}' --options '${FOLDER}/typedoc.json' --out '${out}'`;
        const { code, stdout, stderr } = await shell(line, { timeoutMs: 60_000 });
        equal(code, 0, `${stdout}${stderr}`);
        match(readFileSync(join(out, 'functions/dump.html'), 'utf8'), /DumpOptions/);
      } finally {
        rmSync(out, { recursive: true, force: true });
      }
    },
  );
});
