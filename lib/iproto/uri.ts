import { TntarError } from '../base/errors.js';

/**
 * Where a server listens, and as whom to log in there.
 *
 * @example
 * const endpoint: Endpoint = { host: 'db1', port: 3301, user: 'dumper', password: 'secret' };
 */
export interface Endpoint {
  /** Default `localhost`. */
  host?: string;
  /** Default 3301. */
  port?: number;
  /** Path of a unix socket; then there is no host and no port. */
  path?: string;
  /** Default `guest`. */
  user?: string;
  password?: string;
}

export const DEFAULT_HOST = 'localhost';
const DEFAULT_PORT = 3301;

function usage(problem: string): TntarError {
  return new TntarError('usage', problem, {
    hint: 'an address is [user[:password]@]host[:port], a port, or [user@]unix/:/path/to/socket',
  });
}

const NO_PASSWORD =
  'the password before a path is empty: leave out the colon, or write %40 for an @ in the password';

function decodePart(part: string, what: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw usage(`the ${what} in the address has a % that is not part of %XX`);
  }
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  // Not repeated: it may be a password, with the @ forgotten.
  if (port < 1 || port > 65535) throw usage('the text after the colon is not a port');
  return port;
}

/** Returns the position of the @ that ends the login; -1 if there is none. */
function endOfLogin(uri: string): number {
  // A path may have an @ in it; a login in front of a path ends where the path begins.
  const isPath = /^(unix\/:|\/)/.test(uri);
  const beforePath = uri.search(/@(unix\/:|\/)/);
  // The @ and the / may be of a password; a path that is really so is written without a login.
  if (!isPath && beforePath >= 0 && uri.indexOf('@', beforePath + 1) >= 0) {
    throw usage(
      'the address has an @ after the start of a path: in a password, write %40 for @ and %2F for /',
    );
  }
  return isPath ? -1 : beforePath >= 0 ? beforePath : uri.lastIndexOf('@');
}

/**
 * Returns the path of a socket that the end of an address names, or undefined if it names a host.
 *
 * @param password - that comes before it; a relative path, or any after an empty one, may be more of the password
 */
function socketIn(place: string, password: string | undefined): string | undefined {
  const path = /^unix\/:(.+)$/.exec(place)?.[1] ?? (place.startsWith('/') ? place : undefined);
  if (path === undefined || password === undefined) return path;
  if (password === '') throw usage(NO_PASSWORD);
  if (!path.startsWith('/')) throw usage('the path after a password is not absolute');
  return path;
}

/**
 * Parses the address of a server. What it leaves out is left out of the result too, except for host
 * and port, which have defaults.
 *
 * @throws TntarError of kind `usage`; its message never repeats a password
 * @example
 * parseUri('app@db1:3302'); // { user: 'app', host: 'db1', port: 3302 }
 * parseUri('3302');         // { host: 'localhost', port: 3302 }
 * parseUri('unix/:/run/tarantool/db.sock'); // { path: '/run/tarantool/db.sock' }
 */
export function parseUri(uri: string): Endpoint {
  const at = endOfLogin(uri);
  const login = at < 0 ? '' : uri.slice(0, at);
  const place = uri.slice(at + 1);
  const endpoint: Endpoint = {};
  if (at >= 0) {
    const colon = login.indexOf(':');
    const user = decodePart(colon < 0 ? login : login.slice(0, colon), 'user name');
    if (user === '') throw usage('the address has an @ but no user before it');
    endpoint.user = user;
    if (colon >= 0) endpoint.password = decodePart(login.slice(colon + 1), 'password');
  }
  const path = socketIn(place, endpoint.password);
  if (path !== undefined) return { ...endpoint, path };
  if (/^\d+$/.test(place)) return { ...endpoint, host: DEFAULT_HOST, port: parsePort(place) };

  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/?#\s]*))(?::([^:]*))?$/.exec(place);
  if (match === null) throw usage('the address cannot be read');
  const host = match[1] ?? match[2] ?? '';
  return {
    ...endpoint,
    host: host === '' ? DEFAULT_HOST : host,
    port: match[3] === undefined ? DEFAULT_PORT : parsePort(match[3]),
  };
}

/** The endpoint as it may be shown: without the password. */
export function describeEndpoint(endpoint: Endpoint): string {
  return endpoint.path ?? `${endpoint.host ?? DEFAULT_HOST}:${endpoint.port ?? DEFAULT_PORT}`;
}
