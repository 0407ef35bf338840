import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import {
  checkServerIdentity,
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type ConnectionOptions as TlsOptions,
} from 'node:tls';
import { defined } from '../../lib/base/defined.js';
import { messageOf, TntarError } from '../../lib/base/errors.js';
import type { Report } from '../../lib/base/report.js';
import { socketReason } from '../../lib/iproto/tls-errors.js';
import type { Surroundings } from '../output/surroundings.js';
import { ask, passwordIn, readPrivate } from './secrets.js';

/** The options about TLS. */
export interface TlsFlags {
  tls?: boolean;
  tlsCa?: string;
  tlsCert?: string;
  tlsKey?: string;
  tlsKeyPasswordFile?: string;
  tlsServerName?: string;
}

/**
 * Where systems keep the authorities that they trust: Debian and its like; Fedora; openSUSE; Red Hat;
 * Alpine, macOS and BSD. Source: `certFiles` of Go's `src/crypto/x509/root_linux.go` and its neighbors.
 */
const SYSTEM_LISTS = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** The variable that names another list of authorities for OpenSSL. */
const LIST_VARIABLE = 'SSL_CERT_FILE';

function readCertificates(file: string, what: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new TntarError('usage', `cannot read ${what}: ${messageOf(error)}`);
  }
  certificateIn(text, file);
  return text;
}

function certificateIn(text: string, file: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (error) {
    throw new TntarError('usage', `${file} holds no certificate`, {
      cause: error,
      hint: 'use a PEM file, which has lines such as -----BEGIN CERTIFICATE-----',
    });
  }
}

/** Returns the trusted authorities; undefined if no list is found, so that Node uses its own. */
function authorities({ env }: Surroundings, { tlsCa }: TlsFlags): string | undefined {
  if (tlsCa !== undefined) return readCertificates(tlsCa, 'the authorities of --tls-ca');
  const list = env[LIST_VARIABLE] || SYSTEM_LISTS.find((file) => existsSync(file));
  return list === undefined ? undefined : readCertificates(list, 'the list of authorities');
}

/** @param passphrase - of a key that is locked */
function openKey(file: string, pem: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: pem, ...defined({ passphrase }) });
  } catch (cause) {
    if (passphrase === undefined) {
      const hint = 'use a PEM file, which has lines such as -----BEGIN PRIVATE KEY-----';
      throw new TntarError('usage', `${file} holds no private key`, { cause, hint });
    }
    const hint = 'use the right --tls-key-password-file, or type the password on the terminal';
    throw new TntarError('access', `the password does not decrypt ${file}`, {
      refused: 'login',
      cause,
      hint,
    });
  }
}

/** Returns the certificate and key of the client, if there are any. */
async function ourselves(
  process: Surroundings,
  { tlsCert, tlsKey, tlsKeyPasswordFile }: TlsFlags,
  signal: AbortSignal,
  report: Report,
): Promise<SecureContextOptions> {
  if (tlsCert === undefined && tlsKey === undefined && tlsKeyPasswordFile === undefined) return {};
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new TntarError('usage', '--tls-cert and --tls-key must be given together');
  }
  const cert = readCertificates(tlsCert, 'the certificate of --tls-cert');
  const pem = readPrivate(tlsKey, 'private key', report).toString();
  const given =
    tlsKeyPasswordFile === undefined
      ? undefined
      : passwordIn(tlsKeyPasswordFile, 'password file of the key', report);
  const isLocked = pem.includes('ENCRYPTED');
  const password = isLocked
    ? (given ?? (await ask(process, `Password of ${tlsKey}: `, signal)) ?? '')
    : undefined;
  const key = openKey(tlsKey, pem, password);
  if (!certificateIn(cert, tlsCert).checkPrivateKey(key)) {
    throw new TntarError('usage', `${tlsKey} is not the key of the certificate in ${tlsCert}`);
  }
  return { cert, key: key.export({ type: 'pkcs8', format: 'pem' }) };
}

/** Once for all connections of a run. OpenSSL may not like what it gets, such as a key that is too short. */
function contextOf(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (cause) {
    const message = `these certificates cannot be used for TLS: ${socketReason(cause)}`;
    throw new TntarError('usage', message, { cause });
  }
}

/** Returns the name that the certificate must have. An address is allowed there, but not in SNI (RFC 6066). */
function namedAs(name: string): TlsOptions {
  if (isIP(name) === 0) return { servername: name };
  return { checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate) };
}

/**
 * What a connection needs to speak TLS. The server is verified, always: there is no option that turns this
 * off, and Node's variable that does is not heeded.
 *
 * @throws TntarError of kind `usage` for options or files that will not do, `access` for a password that
 *   does not open the key
 * @example
 * const server = { ...parseUri('db1'), tls: await tlsOptions(process, { tlsCa: 'ca.pem' }, signal, report) };
 */
export async function tlsOptions(
  process: Surroundings,
  flags: TlsFlags,
  signal: AbortSignal,
  report: Report,
): Promise<TlsOptions> {
  const ours = await ourselves(process, flags, signal, report);
  const ca = authorities(process, flags);
  const { tlsServerName } = flags;
  return {
    secureContext: contextOf({ ...ours, ...defined({ ca }) }),
    rejectUnauthorized: true,
    ...(tlsServerName === undefined ? {} : namedAs(tlsServerName)),
  };
}
