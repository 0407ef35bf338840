import { deepEqual, equal, ok } from 'node:assert/strict';
import { type Keyed, type Pairing, pairingOf } from '../../../lib/diff/key.js';
import type { Space } from '../../../lib/schema/catalog/catalog.js';
import { releaseOf } from '../../../lib/schema/server/release.js';
import { catalogOf, indexRow, spaceRow } from '../schema/catalogs.js';

/** Returns one side with a space whose primary key has these types. */
function side(
  version: string | undefined,
  types: readonly string[],
  engine = 'memtx',
  isShort = false,
): [Keyed, Space] {
  const parts = types.map((type, field) => (isShort ? [field, type] : { field, type }));
  const catalog = catalogOf({
    280: [spaceRow(512, 's', { engine })],
    288: [indexRow(512, 0, 'pk', { parts })],
  });
  const primaryRows = new Map(catalog.rows(288).map((row) => [512, row]));
  const release = version === undefined ? undefined : releaseOf(version);
  return [{ primaryRows, release, isChanged: false }, catalog.spaces[0]!];
}

function pairing(versions: readonly (string | undefined)[], types: string[], engine?: string) {
  const [left, right] = versions.map((version) => side(version, types, engine));
  return pairingOf(...left!, ...right!) satisfies Pairing;
}

/** Releases that order numbers by their values, and releases before them. */
const SOUND = ['2.11.6', '2.11.9', '3.2.2', '3.2.4', '3.3.2', '3.4.0', '3.9.0-entrypoint-1-gabc'];
const ODD = [
  ...['2.6.0', '2.10.8', '2.11.0', '2.11.5', '2.11.5-0-g12a9ceb87'],
  ...['3.0.2', '3.1.2', '3.2.0', '3.2.1', '3.3.0', '3.3.1'],
];

describe('the order of the keys of a space', () => {
  for (const type of ['unsigned', 'uint', 'integer', 'int', 'double']) {
    it(`is certain for ${type} from the patch release on that fixed it, in each series`, () => {
      for (const version of SOUND) {
        equal(pairing([version, '3.9.0'], [type]).isDoubtful, false, version);
      }
      for (const version of ODD) {
        ok(pairing([version, '3.9.0'], [type]).isDoubtful, version);
        ok(pairing(['3.9.0', version], ['string', type]).isDoubtful, version);
      }
    });
  }

  it('is certain on every release for types with one form of each value', () => {
    for (const type of ['string', 'str', 'boolean', 'varbinary', 'uuid', 'decimal']) {
      for (const version of [...SOUND, ...ODD]) {
        equal(pairing([version, version], [type]).isDoubtful, false, `${type} on ${version}`);
      }
    }
  });

  it('is never certain for types that mix numbers of several kinds', () => {
    for (const type of ['number', 'scalar', 'any', 'datetime']) {
      ok(pairing(['3.9.0', '3.9.0'], [type]).isDoubtful, type);
    }
  });

  it('is not certain in vinyl, because its files keep the order of an older release', () => {
    ok(pairing(['3.9.0', '3.9.0'], ['unsigned'], 'vinyl').isDoubtful);
    equal(pairing(['3.9.0', '3.9.0'], ['string'], 'vinyl').isDoubtful, false);
  });

  it('is also read from parts in their short form', () => {
    const doubts = ['string', 'unsigned', 'number'].map((type) => {
      const [a, b] = ['3.9.0', '3.9.0'].map((version) => side(version, [type], 'memtx', true));
      return pairingOf(...a!, ...b!).isDoubtful;
    });
    deepEqual(doubts, [false, false, true]);
  });

  it('is not certain if the release is not recorded', () => {
    ok(pairing([undefined, '3.9.0'], ['unsigned']).isDoubtful);
    ok(pairing([undefined, '3.9.0'], ['string']).isDoubtful);
  });
});
