import { deepEqual, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const SETUP = new URL('../../../.ci/setup', import.meta.url);
const LOCK = new URL('../../../package-lock.json', import.meta.url);

describe('package-lock.json', () => {
  const { packages } = JSON.parse(readFileSync(LOCK, 'utf8')) as {
    packages: Record<
      string,
      { integrity?: string; resolved?: string; hasInstallScript?: boolean; optional?: boolean }
    >;
  };
  const entries = Object.entries(packages).filter(([path]) => path !== '');

  it('has the hash of every package, optional ones included', () => {
    ok(entries.length > 100);
    const without = entries.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'));
    deepEqual(
      without.map(([path]) => path),
      [],
    );
  });

  it('names no registry, so that each installation uses its own', () => {
    deepEqual(
      entries.filter(([, { resolved }]) => resolved !== undefined),
      [],
    );
  });

  it('has one package that needs its install script, and .ci/setup builds that from source', () => {
    const scripts = entries.filter(([, { hasInstallScript }]) => hasInstallScript);
    deepEqual(
      scripts.filter(([, { optional }]) => !optional).map(([path]) => path),
      ['node_modules/zstd-napi'],
    );
    const npm = readFileSync(SETUP, 'utf8').match(/^ *npm .*?(?= >&2)/gm);
    deepEqual(
      npm?.map((line) => line.trim()),
      [
        'npm ci --include=dev --ignore-scripts --no-audit --no-fund',
        'npm --prefix node_modules/zstd-napi run build',
      ],
    );
  });
});
