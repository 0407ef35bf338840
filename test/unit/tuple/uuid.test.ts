import { equal, throws } from 'node:assert/strict';
import { decodeExact } from '../../../lib/tuple/codec.js';
import { Uuid } from '../../../lib/tuple/uuid.js';

const TEXT = '00010203-0405-0607-0809-0a0b0c0d0e0f';
const BYTES = Uint8Array.from({ length: 16 }, (_, i) => i);

describe('a UUID', () => {
  it('is made of bytes of any type', () => {
    for (const bytes of [BYTES, Buffer.from(BYTES)]) {
      const uuid = Uuid.fromBytes(bytes);
      equal(String(uuid), TEXT);
      equal(String(decodeExact(uuid.raw)), TEXT);
    }
  });

  for (const [title, given] of [
    ['fewer bytes', BYTES.subarray(1)],
    ['more bytes', new Uint8Array(17)],
    ['a text', 'x'.repeat(16)],
    ['numbers', [...BYTES]],
    ['nothing', undefined],
  ] as [string, unknown][]) {
    it(`refuses ${title}`, () => {
      throws(() => Uuid.fromBytes(given as Uint8Array), { name: 'TypeError', message: /16 bytes/ });
    });
  }
});
