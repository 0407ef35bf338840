import { deepEqual } from 'node:assert/strict';
import { EXIT_CODES, Interrupted } from '../../bin/output/exit.js';
import { ERROR_CODES, type ErrorKind, TntarError } from '../../lib/base/errors.js';
import { pageAt } from './pages.js';

const PAGE = pageAt('docs/reference/exit-codes.md');

const NAMES: Readonly<Record<ErrorKind, readonly (keyof typeof ERROR_CODES)[]>> = {
  failure: ['failure'],
  usage: ['usage'],
  archive: ['archive'],
  target: ['target'],
  access: ['connection', 'login', 'privilege'],
};

describe('the names of errors', () => {
  it('stand on the page of exit codes, each with its exit code', () => {
    const listed = [...PAGE.text.matchAll(/^\| `(TNTAR_\w+)` *\| (\S+) /gm)].map(
      ([, name, code]) => [name, code],
    );
    const byKind = Object.entries(EXIT_CODES).flatMap(([kind, code]) =>
      NAMES[kind as ErrorKind].map((name) => [ERROR_CODES[name], String(code)]),
    );
    deepEqual(listed, [
      ...byKind,
      [ERROR_CODES.incomplete, 'any'],
      [new Interrupted('SIGINT').code, '128+n'],
    ]);
    deepEqual(Object.keys(ERROR_CODES), [...Object.values(NAMES).flat(), 'incomplete']);
  });

  it('tell a login from a connection, also in an error with added text', () => {
    for (const [refused, code] of [
      ['connection', 'TNTAR_CONNECTION'],
      ['login', 'TNTAR_LOGIN'],
    ] as const) {
      const error = new TntarError('access', 'no', { refused });
      deepEqual([error.code, TntarError.wrap(error, { message: 'no more' }).code], [code, code]);
    }
  });

  it('tell a restore that has written from one that has not', () => {
    const incomplete = new TntarError('access', 'the server closed it', {
      outcome: 'the restore is INCOMPLETE',
    });
    deepEqual(
      [incomplete.code, incomplete.kind, new TntarError('access', 'no right').code],
      ['TNTAR_INCOMPLETE', 'access', 'TNTAR_PRIVILEGE'],
    );
    deepEqual(new Interrupted('SIGINT', incomplete).code, 'TNTAR_INCOMPLETE');
  });
});
