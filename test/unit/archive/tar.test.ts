import { deepEqual, equal, throws } from 'node:assert/strict';
import { END_OF_TAR, padding, parseTarHeader, tarHeader } from '../../../lib/archive/tar.js';
import {
  tarHeader as byHand,
  type HeaderFields,
  octalSize,
} from '../../support/archive-builder.js';

const NAME = '512.dump';
const EIGHT_GIB = 8 * 2 ** 30;

describe('a tar header', () => {
  it('is read as it was written, for any size below 8 GiB', async () => {
    for (const size of [0, 1, 511, 512, 513, 2 ** 31, 2 ** 32 + 1, EIGHT_GIB - 1]) {
      const header = await tarHeader('2147483647.dump.00001', size, new Date());
      equal(header.length, 512);
      deepEqual(parseTarHeader(header), { name: '2147483647.dump.00001', size });
    }
  });

  it('is the header of a regular file that only its owner may read', async () => {
    const header = await tarHeader(NAME, 7, new Date(1_700_000_000_000));
    const expected = byHand({
      name: NAME,
      size: octalSize(7),
      mtime: octalSize(1_700_000_000),
    });
    const text = (block: Buffer, from: number, to: number) => block.toString('latin1', from, to);
    for (const [from, to] of [
      [0, 100], // name
      [156, 329], // type to group
      [345, 512], // prefix and padding
    ] as const) {
      equal(text(header, from, to), text(expected, from, to));
    }
    const numbers = [100, 108, 116, 124, 136].map((at) =>
      Number.parseInt(text(header, at, at + 12), 8),
    );
    deepEqual(numbers, [0o600, 0, 0, 7, 1_700_000_000]);
  });

  it('made by hand is read', () => {
    deepEqual(parseTarHeader(byHand({ name: NAME, size: octalSize(1000) })), {
      name: NAME,
      size: 1000,
    });
  });

  for (const [title, fields, size] of [
    ['with leading spaces', { size: '       1750\0' }, 1000],
    ['that ends in a space', { size: '00000001750 ' }, 1000],
    ['of six digits', { size: '001750\0\0\0\0\0\0' }, 1000],
  ] as [string, HeaderFields, number][]) {
    it(`is read with a size ${title}`, () => {
      equal(parseTarHeader(byHand({ name: NAME, ...fields })).size, size);
    });
  }

  for (const [title, fields, message] of [
    ['a hard link', { type: '1', linkName: 'x' }, /entry "512\.dump": not a regular file/],
    ['a symbolic link', { type: '2', linkName: '/etc/passwd' }, /not a regular file/],
    ['a character device', { type: '3' }, /not a regular file/],
    ['a block device', { type: '4' }, /not a regular file/],
    ['a folder', { type: '5' }, /not a regular file/],
    ['a fifo', { type: '6' }, /not a regular file/],
    ['a contiguous file', { type: '7' }, /not a regular file/],
    ['a file of the old kind', { type: '\0' }, /not a regular file/],
    ['a pax header', { type: 'x' }, /not a regular file/],
    ['a global pax header', { type: 'g' }, /not a regular file/],
    ['a long name of GNU tar', { type: 'L', name: '././@LongLink' }, /not a regular file/],
    ['a long link of GNU tar', { type: 'K', name: '././@LongLink' }, /not a regular file/],
    ['a sparse file of GNU tar', { type: 'S' }, /not a regular file/],
    ['a header of GNU tar', { magic: 'ustar  \0' }, /not a ustar/],
    ['a header of before ustar', { magic: '\0'.repeat(8) }, /not a ustar/],
    ['a ustar of another version', { magic: 'ustar\x0001' }, /not a ustar/],
    ['a regular file with a link name', { linkName: 'x' }, /a link or a long name/],
    ['a name with a prefix', { prefix: '..' }, /a link or a long name/],
    ['a size in base 256', { size: `\x80${'\0'.repeat(7)}\0\0\x04\0` }, /whose size is/],
    ['a size of 8 EiB', { size: `\x80${'\0'.repeat(3)}\x7f${'\xff'.repeat(7)}` }, /whose size is/],
    ['a negative size in base 256', { size: '\xff'.repeat(12) }, /whose size is/],
    ['a negative size', { size: '-0000000001\0' }, /whose size is/],
    ['a size in decimal digits', { size: '00000000089\0' }, /whose size is/],
    ['a size in hexadecimal', { size: '0x000000010\0' }, /whose size is/],
    ['a size with more behind it', { size: '0000010\x00123\0' }, /whose size is/],
    ['a size that fills its field', { size: '000000000010' }, /whose size is/],
    ['an empty size', { size: '\0'.repeat(12) }, /whose size is/],
    ['a size of spaces', { size: ' '.repeat(12) }, /whose size is/],
    ['a wrong checksum', { checksum: '000000\0 ' }, /whose checksum is wrong/],
    ['a checksum that is no number', { checksum: 'checksum' }, /whose checksum is/],
    ['an empty checksum', { checksum: '\0'.repeat(8) }, /whose checksum is/],
  ] as [string, HeaderFields, RegExp][]) {
    it(`is refused if it is the header of ${title}`, () => {
      throws(() => parseTarHeader(byHand({ name: NAME, ...fields })), { kind: 'archive', message });
    });
  }

  it('is refused with any of its bits flipped', () => {
    const header = byHand({ name: NAME, size: octalSize(1000) });
    for (let bit = 0; bit < header.length * 8; bit++) {
      const flipped = Buffer.from(header);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      let read: unknown;
      try {
        read = parseTarHeader(flipped);
      } catch {
        continue;
      }
      // a digit of the checksum's own field, or its end, may change its form only
      deepEqual(read, { name: NAME, size: 1000 }, `bit ${bit}`);
      equal(bit >> 3 >= 148 && bit >> 3 < 156, true, `bit ${bit}`);
    }
  });

  it('is refused if it is all zeros or the end', () => {
    throws(() => parseTarHeader(END_OF_TAR.subarray(0, 512)), { kind: 'archive' });
  });

  it('keeps a zero byte inside of a name, for the allow-list to refuse', () => {
    equal(parseTarHeader(byHand({ name: '512.dump\0.txt' })).name, '512.dump\0.txt');
  });

  it('is never refused with a long name in the message', () => {
    const name = 'x'.repeat(100);
    throws(() => parseTarHeader(byHand({ name, type: '2' })), {
      message: `entry "${'x'.repeat(40)}": not a regular file`,
    });
  });
});

describe('padding', () => {
  it('fills a body up to whole blocks with zeros', () => {
    for (const size of [0, 1, 511, 512, 513, 1023, 1024, 2 ** 31 - 1, 2 ** 31 + 1, EIGHT_GIB - 1]) {
      const zeros = padding(size);
      equal((size + zeros.length) % 512, 0, String(size));
      equal(zeros.length < 512, true, String(size));
      equal(
        zeros.every((byte) => byte === 0),
        true,
      );
    }
  });
});
