import { deepEqual, equal } from 'node:assert/strict';
import { parseEntryName, tuplesEntry } from '../../../lib/archive/entries.js';

describe('the name of an entry', () => {
  for (const [name, expected] of [
    ['manifest.json', { kind: 'manifest' }],
    ['trailer.json', { kind: 'trailer' }],
    ['1.dump', { kind: 'tuples', spaceId: 1 }],
    ['280.dump', { kind: 'tuples', spaceId: 280 }],
    ['512.dump', { kind: 'tuples', spaceId: 512 }],
    ['2147483647.dump', { kind: 'tuples', spaceId: 2 ** 31 - 1 }],
    ['512.dump.00000', { kind: 'tuples', spaceId: 512, part: 0 }],
    ['512.dump.00042', { kind: 'tuples', spaceId: 512, part: 42 }],
    ['512.dump.99999', { kind: 'tuples', spaceId: 512, part: 99_999 }],
    ['512.dump.100000', { kind: 'tuples', spaceId: 512, part: 100_000 }],
    ['512.dump.9999999', { kind: 'tuples', spaceId: 512, part: 9_999_999 }],
  ] as const) {
    it(`${name} is read and written`, () => {
      const parsed = parseEntryName(name);
      deepEqual(parsed, expected);
      if (parsed?.kind === 'tuples') equal(tuplesEntry(parsed.spaceId, parsed.part), name);
    });
  }

  for (const name of [
    '',
    '.',
    '..',
    '/',
    '../x',
    '../512.dump',
    '/512.dump',
    './512.dump',
    'a/512.dump',
    '512.dump/',
    '512.dump/..',
    '/etc/passwd',
    'C:\\x',
    'C:\\512.dump',
    '..\\512.dump',
    '\\\\host\\share',
    '512.dump\0',
    '512.dump\0.txt',
    '\x292.dump',
    '512\0.dump',
    '512.dump\n',
    '\n512.dump',
    '512.dump\nmanifest.json',
    ' 512.dump',
    '512.dump ',
    'manifest.json\0',
    'manifest.json ',
    'Manifest.json',
    'MANIFEST.JSON',
    'manifest.json.00000',
    'manifest.jsonx',
    'xmanifest.json',
    'manifestxjson',
    'trailer.json/',
    'trailer',
    '0.dump',
    '00.dump',
    '0512.dump',
    '00512.dump',
    '+512.dump',
    '-512.dump',
    '512.0.dump',
    '5e2.dump',
    '0x200.dump',
    '512_0.dump',
    '٥١٢.dump',
    '２.dump',
    '2147483648.dump',
    '4294967296.dump',
    '9999999999.dump',
    '99999999999999999999.dump',
    'dump',
    '.dump',
    '512',
    '512.',
    '512.dum',
    '512.dumps',
    '512.DUMP',
    '512xdump',
    '512.dump.',
    '512.dump.0',
    '512.dump.0000',
    '512.dump.000000',
    '512.dump.012345',
    '512.dump.-0001',
    '512.dump.00001.gz',
    '512.dump.00001.00001',
    '512.dump.99999999',
    '512.dump.1e005',
    '__proto__',
    'constructor',
  ]) {
    it(`${JSON.stringify(name)} is refused`, () => {
      equal(parseEntryName(name), undefined);
    });
  }

  it('of 5 MB is refused', () => {
    const size = 5_000_000;
    for (const name of [
      '1'.repeat(size),
      `${'0'.repeat(size)}512.dump`,
      `512.dump.${'0'.repeat(size)}`,
      `${'../'.repeat(size / 3)}512.dump`,
    ]) {
      equal(parseEntryName(name), undefined);
    }
  });
});
