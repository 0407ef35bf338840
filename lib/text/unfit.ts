/** A value that a format has no exact form for. Whoever knows the row adds its key. */
export class Unfit extends Error {
  /** What can be done about it. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** Text is UTF-8, and other bytes would be lost in it. */
export function notUtf8(): Unfit {
  return new Unfit(
    'a string that is no valid UTF-8',
    'leave the field out by --fields, or take --format msgpack, which has all bytes as they are',
  );
}

/** What a format that ends strings, or cannot hold them, at a zero byte says of one. */
export function hasZero(where: string): Unfit {
  return new Unfit(
    `a string with a zero byte, which ${where} cannot hold`,
    'leave the field out by --fields, or take another format',
  );
}
