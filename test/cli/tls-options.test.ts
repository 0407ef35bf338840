import { ok } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority, type Certificate } from '../support/certificates.js';
import { tntar } from '../support/cli.js';
import { failsWith } from './outcome.js';

const KEY_PASSWORD = 'op3n:sesame';
const WRONG = 'wr0ng';
/** Where nobody listens: options are looked at before anybody connects. */
const NOWHERE = '127.0.0.1:1';

describe('options about TLS that will not do', () => {
  let folder: string;
  let client: Certificate;
  let other: Certificate;
  let locked: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-tls-'));
    const authority = new Authority(folder, 'authority');
    [client, other] = [authority.sign('client'), authority.sign('other')];
    locked = authority.lock(client, KEY_PASSWORD);
    writeFileSync(join(folder, 'text'), 'no certificate');
    writeFileSync(join(folder, 'password'), WRONG, { mode: 0o600 });
  });
  after(() => rmSync(folder, { recursive: true }));

  const file = (name: string): string => join(folder, name);
  const shown = (key: string): string[] => ['--tls-cert', client.cert, '--tls-key', key];
  const withPassword = (): string[] => ['--tls-key-password-file', file('password')];

  const cases: [title: string, code: number, message: RegExp, args: () => string[]][] = [
    [
      'a certificate without its key',
      2,
      /must be given together/,
      () => ['--tls-cert', client.cert],
    ],
    ['a key without its certificate', 2, /must be given together/, () => ['--tls-key', client.key]],
    ['the password of no key', 2, /must be given together/, () => ['--tls', ...withPassword()]],
    [
      'authorities that are not there',
      2,
      /cannot read the authorities.*ENOENT/,
      () => ['--tls-ca', file('none')],
    ],
    ['authorities that are none', 2, /text holds no certificate/, () => ['--tls-ca', file('text')]],
    ['a key that is not there', 2, /read the private key.*ENOENT/, () => shown(file('none'))],
    ['a key that is none', 2, /holds no private key/, () => shown(file('password'))],
    ['the key of another certificate', 2, /is not the key of/, () => shown(other.key)],
    [
      'a password file that is not there',
      2,
      /cannot read the password file of the key.*ENOENT/,
      () => [...shown(locked), '--tls-key-password-file', file('none')],
    ],
    [
      'a password that does not open the key',
      5,
      /the password does not decrypt .*client/,
      () => [...shown(locked), ...withPassword()],
    ],
    ['no password, and no terminal to ask on', 5, /does not decrypt/, () => shown(locked)],
  ];
  for (const [title, code, message, args] of cases) {
    it(`end with exit code ${code}: ${title}`, async () => {
      for (const command of ['dump', 'restore']) {
        const result = await tntar([command, '-q', NOWHERE, ...args()], { timeoutMs: 8000 });
        failsWith(result, code, message);
        ok(!result.stderr.includes(WRONG), result.stderr);
      }
    });
  }
});
