import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { countTuples, eachTuple } from '../../lib/backup/batch.js';
import { decode, decodeExact, encode } from '../../lib/tuple/codec.js';
import { editArray, editMap } from '../../lib/tuple/edit.js';
import { joinFields, splitFields } from '../../lib/tuple/fields.js';
import {
  headerSize,
  INCOMPLETE,
  INVALID,
  isArray,
  nestsDeeper,
  skip,
} from '../../lib/tuple/msgpack.js';

/** What `decodeExact` takes, and what rows of system spaces may have where they are decoded. */
const MAX_DEPTH = 512;

function checkTuple(raw: Buffer): void {
  const head = headerSize(raw, 0);
  const joined = joinFields(splitFields(raw));
  ok(joined.subarray(headerSize(joined, 0)).equals(raw.subarray(head)));
}

/** Reads `data` as MessagePack: the first value of it, and all of it as tuples. */
export function fuzz(data: Buffer): void {
  const counted = countTuples(data);
  if ('count' in counted) equal([...eachTuple(data)].length, counted.count);
  else throws(() => [...eachTuple(data)], RangeError);

  const end = skip(data, 0, data.length);
  if (end < 0) {
    ok(end === INCOMPLETE || end === INVALID);
    return;
  }
  ok(end > 0 && end <= data.length);
  equal(skip(data, 0, end - 1), INCOMPLETE);
  const raw = data.subarray(0, end);
  ok(editArray(raw, (element) => element) === raw);
  if (isArray(raw[0]!)) checkTuple(raw);
  if (nestsDeeper(raw, MAX_DEPTH)) {
    throws(() => decodeExact(raw), RangeError);
    return;
  }
  ok(editMap(raw, (_, value) => value) === raw);
  decode(raw);
  const written = encode(decodeExact(raw));
  deepEqual(encode(decodeExact(written)), written);
}
