import { listOf, quoted, shorten } from '../../base/report.js';
import { decode, encode } from '../../tuple/codec.js';
import { addPair, editArray, editMap } from '../../tuple/edit.js';
import { str, uint } from '../../tuple/msgpack.js';
import type { SystemRow } from '../catalog/catalog.js';
import { editField, isTable, type Table } from '../catalog/rows.js';
import { isOlder, type Release } from '../server/release.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import { isKeyword, isWord, tokensOf } from '../sql/tokens.js';
import type { CatalogEditor } from './catalog-editor.js';

/**
 * Converts defaults of fields. Before 3.0, a default is the text of an SQL expression, and only SQL uses it. From
 * then on, it is a value or the result of a function, and the text would be used as the value. The server's own
 * upgrade keeps the text; this module converts it to what `CREATE TABLE` of 3.x would write.
 *
 * Source: `field_def_reg` of the server's `src/box/field_def.c`, and `sql_default` rules of
 * `src/box/sql/parse.y`.
 */

/** From this release on, SQL reads `1.5` as a decimal; before, as a double. */
const DECIMAL_LITERALS: Release = [2, 10];

/** The replacement of the text; undefined if the field has no default. */
export type Default = { value: Buffer } | { expression: string } | undefined;

const TEXTS = ['string', 'any', 'scalar'];
const FLAGS = ['boolean', 'any', 'scalar'];
const BLOBS = ['varbinary', 'any', 'scalar'];
const INTEGERS = ['integer', 'number', 'any', 'scalar'];
/** Types that SQL converts numbers to. */
const NUMBERS = ['unsigned', 'integer', 'double', 'decimal', 'number'];

const UINT_MAX = 2n ** 64n - 1n;
const INT_MIN = -(2n ** 63n);

function float64(value: number): Buffer {
  const raw = Buffer.alloc(9, 0xcb);
  raw.writeDoubleBE(value, 1);
  return raw;
}

function integer(value: bigint): Buffer {
  if (value < 0n) return encode(value >= -0x80000000n ? Number(value) : value);
  if (value <= 0xffffffffn) return uint(Number(value));
  const raw = Buffer.alloc(9, 0xcf);
  raw.writeBigUInt64BE(value, 1);
  return raw;
}

/** Matches exactly one literal, not `'a' || 'b'`. */
const TEXT = /^'(?:[^']|'')*'$/;
const BLOB = /^x'[\da-f]*'$/i;

/** Returns the value of a literal if a field of this type can hold it. */
function literalOf(text: string, type: string, source: Release): Buffer | undefined {
  const upper = text.toUpperCase();
  if (TEXT.test(text)) {
    return TEXTS.includes(type) ? str(text.slice(1, -1).replaceAll("''", "'")) : undefined;
  }
  if (BLOB.test(text)) {
    return BLOBS.includes(type)
      ? encode(new Uint8Array(Buffer.from(text.slice(2, -1), 'hex')))
      : undefined;
  }
  if (upper === 'TRUE' || upper === 'FALSE') {
    return FLAGS.includes(type) ? encode(upper === 'TRUE') : undefined;
  }
  return numberOf(text, type, source);
}

const INTEGER = /^([+-]?)(0x[0-9a-f]+|\d+)$/i;
const REAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

function numberOf(text: string, type: string, source: Release): Buffer | undefined {
  const whole = INTEGER.exec(text);
  if (whole !== null) {
    const value = BigInt(whole[2]!) * (whole[1] === '-' ? -1n : 1n);
    if (type === 'double') return float64(Number(value));
    const fits = INTEGERS.includes(type) || (type === 'unsigned' && value >= 0n);
    return fits && value >= INT_MIN && value <= UINT_MAX ? integer(value) : undefined;
  }
  if (!REAL.test(text)) return undefined;
  const isDouble = /e/i.test(text) || isOlder(source, DECIMAL_LITERALS);
  const fits = type === 'double' || (isDouble && ['number', 'any', 'scalar'].includes(type));
  return fits ? float64(Number(text)) : undefined;
}

/** Returns true if a text uses a column, because no server from 3.0 on accepts that as a default. */
function namesColumn(tokens: readonly string[], source: Release): boolean {
  return tokens.some((token, i) => {
    const isName =
      token.startsWith('"') || (isWord(token) && !isKeyword(token.toUpperCase(), source));
    return isName && tokens[i + 1] !== '(' && tokens[i - 1]?.toUpperCase() !== 'COLLATE';
  });
}

/**
 * Reads the default of a field of 2.x.
 *
 * @param type - of the field, in lower case
 * @param source - the release that wrote the text
 * @returns null if it is not a constant
 */
export function parseDefault(sql: string, type: string, source: Release): Default | null {
  const tokens = tokensOf(sql);
  const text = tokens.join('');
  if (text.toUpperCase() === 'NULL') return undefined;
  const value = literalOf(text, type, source);
  if (value !== undefined) return { value };
  if (namesColumn(tokens, source)) return null;
  const isText = tokens.length === 1 && text.startsWith("'");
  const converted = NUMBERS.includes(type) && !isText;
  return { expression: converted ? `(CAST((${sql}) AS ${type.toUpperCase()}))` : `(${sql})` };
}

/** Replaces the default of each field by the one that 3.x uses. */
export function convertDefaults(editor: CatalogEditor, source: Release): void {
  const changed: string[] = [];
  editor.map(SystemSpace.SPACE, (row) => {
    const edited = editField(row, Field.space.format, (format) =>
      editArray(format, (field) => convertField(field, row, editor, source)),
    );
    if (edited !== row) changed.push(quoted(row.fields[Field.space.name]));
    return edited;
  });
  if (changed.length === 0) return;
  editor.notes.push(
    `defaults of fields of ${listOf(changed)}: from 3.0 on they also replace NULL, they also apply to rows that Lua writes, and SQL triggers do not see them yet`,
  );
}

function convertField(raw: Buffer, row: SystemRow, editor: CatalogEditor, source: Release): Buffer {
  const field = decode(raw) as Table;
  if (!isTable(field)) return raw;
  const sql = field['default'];
  if (typeof sql !== 'string') return raw;
  const without = editMap(raw, (key, value) => (key === 'default' ? undefined : value));
  const spaceName = row.fields[Field.space.name];
  const parsed = parseDefault(sql, String(field['type'] ?? 'any').toLowerCase(), source);
  if (parsed === undefined) return without;
  if (parsed === null) {
    editor.notes.push(
      `field ${quoted(field['name'])} of space ${quoted(spaceName)}: its default (${shorten(sql)}) is left out, because servers from 3.0 on accept constants only`,
    );
    return without;
  }
  if ('value' in parsed) return addPair(without, 'default', parsed.value);
  const id = editor.addExpression(`default_${spaceName}_${field['name']}`, parsed.expression);
  return addPair(without, 'default_func', uint(id));
}
