import { MAX_JSON_BYTES, MAX_JSON_NESTING, MAX_JSON_VALUES } from '../backup/limits.js';
import { TntarError } from '../base/errors.js';
import { quoted } from '../base/report.js';

const [QUOTE, BACKSLASH, COMMA, COLON] = Buffer.from('"\\,:');
const isOpening = (byte: number): boolean => byte === 0x5b || byte === 0x7b;
const isClosing = (byte: number): boolean => byte === 0x5d || byte === 0x7d;

/**
 * What is too much about a document, found before any memory is taken for its values. It may be none.
 *
 * @returns e.g. `has over 1200000 values`; undefined if nothing is too much
 */
function excessOf(bytes: Uint8Array): string | undefined {
  let depth = 0;
  let signs = 0;
  let isText = false;
  for (let pos = 0; pos < bytes.length; pos++) {
    const byte = bytes[pos]!;
    if (byte === QUOTE) isText = !isText;
    else if (isText) pos += byte === BACKSLASH ? 1 : 0;
    else if (isClosing(byte)) depth--;
    else if (byte === COMMA || byte === COLON) signs++;
    else if (isOpening(byte)) {
      signs++;
      if (++depth > MAX_JSON_NESTING) return `nests deeper than ${MAX_JSON_NESTING} levels`;
    }
  }
  return signs > MAX_JSON_VALUES ? `has over ${MAX_JSON_VALUES} values` : undefined;
}

/** Any object that came out of JSON.parse. */
export type JsonObject = Record<string, unknown>;

/**
 * Takes values out of a JSON document that may hold anything, and names the place of what is wrong.
 *
 * @example
 * const json = JsonReader.parse(bytes, 'manifest.json');
 * json.string('tool');
 * json.objects('spaces').map((space) => space.count('id'));
 */
export class JsonReader {
  readonly #object: JsonObject;
  readonly #where: string;

  private constructor(object: unknown, where: string) {
    this.#where = where;
    if (typeof object !== 'object' || object === null || Array.isArray(object)) {
      throw this.#wrong('is not an object');
    }
    this.#object = object as JsonObject;
  }

  /** @throws TntarError of kind `archive` for anything but an object, and for one of too many values */
  static parse(bytes: Buffer, where: string): JsonReader {
    const excess = excessOf(bytes);
    if (excess !== undefined) {
      throw new TntarError('archive', `${where} ${excess}`);
    }
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch (error) {
      throw new TntarError('archive', `${where} is not JSON`, { cause: error });
    }
    return new JsonReader(value, where);
  }

  string(key: string): string {
    const value = this.#object[key];
    if (typeof value !== 'string') throw this.#wrong(`needs a string '${key}'`);
    return value;
  }

  /** @param what - that the pattern stands for, e.g. `a date` */
  matching(key: string, pattern: RegExp, what: string): string {
    const value = this.string(key);
    if (!pattern.test(value)) throw this.#wrong(`needs ${what} in '${key}'`);
    return value;
  }

  boolean(key: string): boolean {
    const value = this.#object[key];
    if (typeof value !== 'boolean') throw this.#wrong(`needs true or false in '${key}'`);
    return value;
  }

  /** A whole number from 0 on. */
  count(key: string): number {
    const value = this.#object[key];
    if (!isCount(value)) throw this.#wrong(`needs a whole number '${key}', 0 or more`);
    return value;
  }

  oneOf<T extends string>(key: string, allowed: readonly T[]): T {
    const value = this.string(key);
    const found = allowed.find((each) => each === value);
    if (found === undefined)
      throw this.#wrong(`has ${quoted(value)} in '${key}', not one of ${allowed}`);
    return found;
  }

  array(key: string): unknown[] {
    const value = this.#object[key];
    if (!Array.isArray(value)) throw this.#wrong(`needs a list '${key}'`);
    return value;
  }

  strings(key: string): string[] {
    const values = this.array(key);
    if (!values.every((value) => typeof value === 'string')) {
      throw this.#wrong(`needs a list of strings '${key}'`);
    }
    return values;
  }

  objects(key: string): JsonReader[] {
    return this.array(key).map((item, i) => new JsonReader(item, `${this.#where}: ${key}[${i}]`));
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#object, key);
  }

  object(key: string): JsonReader {
    return new JsonReader(this.#object[key], `${this.#where}: ${key}`);
  }

  /** The object as a table of whole numbers. */
  counts(): Record<string, number> {
    for (const [key, value] of Object.entries(this.#object)) {
      if (!isCount(value)) throw this.#wrong(`needs a whole number ${quoted(key)}, 0 or more`);
    }
    return this.#object as Record<string, number>;
  }

  #wrong(problem: string): TntarError {
    return new TntarError('archive', `${this.#where} ${problem}`, {
      hint: 'the archive was not made by tntar, or was changed since',
    });
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/**
 * Returns a document that was just written, if readers take it: `decode` is what they read it with.
 *
 * @throws TntarError of kind `failure` if they do not
 */
export function readable(name: string, bytes: Buffer, decode: (bytes: Buffer) => unknown): Buffer {
  const refused = (why: string, hint: string): TntarError =>
    new TntarError('failure', `the archive would be unreadable: ${why}`, { hint });
  const excess =
    bytes.length > MAX_JSON_BYTES ? `has over ${MAX_JSON_BYTES} bytes` : excessOf(bytes);
  if (excess !== undefined) {
    const hint = 'the database has more spaces or parts than the format of archives allows';
    throw refused(`${name} ${excess}`, hint);
  }
  try {
    decode(bytes);
  } catch (error) {
    if (!(error instanceof TntarError) || error.kind !== 'archive') throw error;
    throw refused(error.message, 'the source sent facts about itself that no server sends');
  }
  return bytes;
}
