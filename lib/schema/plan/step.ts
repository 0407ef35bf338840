interface AnyStep {
  /** The system space that is written to. */
  spaceId: number;
  /** For messages, e.g. `index 'pk' of space 'users'`. */
  what: string;
}

/** Writes one row of a system space. */
export interface WriteStep extends AnyStep {
  /** `replace` if the target may already have such a row. */
  verb: 'insert' | 'replace';
  row: Buffer;
  /** Lua or SQL in the row. */
  code?: string;
}

/** Removes one row of a system space. */
export interface DeleteStep extends AnyStep {
  verb: 'delete';
  /** The primary key of the row, as an array. */
  key: Buffer;
}

/** Removes all rows of a user's space. */
export interface TruncateStep extends AnyStep {
  verb: 'truncate';
  /** The id of the space. */
  emptied: number;
}

/** One change of the definitions on the target, or one space to be emptied. */
export type Step = WriteStep | DeleteStep | TruncateStep;

export function isWrite(step: Step): step is WriteStep {
  return step.verb === 'insert' || step.verb === 'replace';
}

/** A part of a plan: steps in their order, and lines to show to the user. */
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
 * Joins parts in their order, without repeated lines.
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
