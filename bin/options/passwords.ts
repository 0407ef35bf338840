import { ARCHIVE_NAME, statOf } from './files.js';

/** A host with or without a port, as the end of an address. Nothing else after a password is shown. */
const PLACE = /^(?:\[[\da-f:.]+\]|[\w.-]*)(?::\d{1,5})?$/i;
const SOCKET_PLACE = /^(?:unix\/:)?(\/.*)$/s;
const SOCKET_ADDRESS = /^((?:[^:@/]*@)?(?:unix\/:|\/))(.*)$/s;

const isPlace = (text: string): boolean => {
  const socket = SOCKET_PLACE.exec(text)?.[1];
  return socket === undefined ? PLACE.test(text) : statOf(socket)?.isSocket() === true;
};

/** Returns where the password of an argument begins and ends, or undefined if no part of it may be one. */
function passwordRange(arg: string): [start: number, end: number] | undefined {
  const [, socket = '', path = ''] = SOCKET_ADDRESS.exec(arg) ?? [];
  if (socket !== '') return /:.*@/s.test(path) ? [socket.length, arg.length] : undefined;
  if (PLACE.test(arg.slice(arg.indexOf('@') + 1)) && !/:.*@/s.test(arg)) return undefined;
  const start = arg.indexOf(':') + 1;
  if (start === 0) return undefined;
  const at = arg.indexOf('@', start) < 0 ? -1 : arg.lastIndexOf('@');
  if (at >= 0) return [start, isPlace(arg.slice(at + 1)) ? at : arg.length];
  const isFile = arg.slice(0, start).includes('/') || ARCHIVE_NAME.test(arg);
  return isFile ? undefined : [start, arg.length];
}

/**
 * Returns an argument without what may be a password in it: the text between the first colon and the last @. If no
 * host comes after that, the host was forgotten, and all that comes after the colon may be the password.
 *
 * @example
 * withoutPassword('me:hush@db1'); // 'me:***@db1'
 * withoutPassword('me:hush');     // 'me:***'
 */
export function withoutPassword(arg: string): string {
  const [start, end] = passwordRange(arg) ?? [];
  return start === undefined ? arg : `${arg.slice(0, start)}***${arg.slice(end)}`;
}

/** Options whose values are never addresses, and may have colons of their own. */
const NO_ADDRESS = /^--(?:where|mask|rename|space|exclude|exclude-rows)(?<value>=|$)/;

/** Returns the arguments that may be addresses. */
function addressesIn(args: readonly string[]): string[] {
  return args.filter((arg, i) => {
    const before = NO_ADDRESS.exec(args[i - 1] ?? '');
    return !NO_ADDRESS.test(arg) && before?.groups?.['value'] !== '';
  });
}

/**
 * Takes passwords that stand in addresses out of what the list of processes shows of this one. Until it
 * is called they are there for everybody on this machine.
 *
 * @param args - of the command
 */
export function hidePasswords(args: readonly string[]): void {
  const addresses = new Set(addressesIn(args));
  const shown = args.map((arg) => (addresses.has(arg) ? withoutPassword(arg) : arg));
  if (shown.some((arg, i) => arg !== args[i])) process.title = ['tntar', ...shown].join(' ');
}

/**
 * Returns a text that quotes arguments, without the passwords in them.
 *
 * @param args - of the command
 * @example withoutPasswords("unknown command 'me:hush@db1'", ['me:hush@db1']); // "unknown command 'me:***@db1'"
 */
export function withoutPasswords(text: string, args: readonly string[]): string {
  let shown = text;
  for (const arg of addressesIn(args)) {
    if (statOf(arg) !== undefined) continue;
    for (const each of [arg, arg.slice(arg.indexOf('=') + 1)]) {
      const [start, end] = passwordRange(each) ?? [];
      // With the sign before it, because a short password may be a word of the message.
      if (start !== undefined && start !== end) {
        shown = shown.replaceAll(each.slice(start - 1, end), `${each[start - 1]}***`);
      }
    }
  }
  return shown;
}
