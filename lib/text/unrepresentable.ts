/** The error of a value or a table that a format cannot represent exactly. The caller adds the space and the key. */
export class Unrepresentable extends Error {
  /** @param hint - an instruction */
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/** Returns the error of a string that is not valid UTF-8, because text must be. */
export function notUtf8(): Unrepresentable {
  return new Unrepresentable(
    'a string that is not valid UTF-8',
    'use --invalid-utf8 base64 or replace, leave the field out with --fields, or use --format msgpack',
  );
}

/** Returns the error of a string with a zero byte. */
export function hasZero(where: string): Unrepresentable {
  return new Unrepresentable(
    `a string with a zero byte, which ${where} cannot hold`,
    'use --invalid-utf8 base64 or replace, leave the field out with --fields, or use --format ndjson',
  );
}

/** Returns the error of -0 in a format that does not keep the sign of zero. */
export function minusZero(where: string): Unrepresentable {
  return new Unrepresentable(
    `the number -0.0, which ${where} turns into 0`,
    'leave the field out with --fields, or use --format ndjson or csv',
  );
}
