import { SMALL_BUFFER, TextBuffer } from '../text/buffer.js';
import { JsonWriter } from '../text/json.js';
import { Unfit } from '../text/unrepresentable.js';

/** Rows of so many bytes are written in parts. */
const LARGE_ROW = 256 * 1024;
/** Bytes in hexadecimal are written in parts of so many. */
const HEX_BYTES = 64 * 1024;
/** As many bytes as are shown of those in which two rows differ. */
const SHOWN_BYTES = 32;

const text = new TextBuffer(SMALL_BUFFER);
let json = new JsonWriter(text);

/**
 * A row on one line, an array as `tntar cat` writes one in JSON. One with something that has no form there, such
 * as a text that is no UTF-8, is all of its bytes in hexadecimal: what differs is shown, whatever it is.
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
    if (!(error instanceof Unfit)) throw error;
    json = new JsonWriter(text); // the other one is in the middle of something
    return `"${row.toString('hex')}"`;
  }
  return text.bytes.toString('utf8', 0, text.length);
}

/** Writes a row into a buffer that whoever asks for the next part empties. */
function* written(row: Buffer, into: TextBuffer): Generator<void> {
  into.clear();
  for (const _ of new JsonWriter(into).pieces(row, 0)) yield;
  yield;
}

/** Parts that are empty while a row is looked through; returns whether it has a form in JSON. */
function* look(row: Buffer): Generator<string, boolean> {
  const scratch = new TextBuffer();
  try {
    for (const _ of written(row, scratch)) {
      scratch.clear();
      yield '';
    }
    return true;
  } catch (error) {
    if (error instanceof Unfit) return false;
    throw error;
  }
}

/**
 * Writes what {@link rowText} does in parts, which for a row of 120 MB would be a string that is too long. Some parts
 * are empty: they are an occasion to look at whatever else there is to do.
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

/** The first bytes in which two rows differ, in hexadecimal, and where they are. */
export interface RowBytes {
  at: number;
  before: string;
  after: string;
}

function shownBytes(row: Buffer, start: number): string {
  const shown = row.toString('hex', start, Math.min(start + SHOWN_BYTES, row.length));
  return row.length - start > SHOWN_BYTES ? `${shown}…` : shown;
}

/** True if both rows have as many bytes from `at` on, and the same ones. */
function isSameBlock(a: Buffer, b: Buffer, at: number): boolean {
  const end = at + HEX_BYTES;
  return end <= a.length && end <= b.length && a.compare(b, at, end, at, end) === 0;
}

/**
 * Finds where two rows differ whose text is the same, such as 5 in one byte and 5 in nine, or too long to be compared by
 * eye.
 *
 * @returns undefined for rows whose text shows it, and where there is one row only
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
