import { deepEqual, match, rejects } from 'node:assert/strict';
import { type OpenFrom, survey } from '../../../lib/archive/survey.js';
import { findDamage } from '../../../lib/pipelines/damage.js';
import { salvage } from '../../../lib/pipelines/salvage.js';
import { archive, type Entry, goodEntries, sealed } from '../../support/archive-builder.js';

const opener = (bytes: Buffer): OpenFrom =>
  async function* (start) {
    yield bytes.subarray(start);
  };

describe('salvage', () => {
  it('names the spaces that are whole', async () => {
    const { damages, lost, whole } = await findDamage(new Blob([archive(sealed(goodEntries()))]));
    deepEqual([damages, lost, whole], [[], [], ['users', 'log']]);
  });

  it('names each bad place, also where nothing can be restored', async () => {
    const bytes = archive(sealed(goodEntries()));
    const { found } = await survey(opener(bytes));
    for (const { record, end } of found) {
      if (['280.dump', '512.dump'].includes(record.name)) bytes[end - 1]! ^= 1;
    }
    const { damages, lost, whole } = await findDamage(new Blob([bytes]));
    deepEqual([damages.map(({ entry }) => entry), whole], [['280.dump', '512.dump'], []]);
    match(
      lost.join(),
      /^everything: .* is damaged in definitions that every restore needs: definitions in _space$/,
    );
  });

  it('refuses entries in an order that no archive has, before it connects', async () => {
    const [manifest, ...rest] = goodEntries() as [Entry, ...Entry[]];
    const mixed = new Blob([archive(sealed([manifest, ...rest.reverse()]))]);
    deepEqual((await findDamage(mixed)).whole, []);
    await rejects(salvage(mixed, { host: '127.0.0.1', port: 1 }, { existing: 'drop' }), {
      kind: 'archive',
      message: /is out of order or occurs twice/,
    });
  });
});
