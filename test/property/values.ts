import fc from 'fast-check';
import { coded } from '../support/msgpack.js';

/** A random MessagePack value, and what it is made of: the tests look for it in the bytes. */
export class Node {
  /**
   * @param children - elements of an array; keys and values in turn of a map
   */
  constructor(
    readonly raw: Buffer,
    readonly kind: 'leaf' | 'array' | 'map' = 'leaf',
    readonly children: readonly Node[] = [],
  ) {}

  /** Containers in each other. */
  get depth(): number {
    if (this.kind === 'leaf') return 0;
    return this.children.reduce((deepest, { depth }) => Math.max(deepest, depth), 0) + 1;
  }

  /** How a failure shows it. */
  [fc.toStringMethod](): string {
    return this.raw.toString('hex');
  }
}

/** A code, the bytes of the number behind it, and the largest number; with 0 bytes it is in the code. */
type Form = readonly [code: number, bytes: number, most: number | bigint];

/** Forms of 8, 16 and 32 bits, whose codes follow each other from `base`. */
const sizes = (base: number): Form[] => [0, 1, 2].map((i) => [base + i, 1 << i, 2 ** (8 << i) - 1]);
/** Of 16 and 32 bits alone: containers have no others. */
const counts = (base: number): Form[] => sizes(base - 1).slice(1);

const UNSIGNED: readonly Form[] = [[0, 0, 127], ...sizes(0xcc), [0xcf, 8, 2n ** 64n - 1n]];
const SIGNED: readonly Form[] = [0, 1, 2, 3].map((i) => [
  0xd0 + i,
  1 << i,
  2n ** BigInt((8 << i) - 1) - 1n,
]);
const STRING: readonly Form[] = [[0xa0, 0, 31], ...sizes(0xd9)];
const BINARY: readonly Form[] = sizes(0xc4);
const ARRAY: readonly Form[] = [[0x90, 0, 15], ...counts(0xdc)];
const MAP: readonly Form[] = [[0x80, 0, 15], ...counts(0xde)];
const EXTENSION: readonly Form[] = sizes(0xc7);

/** Which of the forms that fit is taken; 0, which shrinking ends at, is the shortest one. */
const form = fc.nat(3);

/** `value` in one of the forms that can hold it. */
function inForm(forms: readonly Form[], value: number | bigint, pick: number): Buffer {
  const fitting = forms.filter(([, , most]) => value <= most);
  const [code, bytes] = fitting[pick % fitting.length]!;
  return bytes === 0 ? Buffer.of(code + Number(value)) : coded(code, bytes, value);
}

const leaf = (raw: Buffer): Node => new Node(raw);

/** Numbers of all sizes, and those at which forms begin and end. */
const upTo = (bits: number): fc.Arbitrary<bigint> =>
  fc
    .tuple(fc.nat(bits), fc.bigInt(-2n, 2n), fc.boolean(), fc.bigInt(0n, 2n ** BigInt(bits) - 1n))
    .map(([power, near, isNear, any]) => (isNear ? 2n ** BigInt(power) + near : any))
    .filter((value) => value >= 0n && value < 2n ** BigInt(bits));

export const unsigned: fc.Arbitrary<Node> = fc
  .tuple(upTo(64), form)
  .map(([value, pick]) => leaf(inForm(UNSIGNED, value, pick)));

const negative = fc.tuple(upTo(63), form).map(([below, pick]) => {
  if (below < 32n && pick === 0) return leaf(Buffer.of(0xff - Number(below)));
  // what fits above zero fits below it, one further
  const fitting = SIGNED.filter(([, , most]) => below <= most);
  const [code, bytes] = fitting[pick % fitting.length]!;
  return leaf(coded(code, bytes, -1n - below));
});
const positiveWithSign = fc
  .tuple(upTo(63), form)
  .map(([value, pick]) => leaf(inForm(SIGNED, value, pick)));

export const integer: fc.Arbitrary<Node> = fc.oneof(unsigned, negative, positiveWithSign);

function float64(value: number): Node {
  const raw = Buffer.alloc(9, 0xcb);
  raw.writeDoubleBE(value, 1);
  return leaf(raw);
}

function float32(value: number): Node {
  const raw = Buffer.alloc(5, 0xca);
  raw.writeFloatBE(value, 1);
  return leaf(raw);
}

/** Of 64 bits, and a number: others have no place in the order of an index. */
export const double: fc.Arbitrary<Node> = fc
  .oneof(fc.double({ noNaN: true }), fc.integer())
  .map(float64);
const float = fc.float({ noNaN: true }).map(float32);

/** Any bits, among them those that are no number. */
const anyBits = (code: number, bytes: number): fc.Arbitrary<Node> =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((bits) => leaf(Buffer.concat([Buffer.of(code), bits])));
const notANumber = fc
  .constantFrom('cb7ff8000000000000', 'cb7ff0000000000001', 'cbfff8deadbeef0001', 'ca7f800001')
  .map((bytes) => leaf(Buffer.from(bytes, 'hex')));

const stringOf = (bytes: Uint8Array, pick: number): Node =>
  leaf(Buffer.concat([inForm(STRING, bytes.length, pick), bytes]));

/** Text in valid UTF-8. */
export const text: fc.Arbitrary<Node> = fc
  .tuple(fc.string({ unit: 'binary', maxLength: 40 }), form)
  .map(([value, pick]) => stringOf(Buffer.from(value), pick));
/** A string of any bytes. */
export const string: fc.Arbitrary<Node> = fc.oneof(
  text,
  fc.tuple(fc.uint8Array({ maxLength: 300 }), form).map(([bytes, pick]) => stringOf(bytes, pick)),
);

export const varbinary: fc.Arbitrary<Node> = fc
  .tuple(fc.uint8Array({ maxLength: 40 }), form)
  .map(([bytes, pick]) => leaf(Buffer.concat([inForm(BINARY, bytes.length, pick), bytes])));

export const boolean: fc.Arbitrary<Node> = fc
  .boolean()
  .map((value) => leaf(Buffer.of(value ? 0xc3 : 0xc2)));
export const nil: Node = leaf(Buffer.of(0xc0));

function extensionOf(type: number, payload: Uint8Array, pick: number): Node {
  const fixed = [1, 2, 4, 8, 16].indexOf(payload.length);
  const isFixed = fixed >= 0 && pick === 0;
  const head = isFixed ? Buffer.of(0xd4 + fixed) : inForm(EXTENSION, payload.length, pick);
  return leaf(Buffer.concat([head, Buffer.of(type & 0xff), payload]));
}

/** The server knows types up to 8, and looks into most of them. */
const unknownType = fc.oneof(fc.integer({ min: 9, max: 127 }), fc.integer({ min: -128, max: -1 }));
const unknown = fc
  .tuple(unknownType, fc.oneof(fc.uint8Array({ maxLength: 20 }), sized(1, 2, 4, 8, 16)), form)
  .map(([type, payload, pick]) => extensionOf(type, payload, pick));

function sized(...lengths: readonly number[]): fc.Arbitrary<Uint8Array> {
  return fc.oneof(...lengths.map((n) => fc.uint8Array({ minLength: n, maxLength: n })));
}

/** Digits as the server packs them: two in a byte, and the sign behind the last one. */
export const decimal: fc.Arbitrary<Node> = fc
  .tuple(fc.bigInt(0n, 10n ** 18n), fc.nat(18), fc.boolean(), form)
  .map(([digits, scale, isNegative, pick]) => {
    const packed = `${digits}${isNegative ? 'd' : 'c'}`;
    const hex = packed.padStart(packed.length + (packed.length % 2), '0');
    return extensionOf(1, Buffer.from(scale.toString(16).padStart(2, '0') + hex, 'hex'), pick);
  });

export const uuid: fc.Arbitrary<Node> = fc.tuple(sized(16), form).map(([bytes, pick]) => {
  const valid = Buffer.from(bytes);
  valid[8]! &= 0xdf; // the server knows no variant with these three bits
  return extensionOf(2, valid, pick);
});

export const number: fc.Arbitrary<Node> = fc.oneof(integer, double, float, decimal);
export const scalar: fc.Arbitrary<Node> = fc.oneof(boolean, number, string, varbinary);

/** An array of any of the values. */
export const arrayOf = (element: fc.Arbitrary<Node>, maxLength = 5): fc.Arbitrary<Node> =>
  fc.tuple(fc.array(element, { maxLength }), form).map(([elements, pick]) => array(elements, pick));

/** An array with a header of the chosen form. */
export function array(elements: readonly Node[], pick = 0): Node {
  const head = inForm(ARRAY, elements.length, pick);
  return new Node(Buffer.concat([head, ...elements.map(({ raw }) => raw)]), 'array', elements);
}

/** A map of any of the pairs. */
export const mapOf = (
  key: fc.Arbitrary<Node>,
  value: fc.Arbitrary<Node>,
  ...more: readonly (readonly [Node, Node])[]
): fc.Arbitrary<Node> =>
  fc.tuple(fc.array(fc.tuple(key, value), { maxLength: 4 }), form).map(([pairs, pick]) => {
    const all = [...pairs, ...more];
    const head = inForm(MAP, all.length, pick);
    const children = all.flat();
    return new Node(Buffer.concat([head, ...children.map(({ raw }) => raw)]), 'map', children);
  });

const { tree } = fc.letrec<{ tree: Node }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { arbitrary: fc.constant(nil), weight: 1 },
    { arbitrary: scalar, weight: 6 },
    { arbitrary: fc.oneof(anyBits(0xca, 4), anyBits(0xcb, 8), notANumber), weight: 1 },
    { arbitrary: fc.oneof(unknown, uuid), weight: 2 },
    { arbitrary: arrayOf(tie('tree')), weight: 3 },
    { arbitrary: mapOf(tie('tree'), tie('tree')), weight: 3 },
  ),
}));

/** A value of any type, in any of its forms, nested in any way. */
export const value: fc.Arbitrary<Node> = tree;

/** A value that a field of type 'any' takes: an extension that the server does not know has to be inside. */
export const fieldValue: fc.Arbitrary<Node> = fc.oneof(
  fc.constant(nil),
  scalar,
  notANumber,
  uuid,
  arrayOf(value),
  mapOf(value, value),
);

/** A tuple of any values. */
export const tuple: fc.Arbitrary<Node> = arrayOf(value, 20);
