import { type ErrorDetails, messageOf, TntarError } from '../base/errors.js';

/** A way in which TLS comes to nothing before anything was said. */
interface Failure {
  /** Fits the codes of such errors, as Node gives them. */
  codes: RegExp;
  /** The text after the name of the server. */
  problem: string;
  hint: string;
}

/**
 * The first that fits counts.
 *
 * Source: "X509 certificate error codes" and `ERR_TLS_*` of Node's documentation; `ERR_SSL_` and an
 * OpenSSL reason, of its `include/openssl/sslerr.h`, for all else.
 */
const FAILURES: readonly Failure[] = [
  {
    codes: /^(ERR_TLS_CERT_ALTNAME|HOSTNAME_MISMATCH)/,
    problem: 'shows a certificate for another name',
    hint: 'connect to a name that the certificate has, or say with --tls-server-name (servername) which one it has to have',
  },
  {
    codes: /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    problem: 'shows a certificate that is not valid at this time',
    hint: 'renew the certificate of the server; is the clock of this machine right?',
  },
  {
    codes: /SELF_SIGNED|^UNABLE_TO_(GET_ISSUER|VERIFY)|^CERT_|^INVALID_/,
    problem: 'shows a certificate that nobody whom we trust has signed',
    hint: '--tls-ca FILE (ca) names who signed it; a self-signed certificate is its own authority',
  },
  {
    codes: /_ALERT_(.*CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)/,
    problem: 'does not take what we show of ourselves',
    hint: 'does it demand a certificate that its own authority has signed (--tls-cert and --tls-key), or ciphers that Node has not?',
  },
  {
    codes: /^(ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)|EPROTO)$/,
    problem: 'does not speak TLS',
    hint: 'is TLS on for this address of box.cfg.listen, and is it the right port?',
  },
  {
    codes: /^ERR_(SSL|TLS)_/,
    problem: 'does not come to terms with us about TLS',
    hint: "the server's log says why",
  },
];

/**
 * What to say of an error of a socket. OpenSSL's own messages are full of numbers and of files of its
 * source.
 *
 * @example socketReason(error); // 'decryption failed or bad record mac'
 */
export function socketReason(error: unknown): string {
  const { reason } = Object(error) as { reason?: unknown };
  return typeof reason === 'string' && reason !== '' ? reason : messageOf(error);
}

/**
 * The error of a connection that came to nothing for what TLS makes sure of; undefined if it was
 * something else.
 *
 * @param where - the server, for the message
 * @param error - of the socket
 */
export function tlsFailure(where: string, error: unknown): TntarError | undefined {
  const { code } = Object(error) as NodeJS.ErrnoException;
  const failure = FAILURES.find(({ codes }) => codes.test(String(code)));
  if (failure === undefined) return undefined;
  const details: ErrorDetails = { refused: 'connection', hint: failure.hint, cause: error };
  const message = `${where} ${failure.problem} (${socketReason(error)})`;
  return new TntarError('access', message, details);
}
