import { deepEqual, rejects } from 'node:assert/strict';
import type { OpenFrom } from '../lib/archive/survey.js';
import { examine, salvage } from '../lib/salvage.js';
import { archive, type Entry, goodEntries, sealed } from './support/archive-builder.js';

const opener = (bytes: Buffer): OpenFrom =>
  async function* (start) {
    yield bytes.subarray(start);
  };

describe('salvage', () => {
  it('names the spaces that are whole', async () => {
    const { damages, lost, whole } = await examine(opener(archive(sealed(goodEntries()))));
    deepEqual([damages, lost, whole], [[], [], ['users', 'log']]);
  });

  it('refuses entries in an order that no archive has, before it connects', async () => {
    const [manifest, ...rest] = goodEntries() as [Entry, ...Entry[]];
    const open = opener(archive(sealed([manifest, ...rest.reverse()])));
    const nobody = { host: '127.0.0.1', port: 1 };
    const refused = { kind: 'archive', message: /is out of order or there twice/ };
    await rejects(examine(open), refused);
    await rejects(salvage(open, nobody, { existing: 'drop' }), refused);
  });
});
