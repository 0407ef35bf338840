import { Row } from './row.js';

/**
 * Returns the offset of an existing field of one tuple, without a walk over the fields before it, which takes seconds
 * if the tuple is large.
 */
export type Places = (fieldNo: number) => number;

/**
 * Finds the offsets of all fields by one walk, in turns.
 *
 * @param raw - one whole tuple
 * @example
 * new Tuple(raw, names, await inTurns(placesInTurns(raw)));
 */
export function* placesInTurns(raw: Buffer): Generator<void, Places> {
  const row = new Row();
  yield* row.readInTurns(raw, 0);
  return (fieldNo) => row.at(fieldNo);
}

/** Returns the offsets in a tuple with one field that has become longer by some bytes. */
export function placesAfter(places: Places, changedNo: number, by: number): Places {
  return (fieldNo) => places(fieldNo) + (fieldNo > changedNo ? by : 0);
}

/**
 * Returns the offsets in a tuple that has one field more.
 *
 * @param by - the number of bytes that its header has grown by
 * @param lastAt - the offset of the new field
 */
export function placesBefore(places: Places, lastNo: number, by: number, lastAt: number): Places {
  return (fieldNo) => (fieldNo < lastNo ? places(fieldNo) + by : lastAt);
}
