import { deepEqual, doesNotMatch, equal, throws } from 'node:assert/strict';
import { inspect } from 'node:util';
import { describeEndpoint, type Endpoint, parseUri } from '../../../lib/iproto/uri.js';

const LOCAL = { host: 'localhost', port: 3301 };

describe('parseUri', () => {
  for (const [uri, expected] of [
    ['', LOCAL],
    ['3302', { host: 'localhost', port: 3302 }],
    ['1', { host: 'localhost', port: 1 }],
    ['65535', { host: 'localhost', port: 65535 }],
    ['03302', { host: 'localhost', port: 3302 }],
    [':3302', { host: 'localhost', port: 3302 }],
    ['db1', { host: 'db1', port: 3301 }],
    ['db1:3302', { host: 'db1', port: 3302 }],
    ['db-1.example.org:3302', { host: 'db-1.example.org', port: 3302 }],
    ['10.0.0.1:3302', { host: '10.0.0.1', port: 3302 }],
    ['[::1]', { host: '::1', port: 3301 }],
    ['[::1]:3302', { host: '::1', port: 3302 }],
    ['[fe80::A:1]:3302', { host: 'fe80::A:1', port: 3302 }],
    ['[::ffff:10.0.0.1]', { host: '::ffff:10.0.0.1', port: 3301 }],
    ['unix/:/run/tarantool/db.sock', { path: '/run/tarantool/db.sock' }],
    ['unix/:./db.sock', { path: './db.sock' }],
    ['unix/:db.sock', { path: 'db.sock' }],
    ['/run/db.sock', { path: '/run/db.sock' }],
    ['/run/a b:c?d#e.sock', { path: '/run/a b:c?d#e.sock' }],
    ['/run/me@home.sock', { path: '/run/me@home.sock' }],
    ['unix/:/run/me@home.sock', { path: '/run/me@home.sock' }],
    ['app@', { user: 'app', ...LOCAL }],
    ['app@db1', { user: 'app', host: 'db1', port: 3301 }],
    ['app@3302', { user: 'app', host: 'localhost', port: 3302 }],
    ['app@db1:3302', { user: 'app', host: 'db1', port: 3302 }],
    ['app@[::1]:3302', { user: 'app', host: '::1', port: 3302 }],
    ['app:pw@db1', { user: 'app', password: 'pw', host: 'db1', port: 3301 }],
    ['app:pw@:3302', { user: 'app', password: 'pw', host: 'localhost', port: 3302 }],
    ['app:@db1', { user: 'app', password: '', host: 'db1', port: 3301 }],
    ['app:p:w@db1', { user: 'app', password: 'p:w', host: 'db1', port: 3301 }],
    ['app:p@w@db1', { user: 'app', password: 'p@w', host: 'db1', port: 3301 }],
    ['app:p/w?#@db1', { user: 'app', password: 'p/w?#', host: 'db1', port: 3301 }],
    ['app:pw@unix/:/run/db.sock', { user: 'app', password: 'pw', path: '/run/db.sock' }],
    ['app@/run/db.sock', { user: 'app', path: '/run/db.sock' }],
    ['a%40b:p%3Aw%25@db1', { user: 'a@b', password: 'p:w%', host: 'db1', port: 3301 }],
    ['%D0%B8:%f0%9f%98%80@db1', { user: 'и', password: '\u{1f600}', host: 'db1', port: 3301 }],
    ['имя:пароль@db1', { user: 'имя', password: 'пароль', host: 'db1', port: 3301 }],
  ] as [string, Endpoint][]) {
    it(`reads ${JSON.stringify(uri)}`, () => {
      deepEqual(parseUri(uri), expected);
    });
  }

  for (const [uri, message] of [
    ['0', /not a port/],
    ['65536', /not a port/],
    ['99999999999', /not a port/],
    ['db1:', /not a port/],
    ['db1:0', /not a port/],
    ['db1:65536', /not a port/],
    ['db1:http', /not a port/],
    ['db1:33 01', /not a port/],
    ['db1:-1', /not a port/],
    ['db1:3301.5', /not a port/],
    ['db1:0xcafe', /not a port/],
    ['@db1', /no user/],
    [':pw@db1', /no user/],
    ['::1', /address cannot be read/],
    ['fe80::1:3301', /address cannot be read/],
    ['[::1', /address cannot be read/],
    ['::1]', /address cannot be read/],
    ['[host]:3301', /address cannot be read/],
    ['[]:3301', /address cannot be read/],
    ['[::1]3301', /address cannot be read/],
    ['db1/', /address cannot be read/],
    ['db1:3301/', /not a port|address cannot be read/],
    ['db1?x=1', /address cannot be read/],
    ['db 1', /address cannot be read/],
    ['db1\n', /address cannot be read/],
    ['unix/:', /address cannot be read/],
    ['tcp://db1:3301', /address cannot be read/],
    ['ap%@db1', /user name .*%XX/],
    ['ap%zz@db1', /user name .*%XX/],
    ['ap%ff@db1', /user name .*%XX/],
    ['app:p%w@db1', /password .*%XX/],
  ] as const) {
    it(`refuses ${JSON.stringify(uri)}`, () => {
      throws(() => parseUri(uri), {
        name: 'TntarError',
        kind: 'usage',
        message,
        hint: /address is/,
      });
    });
  }

  for (const uri of [
    'app:s3cret@db1:http',
    'app:s3cret@db1:99999',
    'app:s3cret@[host]',
    'app:s3cret@db 1',
    'app:s3cret@db1/path',
    'app:s3cret%@db1',
    'app:%zzs3cret@db1',
    'ap%p:s3cret@db1',
    ':s3cret@db1',
    // nothing but a user and a password: the rest was forgotten
    'app:s3cret',
    'app:s3cret db1',
    'app:s3cret#db1',
    'app:s3cret%40db1',
    // the host was forgotten, and the rest looks like the path of a socket
    'app:@unix/:s3cret',
    'app:@/s3cret',
    'app:x@unix/:s3cret',
  ]) {
    it(`says nothing of the password when it refuses ${JSON.stringify(uri)}`, () => {
      throws(
        () => parseUri(uri),
        (error) => {
          doesNotMatch(inspect(error, { showHidden: true }).split('\n    at ')[0]!, /s3cret/);
          return true;
        },
      );
    });
  }
});

describe('describeEndpoint', () => {
  it('shows the host and port, and neither user nor password', () => {
    for (const [endpoint, shown] of [
      [{}, 'localhost:3301'],
      [{ host: 'db1' }, 'db1:3301'],
      [{ host: 'db1', port: 1, user: 'app', password: 'pw' }, 'db1:1'],
      [{ path: '/run/db.sock', user: 'app', password: 'pw' }, '/run/db.sock'],
    ] as const) {
      equal(describeEndpoint(endpoint), shown);
    }
  });
});

describe('an address with @/ in its password', () => {
  it('is refused without a part of the password', () => {
    throws(
      () => parseUri('u:x@/MARKER@127.0.0.1:1'),
      (error: Error) => /%40/.test(error.message) && !/MARKER/.test(error.message),
    );
  });
});
