import fc from 'fast-check';
import {
  contents,
  type Entry,
  entryContents,
  framed,
  jsonEntry,
  manifest,
  sealed,
} from '../support/archive-builder.js';
import { type Edit, edit, edited, editedBytes } from './edits.js';
import { tuple } from './values.js';

/** Rows of one space, in parts. */
const parts = fc.array(fc.array(tuple, { minLength: 1, maxLength: 6 }), {
  minLength: 0,
  maxLength: 3,
});

/** The entries of an archive of random rows, without its trailer. */
export const entries: fc.Arbitrary<Entry[]> = fc
  .array(parts, { minLength: 1, maxLength: 3 })
  .map((spaces) => {
    const listed = spaces.map((_, i) => ({
      id: 512 + i,
      name: `space ${i}`,
      engine: i % 2 === 0 ? 'memtx' : 'vinyl',
      format: [],
      rowsFrom: 'snapshot',
    }));
    const rows = spaces.flatMap((of, i) =>
      of.map((tuples, part) => ({
        name: of.length === 1 ? `${512 + i}.dump` : `${512 + i}.dump.${`${part}`.padStart(5, '0')}`,
        body: Buffer.concat(tuples.map(({ raw }) => raw)),
        rows: tuples.length,
      })),
    );
    return [jsonEntry('manifest.json', manifest({ spaces: listed })), ...rows];
  });

/**
 * A change of an archive: of its bytes as they are; of what a frame holds, which is compressed again, so
 * that its checksum is right; of the order and number of its frames, or of its entries.
 */
export type Mutation =
  | { of: 'bytes' | 'frames' | 'entries'; edit: Edit }
  | { of: 'content'; frame: number; edit: Edit };

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ of: fc.constant('bytes' as const), edit: edit(64) }),
  fc.record({ of: fc.constant('content' as const), frame: fc.nat(99), edit: edit(64) }),
  fc.record({ of: fc.constantFrom('frames' as const, 'entries' as const), edit: edit(3) }),
);

/** The archive of `given` after a mutation; what comes in from elsewhere is of the archive of `other`. */
export function mutated(given: Entry[], other: Entry[], change: Mutation): Buffer {
  const whole = contents(sealed(given));
  switch (change.of) {
    case 'bytes':
      return editedBytes(framed(whole), change.edit);
    case 'frames':
      return framed(edited(whole, change.edit, contents(sealed(other))));
    case 'entries':
      return framed([
        ...edited(sealed(given), change.edit, sealed(other)).flatMap(entryContents),
        whole.at(-1)!,
      ]);
    case 'content': {
      const at = change.frame % whole.length;
      return framed(whole.with(at, editedBytes(whole[at]!, change.edit)));
    }
  }
}
