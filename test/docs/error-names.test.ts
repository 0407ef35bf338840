import { deepEqual } from 'node:assert/strict';
import { EXIT_CODES, Interrupted } from '../../bin/output/exit.js';
import { ERROR_CODES, type ErrorKind, TntarError } from '../../lib/base/errors.js';
import { pageAt } from './pages.js';

const PAGE = pageAt('docs/reference/exit-codes.md');

describe('the names of errors', () => {
  it('stand on the page of exit codes, each with its exit code', () => {
    const listed = [...PAGE.text.matchAll(/^\| `(TNTAR_\w+)` *\| (\S+) /gm)].map(
      ([, name, code]) => [name, code],
    );
    const byKind = Object.entries(EXIT_CODES).map(([kind, code]) => [
      ERROR_CODES[kind as ErrorKind],
      String(code),
    ]);
    deepEqual(listed, [
      ...byKind,
      [ERROR_CODES.incomplete, 'any'],
      [new Interrupted('SIGINT').code, '128+n'],
    ]);
  });

  it('tell a restore that has written from one that has not', () => {
    const incomplete = new TntarError('access', 'the server closed it', {
      outcome: 'the restore is INCOMPLETE',
    });
    deepEqual(
      [incomplete.code, incomplete.kind, new TntarError('access', 'no login').code],
      ['TNTAR_INCOMPLETE', 'access', 'TNTAR_ACCESS'],
    );
    deepEqual(new Interrupted('SIGINT', incomplete).code, 'TNTAR_INCOMPLETE');
  });
});
