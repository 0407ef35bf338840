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

/** What rows can be written as. */
export type TextFormat = (typeof TEXT_FORMATS)[number];
