/** All that rows can be written as. Apart from what writes them, which takes time to load. */
export const TEXT_FORMATS = [
  'ndjson',
  'json',
  'csv',
  'tsv',
  'sql',
  'postgres',
  'sqlite',
  'msgpack',
] as const;

/** The ways to write strings that are not valid UTF-8. */
export const INVALID_UTF8 = ['error', 'replace', 'base64'] as const;

/**
 * What is done with strings that are not valid UTF-8, and in PostgreSQL and SQL with those that have a zero byte:
 *
 * - `error`: the first one ends the run
 * - `replace`: U+FFFD is written in place of the bytes that are not valid
 * - `base64`: `base64:` is written, and all bytes of the string in base64; so are strings that begin with
 *   `base64:`
 */
export type InvalidUtf8 = (typeof INVALID_UTF8)[number];

/** What rows can be written as. */
export type TextFormat = (typeof TEXT_FORMATS)[number];
