import { TntarError } from './errors.js';
import { type Report, shorten } from './report.js';

/** The values that an option accepts. */
export interface Kind {
  /** The values in words, for messages, e.g. `a whole number from 1 to 19`. */
  words: string;
  takes(value: unknown): boolean;
  /** Set if the value may contain a password: messages do not show it. */
  isSecret?: true;
}

/** The kinds of all options of a call; one that is forgotten does not compile. */
export type Kinds<Options> = Readonly<Record<keyof Required<Options>, Kind>>;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const hasMethods = (value: unknown, ...names: readonly string[]): boolean =>
  isObject(value) &&
  names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');

export const aBoolean: Kind = {
  words: 'true or false',
  takes: (value) => typeof value === 'boolean',
};

export const aText: Kind = { words: 'a string', takes: (value) => typeof value === 'string' };

export const aPassword: Kind = { ...aText, isSecret: true };

export const aFunction: Kind = {
  words: 'a function',
  takes: (value) => typeof value === 'function',
};

/** Any object. Its contents are checked by the code that uses it. */
export const anObject: Kind = { words: 'an object', takes: isObject };

export const aReport: Kind = {
  words: 'a report: an object with the functions note, warn and progress',
  takes: (value) => hasMethods(value, 'note', 'warn', 'progress' satisfies keyof Report),
};

export const aSignal: Kind = {
  words: 'an AbortSignal',
  takes: (value) => hasMethods(value, 'addEventListener', 'throwIfAborted'),
};

export const aWritable: Kind = {
  words: 'a Writable, such as createWriteStream gives',
  takes: (value) => hasMethods(value, 'write', 'end', 'on'),
};

/** A filter of the library, such as `setEngine` makes one. */
export const aFilter: Kind = {
  words: 'a filter that applyFilter, chooseSpaces or the like has made',
  takes: isObject,
};

export const aNumber: Kind = {
  words: 'a number from 0',
  takes: (value) => typeof value === 'number' && value >= 0,
};

/** A whole number; without `max` any from `min` on. */
export function wholeFrom(min: number, max?: number): Kind {
  return {
    words: `a whole number from ${min}${max === undefined ? '' : ` to ${max}`}`,
    takes: (value) =>
      Number.isSafeInteger(value) &&
      Number(value) >= min &&
      (max === undefined || Number(value) <= max),
  };
}

/** @example const way = oneOf(['auto', 'snapshot', 'select']); // words: auto, snapshot or select */
export function oneOf(words: readonly string[]): Kind {
  return {
    words: `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`,
    takes: (value) => typeof value === 'string' && words.includes(value),
  };
}

export function listOfEach({ words, takes }: Kind): Kind {
  return {
    words: `an array, each member of which is ${words}`,
    takes: (value) => Array.isArray(value) && value.every(takes),
  };
}

/** Returns a text for a wrong value. Objects are not shown: they may contain a password. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'string') return `'${shorten(value)}'`;
  if (isObject(value)) return `an object of the class ${shorten(classOf(value))}`;
  return String(value);
}

const classOf = (value: object): string => {
  const maker: unknown = value.constructor;
  return typeof maker === 'function' ? maker.name : 'Object';
};

/**
 * The error of a call that is wrong for any database.
 *
 * @param what - e.g. `dump: option 'level'`
 */
function wrongCall(what: string, value: unknown, kind: Kind, hint?: string): TntarError {
  const message = kind.isSecret
    ? `${what} has to be ${kind.words}`
    : `${what} is ${shown(value)}, and has to be ${kind.words}`;
  return new TntarError('usage', message, { hint });
}

/**
 * Checks a value of a call by itself.
 *
 * @throws TntarError of kind `usage`
 * @example
 * checkValue('cat: the output', output, aWritable);
 */
export function checkValue(what: string, value: unknown, kind: Kind, hint?: string): void {
  if (!kind.takes(value)) throw wrongCall(what, value, kind, hint);
}

/**
 * Checks the options of a call: names, which a typing error makes others of, and values. One that is
 * undefined is one that was left out.
 *
 * @param call - for messages, e.g. `dump`
 * @throws TntarError of kind `usage`
 * @example
 * checkOptions('archiveSink', options, { level: wholeFrom(1, 19) } satisfies Kinds<ArchiveOptions>);
 */
export function checkOptions(
  call: string,
  options: unknown,
  kinds: Readonly<Record<string, Kind>>,
): void {
  checkValue(`${call}: what its options are in`, options, {
    words: 'an object',
    takes: (value) => isObject(value) && !Array.isArray(value),
  });
  for (const [name, value] of Object.entries(options as object)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) {
      throw new TntarError('usage', `${call} has no option '${shorten(name)}'`, {
        hint: `it has: ${Object.keys(kinds).join(', ')}`,
      });
    }
    if (value !== undefined) checkValue(`${call}: option '${name}'`, value, kind);
  }
}
