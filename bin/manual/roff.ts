/** Characters that roff would take as commands, or print as other characters. */
const CHARACTERS: Readonly<Record<string, string>> = {
  '\\': '\\(rs',
  '-': '\\-',
  "'": '\\(aq',
  '"': '\\(dq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
};

/**
 * Text that stands in a page as it is written here.
 *
 * @example escaped("'-o'"); // '\\(aq\\-o\\(aq'
 */
export function escaped(text: string): string {
  const safe = text.replace(/[\\\-'"`^~]/g, (character) => CHARACTERS[character] ?? character);
  return safe.replace(/^\./gm, '\\&.');
}

/** A heading, and what stands under it; nothing if that is nothing. */
export function section(title: string, body: readonly string[]): string[] {
  if (body.length === 0) return [];
  return [`.SH ${title}`, ...(body[0] === '.PP' ? body.slice(1) : body)];
}

/** Short lines, as those expect who read the source of a page: a page is filled anyway. */
function filled(text: string): string[] {
  const lines =
    text
      .trim()
      .replace(/\s+/g, ' ')
      .match(/.{1,66}(?: |$)|[^ ]+/g) ?? [];
  return lines.map((line) => escaped(line.trimEnd()));
}

/** Text whose lines are filled. */
export function paragraph(text: string): string[] {
  return ['.PP', ...filled(text)];
}

/** Text whose lines stay as they are. */
export function verbatim(text: string): string[] {
  return ['.PP', '.nf', escaped(text), '.fi'];
}

/** A term in bold, and what it means. */
export function item(term: string, meaning: string): string[] {
  return ['.TP', `\\fB${escaped(term)}\\fR`, ...filled(meaning)];
}
