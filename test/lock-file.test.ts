import { deepEqual, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const LOCK = new URL('../../package-lock.json', import.meta.url);

describe('package-lock.json', () => {
  const { packages } = JSON.parse(readFileSync(LOCK, 'utf8')) as {
    packages: Record<string, { integrity?: string; resolved?: string }>;
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
});
