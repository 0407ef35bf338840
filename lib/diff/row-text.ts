import { SMALL_BUFFER, TextBuffer } from '../text/buffer.js';
import { JsonWriter } from '../text/json.js';
import { Unrepresentable } from '../text/unrepresentable.js';

/** Rows of more bytes are written in parts. */
const LARGE_ROW = 256 * 1024;
/** The number of bytes in a part of hexadecimal text. */
const HEX_BYTES = 64 * 1024;
/** The number of shown bytes of two different rows. */
const SHOWN_BYTES = 32;

const text = new TextBuffer(SMALL_BUFFER);
let json = new JsonWriter(text);

/**
 * Returns a row as one line, an array as in the JSON of `tntar cat`. A row with a value that JSON cannot hold, such
 * as a string that is not valid UTF-8, is written in hexadecimal, so that every difference is visible.
 *
 * @param row - one whole MessagePack array
 * @example
 * rowText(Buffer.from([0x92, 0x01, 0xa1, 0x78])); // '[1,"x"]'
 */
export function rowText(row: Buffer): string {
  text.clear();
  try {
    json.value(row, 0);
  } catch (error) {
    if (!(error instanceof Unrepresentable)) throw error;
    json = new JsonWriter(text); // the old one is in the middle of a value
    return `"${row.toString('hex')}"`;
  }
  return text.bytes.toString('utf8', 0, text.length);
}

/** Writes a row into a buffer, which the caller empties before it asks for the next part. */
function* written(row: Buffer, into: TextBuffer): Generator<void> {
  into.clear();
  for (const _ of new JsonWriter(into).pieces(row, 0)) yield;
  yield;
}

/** Walks a row, and yields empty parts on the way. Returns true if JSON can hold the row. */
function* look(row: Buffer): Generator<string, boolean> {
  const scratch = new TextBuffer();
  try {
    for (const _ of written(row, scratch)) {
      scratch.clear();
      yield '';
    }
    return true;
  } catch (error) {
    if (error instanceof Unrepresentable) return false;
    throw error;
  }
}

/**
 * Writes the same text as {@link rowText} in parts, because a row of 120 MB would be too long for a string. At empty
 * parts, the caller can do other work.
 */
export function* rowParts(row: Buffer): Generator<string> {
  if (row.length < LARGE_ROW) {
    yield rowText(row);
    return;
  }
  if (yield* look(row)) {
    const scratch = new TextBuffer();
    for (const _ of written(row, scratch)) {
      yield scratch.bytes.toString('utf8', 0, scratch.length);
      scratch.clear();
    }
    return;
  }
  yield '"';
  for (let pos = 0; pos < row.length; pos += HEX_BYTES) {
    yield row.toString('hex', pos, Math.min(pos + HEX_BYTES, row.length));
  }
  yield '"';
}

/** The first bytes that differ between two rows, in hexadecimal, and their position. */
export interface RowBytes {
  at: number;
  before: string;
  after: string;
}

function shownBytes(row: Buffer, start: number): string {
  const shown = row.toString('hex', start, Math.min(start + SHOWN_BYTES, row.length));
  return row.length - start > SHOWN_BYTES ? `${shown}…` : shown;
}

/** Returns true if both rows have equal blocks at `at`. */
function isSameBlock(a: Buffer, b: Buffer, at: number): boolean {
  const end = at + HEX_BYTES;
  return end <= a.length && end <= b.length && a.compare(b, at, end, at, end) === 0;
}

/**
 * Finds the difference of two rows with the same text, such as 5 in one byte and 5 in nine, or with texts that are
 * too long to compare by eye.
 *
 * @returns undefined for rows whose texts show the difference, and for a single row
 */
export function rowBytes(before?: Buffer, after?: Buffer): RowBytes | undefined {
  if (before === undefined || after === undefined) return undefined;
  const areLarge = before.length >= LARGE_ROW && after.length >= LARGE_ROW;
  if (!areLarge && (before.length >= LARGE_ROW || after.length >= LARGE_ROW)) return undefined;
  if (!areLarge && rowText(before) !== rowText(after)) return undefined;
  let at = 0;
  while (isSameBlock(before, after, at)) at += HEX_BYTES;
  while (at < before.length && before[at] === after[at]) at++;
  return { at, before: shownBytes(before, at), after: shownBytes(after, at) };
}
