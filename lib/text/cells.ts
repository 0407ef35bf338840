import { Datetime } from '../tuple/datetime.js';
import { Decimal } from '../tuple/decimal.js';
import { readInteger } from '../tuple/integers.js';
import { skip } from '../tuple/msgpack.js';
import type { Row } from '../tuple/row.js';
import { Uuid } from '../tuple/uuid.js';
import { SMALL_BUFFER, TextBuffer } from './buffer.js';
import { type JsonOptions, JsonWriter } from './json.js';
import type { TextColumn } from './layout.js';
import {
  bodyStart,
  KIND_NAMES,
  KINDS,
  Kind,
  readExtension,
  readFloat,
  stringEnd,
} from './scalars.js';
import { PIECE_BYTES, type Strings } from './strings.js';
import { type Group, groupOf } from './table.js';
import { Unrepresentable } from './unrepresentable.js';

/** The groups of columns that can hold a value of each kind, besides JSON. */
const FITTING: Readonly<Record<number, readonly Group[]>> = {
  [Kind.BOOLEAN]: ['boolean'],
  [Kind.INTEGER]: ['integer', 'number', 'float'],
  [Kind.FLOAT]: ['number', 'float'],
  [Kind.STRING]: ['string'],
  [Kind.BINARY]: ['binary'],
  [Kind.EXTENSION]: ['number', 'decimal', 'uuid', 'datetime'],
};

/** The least and the largest values of fields of a fixed size. */
const RANGES: ReadonlyMap<string, readonly [least: bigint, most: bigint]> = new Map(
  [8n, 16n, 32n, 64n].flatMap((bits) => [
    [`int${bits}`, [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]],
    [`uint${bits}`, [0n, 2n ** bits - 1n]],
  ]),
);

/** Writes values into typed columns. */
export abstract class Cells {
  protected readonly text: TextBuffer;
  protected readonly strings: Strings;
  readonly #scratch = new TextBuffer(SMALL_BUFFER);
  readonly #json: JsonWriter;

  readonly #columns: readonly TextColumn[];
  readonly #groups: readonly Group[];

  /** @param more - the limits of the database's JSON */
  constructor(
    text: TextBuffer,
    columns: readonly TextColumn[],
    strings: Strings,
    more: Omit<JsonOptions, 'strings'> = {},
  ) {
    this.text = text;
    this.strings = strings;
    this.#columns = columns;
    this.#groups = columns.map(({ type }) => groupOf(type));
    this.#json = new JsonWriter(this.#scratch, { strings, ...more });
  }

  protected abstract null(): void;
  protected abstract boolean(value: boolean): void;
  protected abstract integer(buf: Buffer, pos: number, group: Group): void;
  protected abstract float(value: number, group: Group): void;
  protected abstract decimal(value: Decimal): void;
  protected abstract string(buf: Buffer, start: number, end: number): void;
  protected abstract binary(buf: Buffer, start: number, end: number): void;
  protected abstract uuid(value: Uuid): void;
  protected abstract datetime(value: Datetime): void;
  /** Writes JSON: UTF-8 without control characters. */
  protected abstract json(buf: Buffer, start: number, end: number): void;
  /** Writes a long string, and yields whenever the text is full. */
  protected abstract stringPieces(buf: Buffer, start: number, end: number): Generator<void>;
  protected abstract binaryPieces(buf: Buffer, start: number, end: number): Generator<void>;
  /** Writes parts of one JSON text. Each part is at the beginning of `scratch` when the next one is requested. */
  protected abstract jsonPieces(scratch: TextBuffer, parts: Iterable<unknown>): Generator<void>;

  /**
   * Writes the value of a row in a column.
   *
   * @param column - its position among the columns
   * @throws Unrepresentable for a value that the column cannot hold
   */
  write(row: Row, column: number): void {
    const { fieldNo, type } = this.#columns[column]!;
    const pos = row.at(fieldNo);
    const { buf } = row;
    if (pos < 0 || buf[pos] === 0xc0) {
      this.null();
      return;
    }
    const group = this.#groups[column]!;
    if (group === 'json') {
      this.#scratch.clear();
      this.#json.value(buf, pos);
      this.json(this.#scratch.bytes, 0, this.#scratch.length);
      return;
    }
    this.#scalar(buf, pos, group, type);
  }

  /** Does the same for a value of any size. Yields whenever the text is full, or if a value takes long. */
  *pieces(row: Row, column: number): Generator<void> {
    const { fieldNo, type } = this.#columns[column]!;
    const pos = row.at(fieldNo);
    const { buf } = row;
    const group = this.#groups[column]!;
    if (pos < 0 || row.behind(fieldNo) - pos <= PIECE_BYTES) {
      this.write(row, column);
      return;
    }
    if (group === 'json') {
      this.#scratch.clear();
      yield* this.jsonPieces(this.#scratch, this.#json.pieces(buf, pos));
      return;
    }
    const kind = KINDS[buf[pos]!]!;
    if (FITTING[kind]?.includes(group) !== true) throw misplaced(kind, type);
    const [start, end] = [bodyStart(buf, pos), row.behind(fieldNo)];
    if (kind === Kind.STRING) yield* this.stringPieces(buf, start, end);
    else if (kind === Kind.BINARY) yield* this.binaryPieces(buf, start, end);
    else this.write(row, column);
  }

  protected *hexPieces(buf: Buffer, start: number, end: number): Generator<void> {
    for (let pos = start; pos < end; pos += PIECE_BYTES) {
      this.text.latin1(buf.toString('hex', pos, Math.min(pos + PIECE_BYTES, end)));
      if (this.text.isFull) yield;
    }
  }

  #scalar(buf: Buffer, pos: number, group: Group, type: string): void {
    const kind = KINDS[buf[pos]!]!;
    if (FITTING[kind]?.includes(group) !== true) throw misplaced(kind, type);
    switch (kind) {
      case Kind.BOOLEAN:
        this.boolean(buf[pos] === 0xc3);
        break;
      case Kind.INTEGER:
        if (group === 'float') checkDouble(readInteger(buf, pos), type);
        else if (RANGES.has(type)) checkRange(readInteger(buf, pos), type);
        this.integer(buf, pos, group);
        break;
      case Kind.FLOAT:
        checkFloat(readFloat(buf, pos), type);
        this.float(readFloat(buf, pos), group);
        break;
      case Kind.STRING:
        this.string(buf, bodyStart(buf, pos), stringEnd(buf, pos));
        break;
      case Kind.BINARY:
        this.binary(buf, bodyStart(buf, pos), skip(buf, pos, buf.length));
        break;
      default:
        this.#extension(buf, pos, group, type);
    }
  }

  #extension(buf: Buffer, pos: number, group: Group, type: string): void {
    const value = readExtension(buf, pos, skip(buf, pos, buf.length));
    if (value instanceof Decimal && (group === 'decimal' || group === 'number')) {
      this.decimal(value);
    } else if (value instanceof Uuid && group === 'uuid') this.uuid(value);
    else if (value instanceof Datetime && group === 'datetime') this.datetime(value);
    else throw misplaced(Kind.EXTENSION, type);
  }
}

/** Checks an integer in a field for doubles: a double may lose its last digits. */
function checkDouble(value: number | bigint, type: string): void {
  const float = type === 'float32' ? Math.fround(Number(value)) : Number(value);
  if (BigInt(float) === BigInt(value)) return;
  throw new Unrepresentable(
    `the format says ${type}, and no ${type} equals the integer ${value}`,
    'leave the field out with --fields, or use --format ndjson or csv',
  );
}

function checkFloat(value: number, type: string): void {
  if (type !== 'float32' || Object.is(Math.fround(value), value)) return;
  throw new Unrepresentable(
    `the format says ${type}, and no ${type} equals the number ${value}`,
    'leave the field out with --fields, or use --format ndjson or csv',
  );
}

function checkRange(value: number | bigint, type: string): void {
  const [least, most] = RANGES.get(type)!;
  if (value >= least && value <= most) return;
  throw new Unrepresentable(
    `the format says ${type}, and the value is the integer ${value}`,
    'leave the field out with --fields, or use --format ndjson or csv, which have no types',
  );
}

function misplaced(kind: number, type: string): Unrepresentable {
  return new Unrepresentable(
    `the format says ${type}, and the value is ${KIND_NAMES[kind]}`,
    'leave the field out with --fields, or use --format ndjson or csv, which have no types',
  );
}
