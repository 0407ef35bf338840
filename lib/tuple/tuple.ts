import { bits, calculate, splice } from './arithmetic.js';
import { decodeExact, type ExactValue, encode } from './codec.js';
import { Raw } from './exact-types.js';
import { joinFields, splitFields } from './fields.js';
import { arrayHeader, countValues, headerSize, isArray, memberCount, skip } from './msgpack.js';
import { type Places, placesAfter, placesBefore } from './places.js';

/** Zero-based positions of fields by name, shared by all tuples of a space. */
export type FieldNames = ReadonlyMap<string, number>;

/**
 * One step of {@link Tuple.update}, with the server's operators. Fields count from zero, and negative ones from the
 * end: -1 is the last, and for `!` the position after the last.
 *
 * - `=` and `!` set and insert a value; `+` and `-` add and subtract
 * - `&`, `|` and `^` take unsigned integers
 * - `:` takes a start in bytes from 0, the number of bytes to cut out, and text or bytes to insert
 * - `#` takes the number of fields to delete
 *
 * @example
 * const updates: TupleUpdate[] = [['+', 'visits', 1], [':', 'name', 0, 1, 'J'], ['#', -1, 1]];
 */
export type TupleUpdate =
  | readonly ['=' | '!', number | string, unknown]
  | readonly ['+' | '-', number | string, unknown]
  | readonly ['&' | '|' | '^', number | string, number | bigint]
  | readonly [':', number | string, number, number, string | Uint8Array]
  | readonly ['#', number | string, number];

/**
 * The limit of values that one call decodes, as {@link countValues} counts them: up to 270 bytes of memory each, so
 * some 70 MB together. A row of 60 MB may have 60 million of them.
 */
export const MAX_DECODED = 250_000;

/** The error of a field with more values than the limit of {@link MAX_DECODED}. */
export class TooManyValues extends RangeError {
  readonly hint =
    'a filter can take the bytes with tuple.field(); for a mask or an update, leave the row out with a --filter';

  constructor(field: number | string) {
    const most = MAX_DECODED.toLocaleString('en-US');
    super(`field ${shown(field)} has too many values to decode: the limit is ${most}`);
  }
}

/** The error of a tuple with more fields than an update supports. */
export class TooManyFields extends RangeError {
  readonly hint =
    'a filter can change single fields with tuple.set(); or leave the row out with a --filter';

  constructor(count: number) {
    const most = MAX_DECODED.toLocaleString('en-US');
    super(
      `an update takes up to ${most} fields, and the tuple has ${count.toLocaleString('en-US')}`,
    );
  }
}

/**
 * A view of one raw tuple. It decodes only the fields that are read, and keeps all other bytes.
 *
 * @example
 * const tuple = new Tuple(raw, new Map([['id', 0], ['name', 1]]));
 * tuple.set('name', String(tuple.get('name')).toUpperCase()).raw;
 */
export class Tuple implements Iterable<ExactValue> {
  /** The number of fields. */
  readonly length: number;

  /**
   * @param raw - one whole MessagePack array; never written to
   * @param names - zero-based positions by name, if there are any
   * @param places - the offsets of its fields, if they are known: a walk over a large tuple takes seconds
   * @throws TypeError for anything but an array
   */
  constructor(
    readonly raw: Buffer,
    private readonly names: FieldNames = new Map(),
    readonly places?: Places,
  ) {
    const isTuple = raw.length > 0 && isArray(raw[0]!) && raw.length >= headerSize(raw, 0);
    if (!isTuple) throw new TypeError('a tuple is a MessagePack array');
    this.length = memberCount(raw, 0);
  }

  /**
   * Returns a tuple of these values.
   *
   * @param names - see the constructor
   * @throws RangeError for a value that does not fit, TypeError for a type that MessagePack does not have
   * @example
   * Tuple.from([1, 'Ann', Decimal.from('0.10')]);
   */
  static from(values: Iterable<unknown>, names?: FieldNames): Tuple {
    return new Tuple(joinFields(Array.from(values, (value, i) => encodeFor(i, value))), names);
  }

  /**
   * Returns the value of one field. No other field is decoded.
   *
   * @param field - zero-based, or a name
   * @returns undefined after the last field
   * @throws TypeError for a name that the format does not have; RangeError for more than 250,000 values
   * @example
   * tuple.get(0) === tuple.get('id');
   */
  get(field: number | string): ExactValue | undefined {
    const raw = this.bytes(this.position(field));
    if (raw === undefined) return undefined;
    spend(raw, field, MAX_DECODED);
    return decodeExact(raw);
  }

  /** Returns the bytes of one field, to be written elsewhere unchanged; see {@link get}. */
  field(field: number | string): Raw | undefined {
    const raw = this.bytes(this.position(field));
    return raw === undefined ? undefined : new Raw(raw);
  }

  *[Symbol.iterator](): Generator<ExactValue> {
    let pos = headerSize(this.raw, 0);
    let left = MAX_DECODED;
    for (let i = 0; i < this.length; i++) {
      const end = this.end(i, pos);
      left = spend(this.raw.subarray(pos, end), i, left);
      yield decodeExact(this.raw.subarray(pos, end));
      pos = end;
    }
  }

  /** Returns all values, decoded. */
  toArray(): ExactValue[] {
    return [...this];
  }

  /** Returns all values by name; fields without a name by their position. */
  toObject(): { [name: string]: ExactValue } {
    const named = new Map([...this.names].map(([name, position]) => [position, name]));
    return Object.fromEntries(this.toArray().map((value, i) => [named.get(i) ?? `${i}`, value]));
  }

  /**
   * Returns a tuple with another value in one field, or with one field more if `field` is its length.
   *
   * @returns this tuple if its bytes stay the same
   * @throws RangeError for a field after that, and for a value that does not fit; TypeError for a type that
   * MessagePack does not have, and for a name that the format does not have
   * @example
   * tuple.set('email', null).set('seen', new Date());
   */
  set(field: number | string, value: unknown): Tuple {
    const position = this.position(field);
    const encoded = encodeFor(field, value);
    if (position > this.length) {
      throw new RangeError(`field ${shown(field)} would leave a gap after ${this.length} fields`);
    }
    const body = headerSize(this.raw, 0);
    if (position === this.length) {
      const header = arrayHeader(this.length + 1);
      const longer = Buffer.concat([header, this.raw.subarray(body), encoded]);
      const lastAt = longer.length - encoded.length;
      const by = header.length - body;
      const { places } = this;
      return new Tuple(longer, this.names, places && placesBefore(places, position, by, lastAt));
    }
    const start = this.start(position);
    const end = this.end(position, start);
    const { raw } = this;
    const size = encoded.length;
    if (size === end - start && encoded.compare(raw, start, end) === 0) return this;
    // Copied by hand: a list of views for Buffer.concat costs more than the copy.
    const changed = Buffer.allocUnsafe(raw.length - (end - start) + size);
    raw.copy(changed, 0, 0, start);
    encoded.copy(changed, start);
    raw.copy(changed, start + size, end);
    const { places } = this;
    const by = size - (end - start);
    return new Tuple(changed, this.names, places && placesAfter(places, position, by));
  }

  /**
   * Returns the tuple after operations, which are applied one after the other.
   *
   * @returns this tuple if its bytes stay the same
   * @throws RangeError for a field that does not exist, TypeError for a value that the operator does not accept
   * @example
   * tuple.update([['+', 'visits', 1], ['=', 2, 'seen'], ['#', -1, 1]]);
   */
  update(operations: readonly TupleUpdate[]): Tuple {
    if (this.length > MAX_DECODED) throw new TooManyFields(this.length);
    if (this.places === undefined) this.behind(0);
    const fields = this.split();
    for (const operation of operations) this.apply(fields, operation);
    const header =
      fields.length === this.length
        ? this.raw.subarray(0, headerSize(this.raw, 0))
        : arrayHeader(fields.length);
    return this.replaced(Buffer.concat([header, ...fields]));
  }

  private apply(fields: Buffer[], operation: TupleUpdate): void {
    const [operator, field] = operation;
    const adds = operator === '!' || operator === '=';
    const position = this.counted(field, fields.length, operator === '!');
    const old = fields[position];
    if (position < 0 || (old === undefined && !(adds && position === fields.length))) {
      throw new RangeError(`'${operator}': field ${shown(field)} does not exist`);
    }
    if (operator === '#') {
      const count = operation[2];
      if (!Number.isSafeInteger(count) || count < 1)
        throw new RangeError("'#' takes a count from 1");
      fields.splice(position, count);
    } else if (adds) {
      fields.splice(position, operator === '!' ? 0 : 1, encodeFor(field, operation[2]));
    } else {
      spend(old!, field, MAX_DECODED);
      fields[position] = naming(field, () => changed(old!, operation));
    }
  }

  private counted(field: number | string, length: number, inserts: boolean): number {
    if (typeof field === 'string' || field >= 0) return this.position(field);
    return -1 - this.position(-1 - field) + length + (inserts ? 1 : 0);
  }

  private position(field: number | string): number {
    if (typeof field === 'number') {
      if (Number.isSafeInteger(field) && field >= 0) return field;
      throw new RangeError(`field ${field} does not exist: fields count from 0`);
    }
    const position = this.names.get(field);
    if (position !== undefined) return position;
    const known = [...this.names.keys()].map(shown).join(', ') || 'none';
    throw new TypeError(`field ${shown(field)} does not exist; known names: ${known}`);
  }

  private bytes(position: number): Buffer | undefined {
    if (position >= this.length) return undefined;
    const start = this.start(position);
    return this.raw.subarray(start, this.end(position, start));
  }

  private split(): Buffer[] {
    const { places } = this;
    if (places === undefined) return splitFields(this.raw);
    return Array.from({ length: this.length }, (_, i) => this.bytes(i)!);
  }

  private start(position: number): number {
    if (this.places !== undefined) return this.places(position);
    let pos = headerSize(this.raw, 0);
    for (let i = 0; i < position; i++) pos = this.behind(pos);
    return pos;
  }

  /** Returns the offset after a field that begins at `start`. */
  private end(position: number, start: number): number {
    if (this.places === undefined) return this.behind(start);
    return position + 1 < this.length ? this.places(position + 1) : this.raw.length;
  }

  private behind(start: number): number {
    const end = skip(this.raw, start, this.raw.length);
    if (end < 0) throw new RangeError(`the tuple is damaged at byte ${start}`);
    return end;
  }

  private replaced(raw: Buffer): Tuple {
    return raw.equals(this.raw) ? this : new Tuple(raw, this.names);
  }
}

type Changing = Exclude<TupleUpdate, readonly ['=' | '!' | '#', ...unknown[]]>;

function changed(old: Buffer, operation: TupleUpdate): Buffer {
  const [operator] = operation as Changing;
  switch (operator) {
    case '+':
    case '-':
      return calculate(operator, old, operation[2]);
    case '&':
    case '|':
    case '^':
      return bits(operator, old, operation[2]);
    case ':': {
      const [, , position, length, pasted] = operation as Extract<
        Changing,
        readonly [':', ...unknown[]]
      >;
      return splice(old, position, length, pasted);
    }
    default:
      throw new TypeError(`operator '${operator}' does not exist`);
  }
}

/**
 * Counts the values that will be decoded.
 *
 * @returns the number of values that are left
 * @throws TooManyValues if there are too many
 */
function spend(raw: Buffer, field: number | string, left: number): number {
  const rest = left - countValues(raw, left);
  if (rest < 0) throw new TooManyValues(field);
  return rest;
}

function encodeFor(field: number | string, value: unknown): Buffer {
  return naming(field, () => encode(value));
}

/** Adds the field to the message of an error. */
function naming<T>(field: number | string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    const Kind = error instanceof TypeError ? TypeError : RangeError;
    throw new Kind(`field ${shown(field)}: ${error.message}`, { cause: error });
  }
}

function shown(field: number | string): string {
  return typeof field === 'number' ? String(field) : `'${field}'`;
}
