/** All formats of rows. This module does not import the writers, which take time to load. */
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
 * The handling of strings that are not valid UTF-8, and in PostgreSQL and SQL of those with a zero byte:
 *
 * - `error`: the first one ends the run
 * - `replace`: U+FFFD replaces the invalid bytes
 * - `base64`: `base64:` is written, and the whole string in base64; also for strings that begin with `base64:`
 */
export type InvalidUtf8 = (typeof INVALID_UTF8)[number];

/** A format of rows. */
export type TextFormat = (typeof TEXT_FORMATS)[number];
