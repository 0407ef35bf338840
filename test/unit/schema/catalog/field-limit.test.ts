import { equal, match, throws } from 'node:assert/strict';
import { TntarError } from '../../../../lib/base/errors.js';
import { Catalog } from '../../../../lib/schema/catalog/catalog.js';
import { MAX_FIELDS } from '../../../../lib/schema/catalog/field-limit.js';
import { type Plain, pack } from '../../../support/msgpack.js';
import { spaceRow } from '../catalogs.js';

const SPACE = 280;
const ofFields = (count: number): Buffer => {
  const format = Array.from({ length: count }, (_, i): Plain => ({ name: `f${i}`, type: 'any' }));
  return pack(spaceRow(512, 'wide', { format }));
};

describe('a format with many fields', () => {
  it('is accepted up to the limit', () => {
    const catalog = new Catalog('archive');
    catalog.add(SPACE, ofFields(MAX_FIELDS));
    equal(catalog.spaces[0]?.format.length, MAX_FIELDS);
  });

  for (const [kind, hint] of [
    ['archive', /another program/],
    ['failure', /shorten the format/],
  ] as const) {
    it(`is refused above the limit with an error of kind ${kind} that names the space`, () => {
      const add = (): void => new Catalog(kind).add(SPACE, ofFields(MAX_FIELDS + 1));
      throws(add, (error) => {
        match(String(error), /space 'wide': its format has 65537 fields/);
        match((error as TntarError).hint ?? '', hint);
        return error instanceof TntarError && error.kind === kind;
      });
    });
  }

  it('is refused if a filter has made it', () => {
    const catalog = new Catalog('failure');
    throws(() => catalog.replace(SPACE, [ofFields(MAX_FIELDS + 1)]), /space 'wide'/);
  });
});
