import { equal } from 'node:assert/strict';
import { type Fit, fitOf } from '../../../../lib/schema/server/field-types.js';

describe('a field of another type', () => {
  for (const [from, fit, to] of [
    ['unsigned', 'all', 'unsigned'],
    ['unsigned', 'all', 'integer'],
    ['integer', 'all', 'number'],
    ['decimal', 'all', 'number'],
    ['number', 'all', 'scalar'],
    ['uuid', 'all', 'scalar'],
    ['map', 'all', 'any'],
    ['uint8', 'all', 'uint8'],
    ['uint8', 'all', 'any'],
    ['integer', 'some', 'unsigned'],
    ['number', 'some', 'decimal'],
    ['any', 'some', 'map'],
    ['scalar', 'some', 'string'],
    ['unsigned', 'some', 'double'],
    ['double', 'some', 'integer'],
    ['unsigned', 'some', 'uint8'],
    ['int8', 'some', 'string'],
    ['string', 'none', 'unsigned'],
    ['string', 'none', 'varbinary'],
    ['interval', 'none', 'scalar'],
    ['map', 'none', 'array'],
    ['decimal', 'none', 'integer'],
  ] satisfies [string, Fit, string][]) {
    it(`takes ${fit} of ${from} as ${to}`, () => equal(fitOf(from, to), fit));
  }
});
