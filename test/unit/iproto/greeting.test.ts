import { deepEqual, throws } from 'node:assert/strict';
import { parseGreeting } from '../../../lib/iproto/greeting.js';
import { greeting } from './fake-server.js';

const UUID = '35a01909-a1e0-4af8-a60b-34e0cb6781bd';

describe('parseGreeting', () => {
  for (const [line, expected] of [
    [`Tarantool 2.6.0 (Binary) ${UUID}`, { version: '2.6.0', major: 2, minor: 6, uuid: UUID }],
    [`Tarantool 2.11.5 (Binary) ${UUID}`, { version: '2.11.5', major: 2, minor: 11, uuid: UUID }],
    [`Tarantool 3.2.1 (Binary) ${UUID}`, { version: '3.2.1', major: 3, minor: 2, uuid: UUID }],
    [`Tarantool 1.10.15 (Binary) ${UUID}`, { version: '1.10.15', major: 1, minor: 10, uuid: UUID }],
    [`Tarantool 10.0.0 (Binary) ${UUID}`, { version: '10.0.0', major: 10, minor: 0, uuid: UUID }],
    ['Tarantool 2.6.0 (Binary) ', { version: '2.6.0', major: 2, minor: 6, uuid: '' }],
    ['Tarantool 2.6.0 (Binary) \0\0', { version: '2.6.0', major: 2, minor: 6, uuid: '' }],
  ] as const) {
    it(`reads ${JSON.stringify(line)}`, () => {
      deepEqual(parseGreeting(greeting(line), 'db1:3301'), expected);
    });
  }

  for (const [line, shown] of [
    ['', / {32}/],
    [
      "Tarantool 2.6.0 (Lua console)\ntype 'help' for interactive help",
      /Tarantool 2\.6\.0 \(Lua console\)/,
    ],
    ['Tarantool (Binary)', /Tarantool \(Binary\)/],
    ['Tarantool two.6.0 (Binary)', /Tarantool two/],
    ['Tarantool 2.6.0/x (Binary)', /Tarantool 2\.6\.0\/x/],
    ['Tarantool 2.6.0:x (Binary)', /Tarantool 2\.6\.0:x/],
    ['Tarantool 20000.6.0 (Binary)', /Tarantool 20000/],
    ['Tarantool 2.6.0', /Tarantool 2\.6\.0/],
    ['tarantool 2.6.0 (Binary)', /tarantool 2\.6\.0/],
    [' Tarantool 2.6.0 (Binary)', / Tarantool/],
    ['HTTP/1.1 400 Bad Request', /HTTP\/1\.1 400 Bad Request/],
    ['\x1b]0;evil\x07\r\n', /\\u001b\]0;evil\\u0007\\r\\n/],
  ] as const) {
    it(`refuses ${JSON.stringify(line)}, and shows it on one line`, () => {
      throws(() => parseGreeting(greeting(line), 'db1:3301'), {
        name: 'TntarError',
        kind: 'failure',
        message: new RegExp(
          `^db1:3301 is not a supported Tarantool \\(got ".*${shown.source}.*"\\)$`,
        ),
        hint: /not a console/,
      });
    });
  }

  it('refuses nothing at all', () => {
    throws(() => parseGreeting(Buffer.alloc(0), 'db1:3301'), { kind: 'failure' });
  });
});
