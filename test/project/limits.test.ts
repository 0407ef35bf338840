import { equal, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SECURITY = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');
const SECTION = /^## Limits$.*/ms.exec(SECURITY)?.[0] ?? '';
const ROW =
  /^\| (?<what>.*?) *\| (?<value>[\d,]+)(?: (?<unit>\w+))? *\| `(?<file>.*?)` (?<name>\w+) *\| /gm;
const UNITS: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** Files whose exported limits all stand in the table, but for those that follow from others there. */
const WHOLE = ['lib/backup/limits.ts', 'lib/iproto/constants.ts'];
const DERIVED = ['MAX_FRAMES'];

describe('the table of limits in SECURITY.md', () => {
  const rows = [...SECTION.matchAll(ROW)].map(({ groups }) => groups as Record<string, string>);

  it('has a row for each line', () => {
    const lines = SECTION.split('\n').filter((line) => line.startsWith('| '));
    equal(rows.length, lines.length - 2);
    ok(rows.length > 20);
  });

  for (const { what, value, unit, file = '', name = '' } of rows) {
    it(`has the value of ${name} for ${what}`, async () => {
      const exported = await import(
        new URL(`../../${file.replace(/ts$/, 'js')}`, import.meta.url).href
      );
      const factor = unit === undefined ? 1 : UNITS[unit];
      equal(exported[name], Number(value?.replaceAll(',', '')) * (factor ?? Number.NaN));
    });
  }

  for (const file of WHOLE) {
    it(`has each limit of ${file}`, () => {
      const source = readFileSync(join(ROOT, file), 'utf8');
      for (const [, name = ''] of source.matchAll(/^export const (MAX_\w+)/gm)) {
        ok(DERIVED.includes(name) || rows.some((row) => row['name'] === name), name);
      }
    });
  }
});
