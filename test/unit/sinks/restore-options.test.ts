import { doesNotThrow, throws } from 'node:assert/strict';
import { decodeManifest } from '../../../lib/archive/manifest-json.js';
import { checkHeld, checkWanted, type RestoreScope } from '../../../lib/sinks/restore-options.js';
import { manifest } from '../../support/archive-builder.js';

const archiveOf = (only?: 'data' | 'schema') =>
  decodeManifest(Buffer.from(JSON.stringify(manifest(only === undefined ? {} : { only }))));

describe('restore options', () => {
  for (const [wanted, message] of [
    [{ onConflict: 'skip' }, /--on-conflict skip works only with --data-only/],
    [
      { only: 'schema', onConflict: 'replace' },
      /--on-conflict replace works only with --data-only/,
    ],
    [{ only: 'data', existing: 'drop' }, /--existing drop does not work with --data-only/],
    [{ only: 'schema', existing: 'truncate' }, /--existing truncate needs rows/],
    [{ only: 'schema', existing: 'replace' }, /--existing replace needs rows/],
  ] as [RestoreScope, RegExp][]) {
    it(`refuse ${JSON.stringify(wanted)}`, () => {
      throws(() => checkWanted(wanted), { kind: 'usage', message });
    });
  }

  for (const wanted of [
    {},
    { existing: 'drop' },
    { only: 'schema', existing: 'skip' },
    { only: 'schema', existing: 'drop' },
    { only: 'data', existing: 'error', onConflict: 'replace' },
  ] as RestoreScope[]) {
    it(`accept ${JSON.stringify(wanted)}`, () => {
      doesNotThrow(() => checkWanted(wanted));
      doesNotThrow(() => checkHeld(archiveOf(), wanted));
    });
  }

  for (const [only, wanted, hint] of [
    ['data', {}, /--data-only/],
    ['data', { only: 'schema' }, /--data-only/],
    ['data', { existing: 'drop' }, /--data-only/],
    ['schema', { only: 'data' }, /nothing was written/],
    ['schema', { existing: 'truncate' }, /--existing drop/],
    ['schema', { existing: 'replace' }, /--existing skip/],
  ] as ['data' | 'schema', RestoreScope, RegExp][]) {
    it(`refuse ${JSON.stringify(wanted)} for an archive of ${only} only`, () => {
      throws(() => checkHeld(archiveOf(only), wanted), { kind: 'usage', hint });
    });
  }

  it('accept what an archive of one half has', () => {
    doesNotThrow(() => checkHeld(archiveOf('data'), { only: 'data', onConflict: 'skip' }));
    doesNotThrow(() => checkHeld(archiveOf('schema'), {}));
    doesNotThrow(() => checkHeld(archiveOf('schema'), { only: 'schema', existing: 'drop' }));
  });
});
