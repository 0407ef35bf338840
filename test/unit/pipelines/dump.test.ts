import { rejects } from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { type DumpOptions, dump } from '../../../lib/pipelines/dump.js';

/** Where nobody listens: who comes as far as to connect fails with another kind of error. */
const NOWHERE = { host: '127.0.0.1', port: 1 };

describe('a dump that is asked for wrongly', () => {
  for (const [options, message] of [
    [{ source: 'foo' }, /'foo'.*auto, snapshot or select/],
    [{ source: '' }, /''/],
    [{ source: 'toString' }, /'toString'/],
    [{ level: 99 }, /99/],
  ] as [DumpOptions, RegExp][]) {
    it(`is refused before it connects: ${JSON.stringify(options)}`, async () => {
      await rejects(dump(NOWHERE, new PassThrough(), options), { kind: 'usage', message });
    });
  }

  it('is refused where its output was ended or destroyed already', async () => {
    const ending = new PassThrough().end();
    const ended = new Writable({ write: (_chunk, _encoding, done) => done() }).end();
    await once(ended, 'finish');
    for (const output of [ending, ended, new PassThrough().destroy()]) {
      await rejects(dump(NOWHERE, output), { kind: 'usage', message: /output/ });
    }
  });

  it('says that nobody listens where all else is right', async () => {
    await rejects(dump(NOWHERE, new PassThrough(), { source: 'auto' }), { kind: 'access' });
  });
});
