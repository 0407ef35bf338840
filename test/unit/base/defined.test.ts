import { deepEqual } from 'node:assert/strict';
import { defined } from '../../../lib/base/defined.js';

describe('the defined properties of an object', () => {
  it('leave out undefined values, and keep every other value', () => {
    deepEqual(defined({ a: 1, b: undefined, c: null, d: false, e: '' }), {
      a: 1,
      c: null,
      d: false,
      e: '',
    });
  });
});
