import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files of a certificate and of its private key, in PEM form. */
export interface Certificate {
  cert: string;
  key: string;
}

/** What a certificate says. */
export interface Claims {
  /** For whom it is, e.g. `DNS:db1,IP:127.0.0.1`. */
  names?: string;
  /** How long it is good; OpenSSL takes -1 for one that was good until yesterday. */
  days?: number;
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Who signs certificates, by the `openssl` of the machine; each name is that of a file in `folder`. */
export class Authority implements Certificate {
  readonly cert: string;
  readonly key: string;
  readonly #folder: string;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    [this.cert, this.key] = [this.#file(`${name}.pem`), this.#file(`${name}.key`)];
    this.#run('req', '-x509', ...CURVE, '-subj', `/CN=${name}`, ...this.#files(this), '-days', '2');
  }

  sign(name: string, { names = 'DNS:nobody', days = 2 }: Claims = {}): Certificate {
    const made = { cert: this.#file(`${name}.pem`), key: this.#file(`${name}.key`) };
    const request = this.#file(`${name}.csr`);
    const claims = this.#file(`${name}.ext`);
    this.#run('req', ...CURVE, '-subj', `/CN=${name}`, '-keyout', made.key, '-out', request);
    writeFileSync(claims, `subjectAltName=${names}`);
    const signer = ['-CA', this.cert, '-CAkey', this.key, '-CAcreateserial'];
    const how = ['-extfile', claims, '-days', String(days), '-out', made.cert];
    this.#run('x509', '-req', '-in', request, ...signer, ...how);
    return made;
  }

  /** Writes a key once more, behind a password. */
  lock({ key }: Certificate, password: string): string {
    const locked = `${key}.locked`;
    this.#run('pkey', '-in', key, '-aes256', '-passout', `pass:${password}`, '-out', locked);
    return locked;
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }

  #files({ cert, key }: Certificate): string[] {
    return ['-keyout', key, '-out', cert];
  }

  #run(...args: string[]): void {
    execFileSync('openssl', args, { stdio: 'pipe' });
  }
}

/** The same as options of `tls`. */
export function contentOf({ cert, key }: Certificate): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}
