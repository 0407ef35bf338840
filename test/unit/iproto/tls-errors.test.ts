import { equal, match } from 'node:assert/strict';
import { socketReason, tlsFailure } from '../../../lib/iproto/tls-errors.js';

const withCode = (code: string, more: object = {}): Error =>
  Object.assign(new Error('what it says'), { code, ...more });

describe('tlsFailure', () => {
  const cases: [code: string, problem: RegExp, hint: RegExp][] = [
    ['ERR_TLS_CERT_ALTNAME_INVALID', /for another name/, /--tls-server-name/],
    ['HOSTNAME_MISMATCH', /for another name/, /--tls-server-name/],
    ['CERT_HAS_EXPIRED', /not valid at this time/, /renew/],
    ['CERT_NOT_YET_VALID', /not valid at this time/, /clock/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /nobody whom we trust/, /--tls-ca/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /nobody whom we trust/, /--tls-ca/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /nobody whom we trust/, /--tls-ca/],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /nobody whom we trust/, /--tls-ca/],
    ['CERT_UNTRUSTED', /nobody whom we trust/, /--tls-ca/],
    ['INVALID_PURPOSE', /nobody whom we trust/, /--tls-ca/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /does not take what we show/, /--tls-cert/],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', /does not take what we show/, /--tls-cert/],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', /does not take what we show/, /--tls-cert/],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', /does not take what we show/, /ciphers/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /does not speak TLS/, /box\.cfg\.listen/],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', /does not come to terms/, /log/],
  ];
  for (const [code, problem, hint] of cases) {
    it(`explains ${code} with the problem of the server and a remedy`, () => {
      const error = tlsFailure('db1:3301', withCode(code));
      equal(error?.kind, 'access');
      match(error.message, new RegExp(`^db1:3301 .*${problem.source}.* \\(what it says\\)$`));
      match(error.hint ?? '', hint);
    });
  }

  it('returns nothing for errors that are not about TLS', () => {
    for (const error of [withCode('ECONNREFUSED'), withCode('ENOTFOUND'), new Error('x'), null]) {
      equal(tlsFailure('db1:3301', error), undefined);
    }
  });
});

describe('socketReason', () => {
  it('is that of OpenSSL without the rest of its message', () => {
    const message = '00A:error:0A0000C6:SSL routines::wrong:../deps/openssl/record.c:622:\n';
    const error = Object.assign(new Error(message), { reason: 'bad record mac' });
    equal(socketReason(error), 'bad record mac');
  });

  it('is the message of any other error', () => {
    equal(socketReason(new Error('read ECONNRESET')), 'read ECONNRESET');
    equal(socketReason('gone'), 'gone');
  });
});
