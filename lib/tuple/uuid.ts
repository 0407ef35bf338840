import { Carried, extension } from './exact-types.js';

/** The type of a UUID: `MP_UUID` of the server's `src/lib/core/mp_extension_types.h`. */
const TYPE = 2;
const BYTES = 16;

/**
 * A UUID, for `tuple.set` and from `tuple.get`.
 *
 * @example
 * String(Uuid.from('64D22E4D-AC92-4A23-899A-E59F34AF5479')); // in lower case
 */
export class Uuid extends Carried {
  private constructor(
    private readonly text: string,
    readonly raw: Buffer,
  ) {
    super();
  }

  /**
   * @param text - 32 hexadecimal digits in five groups
   * @throws TypeError for any other text
   */
  static from(text: string): Uuid {
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) {
      throw new TypeError(`'${String(text).slice(0, 100)}' is not a UUID`);
    }
    return Uuid.fromBytes(Buffer.from(text.replaceAll('-', ''), 'hex'));
  }

  /**
   * @param bytes - 16 of them
   * @throws TypeError for another number of bytes, and for anything but bytes
   */
  static fromBytes(bytes: Uint8Array): Uuid {
    const payload = bytes instanceof Uint8Array ? Buffer.from(bytes) : Buffer.alloc(0);
    const uuid = Uuid.read(payload, extension(TYPE, payload));
    if (uuid === undefined) throw new TypeError(`a UUID must have ${BYTES} bytes`);
    return uuid;
  }

  /**
   * Reads a UUID.
   *
   * @returns undefined if the payload is not a UUID
   */
  static read(payload: Buffer, raw: Buffer): Uuid | undefined {
    if (payload.length !== BYTES) return undefined;
    const hex = payload.toString('hex');
    return new Uuid(hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'), raw);
  }

  override toString(): string {
    return this.text;
  }

  toJSON(): string {
    return this.text;
  }
}
