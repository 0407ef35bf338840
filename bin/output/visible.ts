import { StringDecoder } from 'node:string_decoder';

/** Control characters, and what turns the direction of text; lines and tabs are how rows are laid out. */
const CONTROLS = /(?![\n\t])[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

function escaped(control: string): string {
  const code = control.charCodeAt(0);
  const digits = code.toString(16);
  return code < 0x100 ? `\\x${digits.padStart(2, '0')}` : `\\u${digits}`;
}

/**
 * Returns a function that makes text of chunks of UTF-8 in which a terminal obeys nothing.
 *
 * @example
 * const visible = visibleText();
 * visible(Buffer.from('a\x1b[2J')); // 'a\\x1b[2J'
 */
export function visibleText(): (chunk: Buffer) => string {
  const decoder = new StringDecoder('utf8');
  return (chunk) => decoder.write(chunk).replace(CONTROLS, escaped);
}
