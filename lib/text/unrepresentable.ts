/** A value or a table that a format has no exact form for. The caller adds the space and the key. */
export class Unfit extends Error {
  /** @param hint - an instruction: what can be done about it */
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/** Text is UTF-8, and other bytes would be lost in it. */
export function notUtf8(): Unfit {
  return new Unfit(
    'a string that is not valid UTF-8',
    'use --invalid-utf8 base64 or replace, leave the field out with --fields, or use --format msgpack',
  );
}

/** What a format that ends strings, or cannot hold them, at a zero byte says of one. */
export function hasZero(where: string): Unfit {
  return new Unfit(
    `a string with a zero byte, which ${where} cannot hold`,
    'use --invalid-utf8 base64 or replace, leave the field out with --fields, or use --format ndjson',
  );
}

/** Returns the error about -0 for what keeps no sign of zero. */
export function minusZero(where: string): Unfit {
  return new Unfit(
    `the number -0.0, which ${where} turns into 0`,
    'leave the field out with --fields, or use --format ndjson or csv',
  );
}
