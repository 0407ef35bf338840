import { deepEqual, throws } from 'node:assert/strict';
import { decodeManifest, encodeManifest } from '../../../lib/archive/manifest-json.js';
import type { Manifest } from '../../../lib/backup/manifest.js';
import { manifest } from '../../support/archive-builder.js';

const decode = (document: unknown): Manifest =>
  decodeManifest(Buffer.from(JSON.stringify(document)));

const SPACE = { id: 512, name: 'users', engine: 'memtx', format: [], rowsFrom: 'snapshot' };
const withSpace = (given: object): object => manifest({ spaces: [{ ...SPACE, ...given }] });

const FULL: Manifest = {
  tool: 'tntar 0.1.0',
  created: '2026-01-02T03:04:05.678Z',
  server: { version: '3.2.1', uuid: '' },
  source: 'select',
  vclock: { 0: 7, 1: Number.MAX_SAFE_INTEGER },
  spaces: [
    { ...SPACE, format: [{ name: 'id', type: 'unsigned' }, { name: 'имя' }], rowsFrom: 'select' },
    { id: 2 ** 31 - 1, name: 'a "b"\n', engine: 'vinyl', format: [], rowsFrom: 'none' },
    { ...SPACE, id: 513, rowsFrom: 'none', rowsExcluded: true },
  ],
  omitted: [{ what: "rows of 'cache'", why: 'temporary' }],
  revoked: [{ grantee: 0, objectType: 'universe', objectId: 0 }],
};

describe('a manifest', () => {
  it('is read as it was written', () => {
    deepEqual(decodeManifest(encodeManifest(FULL)), FULL);
    const empty = { ...FULL, vclock: {}, spaces: [], omitted: [], revoked: [] };
    deepEqual(decodeManifest(encodeManifest(empty)), empty);
  });

  it('marks a backup of rows only with one key', () => {
    const rowsOnly: Manifest = { ...FULL, partial: ['rows only'], only: 'data' };
    deepEqual(decodeManifest(encodeManifest(rowsOnly)), rowsOnly);
  });

  it('shows integers that JSON cannot express as text', () => {
    const format = [{ name: 'id', default: 2n ** 64n - 1n }];
    const written = { ...FULL, spaces: [{ ...FULL.spaces[0]!, format }] };
    deepEqual(decodeManifest(encodeManifest(written)).spaces[0]?.format, [
      { name: 'id', default: '18446744073709551615' },
    ]);
  });

  it('is read if it was written by hand without the optional keys', () => {
    const { format: _, version: __, ...rest } = manifest();
    deepEqual(decode(manifest({ comment: 'x', more: { a: 1 } })), rest);
  });

  it('of the version of a cluster is refused', () => {
    throws(() => decode(manifest({ version: 2 })), {
      kind: 'archive',
      message: /no format of version 2/,
    });
  });

  for (const version of [3, 1000, Number.MAX_SAFE_INTEGER]) {
    it(`of version ${version} is said to be made by a newer version`, () => {
      throws(() => decode({ format: 'tntar', version, spaces: 'another world' }), {
        kind: 'archive',
        message: `the archive has the format ${version}: it was made by a newer version of tntar`,
        hint: /install a newer one/,
      });
    });
  }

  for (const [title, document, message] of [
    ['no object', [], /manifest\.json is not an object/],
    ['null', null, /manifest\.json is not an object/],
    ['empty', {}, /'format'/],
    ['without a format', manifest({ format: undefined }), /'format'/],
    ['of a format that is no text', manifest({ format: 1 }), /'format'/],
    [
      'of another format',
      manifest({ format: 'pgdump' }),
      /the format is 'pgdump', which is not a format of tntar/,
    ],
    ['without a version', manifest({ version: undefined }), /'version'/],
    ['of a version that is text', manifest({ version: '1' }), /'version'/],
    ['of half a version', manifest({ version: 1.5 }), /'version'/],
    ['of a version below zero', manifest({ version: -1 }), /'version'/],
    ['of version 0, which never was', manifest({ version: 0 }), /version|format 0/],
    ['without a tool', manifest({ tool: undefined }), /'tool'/],
    ['without a date', manifest({ created: undefined }), /'created'/],
    ['of a date that is a number', manifest({ created: 1 }), /'created'/],
    ['of a date in words', manifest({ created: 'today\x1b[2J' }), /needs a date .*'created'/],
    ['without a server', manifest({ server: undefined }), /server is not an object/],
    ['of a server that is text', manifest({ server: '2.6.0' }), /server is not an object/],
    ['of a server without a version', manifest({ server: { uuid: '' } }), /server .*'version'/],
    ['of a server without a uuid', manifest({ server: { version: '3.0' } }), /server .*'uuid'/],
    ...['banana', '3', '2.x', '2.6\x1b[2J', '99999.1'].map((version) => [
      `of the server version ${JSON.stringify(version)}`,
      manifest({ server: { version, uuid: '' } }),
      /server needs the version of a server in 'version'/,
    ]),
    ['of a part that it does not know', manifest({ only: 'grants' }), /'grants' in 'only'/],
    ['of a source that it does not know', manifest({ source: 'guess' }), /'guess' in 'source'/],
    ['without a source', manifest({ source: undefined }), /'source'/],
    ['without a vclock', manifest({ vclock: undefined }), /vclock is not an object/],
    ['of a vclock that is a list', manifest({ vclock: [1] }), /vclock is not an object/],
    ['of a negative LSN', manifest({ vclock: { 1: -5 } }), /vclock .*'1'/],
    ['of an LSN that is text', manifest({ vclock: { 2: '5' } }), /vclock .*'2'/],
    ['without spaces', manifest({ spaces: undefined }), /'spaces'/],
    ['of spaces that are no list', manifest({ spaces: {} }), /'spaces'/],
    ['of a space that is a number', manifest({ spaces: [512] }), /spaces\[0\] is not an object/],
    ['of a space without an id', withSpace({ id: undefined }), /spaces\[0\] .*'id'/],
    ['of a space with a text as id', withSpace({ id: '512' }), /spaces\[0\] .*'id'/],
    ['of a space with half an id', withSpace({ id: 512.5 }), /spaces\[0\] .*'id'/],
    ['of a space with a negative id', withSpace({ id: -512 }), /spaces\[0\] .*'id'/],
    ['of a space with an id over 2^53', withSpace({ id: 2 ** 53 }), /spaces\[0\] .*'id'/],
    ['of a space with the id of a system space', withSpace({ id: 280 }), /spaces\[0\]|280/],
    ['of a space with an id over 2^31 - 1', withSpace({ id: 2 ** 31 }), /spaces\[0\]|2147483648/],
    ['of two spaces with one id', manifest({ spaces: [SPACE, SPACE] }), /spaces\[1\]|512/],
    ['of a space without a name', withSpace({ name: undefined }), /spaces\[0\] .*'name'/],
    ['of a space without an engine', withSpace({ engine: null }), /spaces\[0\] .*'engine'/],
    ['of a space without a format', withSpace({ format: undefined }), /spaces\[0\] .*'format'/],
    ['of a space with text as format', withSpace({ format: 'x' }), /spaces\[0\] .*'format'/],
    ['of rows from nowhere', withSpace({ rowsFrom: 'dream' }), /spaces\[0\] .*'rowsFrom'/],
    ['without what was revoked', manifest({ revoked: undefined }), /'revoked'/],
    ['of a revocation that is text', manifest({ revoked: ['x'] }), /revoked\[0\] is not an object/],
    [
      'of a revocation from nobody',
      manifest({ revoked: [{ objectType: 'space', objectId: 281 }] }),
      /revoked\[0\] .*'grantee'/,
    ],
    [
      'of a revocation of a negative id',
      manifest({ revoked: [{ grantee: 2, objectType: 'space', objectId: -1 }] }),
      /revoked\[0\] .*'objectId'/,
    ],
    [
      'of a revocation on a number',
      manifest({ revoked: [{ grantee: 2, objectType: 3, objectId: 1 }] }),
      /revoked\[0\] .*'objectType'/,
    ],
    ['without what was omitted', manifest({ omitted: undefined }), /'omitted'/],
    ['of an omission that is text', manifest({ omitted: ['x'] }), /omitted\[0\] is not an object/],
    ['of an omission without a reason', manifest({ omitted: [{ what: 'x' }] }), /omitted.*'why'/],
  ] as [string, unknown, RegExp][]) {
    it(`${title} is refused`, () => {
      throws(() => decode(document), { name: 'TntarError', kind: 'archive', message });
    });
  }
});
