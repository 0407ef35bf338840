import { SMALL_BUFFER, TextBuffer } from '../text/buffer.js';
import { JsonWriter } from '../text/json.js';
import { Unfit } from '../text/unfit.js';

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
    return JSON.stringify(row.toString('hex'));
  }
  return text.bytes.toString('utf8', 0, text.length);
}
