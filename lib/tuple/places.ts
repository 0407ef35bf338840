import { Row } from './row.js';

/**
 * Tells where a field of one tuple begins. It does so for the fields that the tuple has, and without a walk over
 * those before, which takes seconds where a tuple is large.
 */
export type Places = (fieldNo: number) => number;

/**
 * Finds the places of all fields by one walk, in turns.
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

/** Returns the places in a tuple of which one field has become longer, by so many bytes. */
export function placesAfter(places: Places, changedNo: number, by: number): Places {
  return (fieldNo) => places(fieldNo) + (fieldNo > changedNo ? by : 0);
}

/**
 * Returns the places in a tuple that has one field more.
 *
 * @param by - bytes by which its header has become longer
 * @param lastAt - where the new field begins
 */
export function placesBefore(places: Places, lastNo: number, by: number, lastAt: number): Places {
  return (fieldNo) => (fieldNo < lastNo ? places(fieldNo) + by : lastAt);
}
