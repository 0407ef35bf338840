/** One row to be put into a system space of the target, or to be taken away from it. */
export interface Step {
  spaceId: number;
  /** Replace where the target may have such a row by itself; truncate empties a space of users. */
  verb: 'insert' | 'replace' | 'delete' | 'truncate';
  /** For a delete: the primary key. For a truncate: the id of the space, as a key. */
  row: Buffer;
  /** For messages, e.g. `index 'pk' of space 'users'`. */
  what: string;
  /** Lua or SQL that comes with it. */
  code?: string;
}

/** A part of a plan: steps in their order, and what people are told about them, one line each. */
export interface Part {
  steps: Step[];
  /** Reasons why the target cannot take the backup. With any of them, nothing may be written. */
  conflicts: string[];
  /** Things that differ on the target, or that only the target has. */
  notes: string[];
  /** Things of the backup that are left out, with the reasons. */
  omissions: string[];
}

/**
 * Joins parts in their order. No line is said twice.
 *
 * @example
 * joinParts([{ steps }, { omissions: ['all rows'] }]);
 */
export function joinParts(parts: readonly Partial<Part>[]): Part {
  const lines = (of: 'conflicts' | 'notes' | 'omissions'): string[] => [
    ...new Set(parts.flatMap((part) => part[of] ?? [])),
  ];
  return {
    steps: parts.flatMap(({ steps = [] }) => steps),
    conflicts: lines('conflicts'),
    notes: lines('notes'),
    omissions: lines('omissions'),
  };
}
