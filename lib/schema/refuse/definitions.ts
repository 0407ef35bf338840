import { indexBy } from '../../base/collections.js';
import { quoted } from '../../base/report.js';
import type { Value } from '../../tuple/codec.js';
import type { Catalog, SystemRow } from '../catalog/catalog.js';
import { foreignKeysOf } from '../catalog/foreign-keys.js';
import { arrayOf, tableOf } from '../catalog/rows.js';
import { Describer } from '../describe/describe.js';
import { isOlder, type Release } from '../server/release.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import { hashesIn } from '../trust/passwords.js';
import { type Around, type Check, nameProblem } from './checks.js';
import { functionProblem } from './functions.js';
import { filledProblem, indexProblem } from './indexes.js';
import { spaceProblem } from './spaces.js';
import { viewsInCircles } from './views.js';

/**
 * Finds definitions that a server is certain to refuse, before anything is written or dropped.
 *
 * Source: the functions `…_new_from_tuple()` of the server's `src/box/alter.cc` and what they call.
 */

const index: Check = (fields, { spaces, release, collations, primaryKeys }) => {
  const of = spaces.get(fields[Field.index.spaceId]!);
  // Such an index is left out.
  if (of === undefined) return undefined;
  if (fields[Field.index.id] !== 0 && !primaryKeys.has(fields[Field.index.spaceId]!)) {
    return 'its space has no primary index';
  }
  const problem = nameProblem(fields[Field.index.name]);
  return problem ?? indexProblem(fields, of, release, collations);
};

const MOST = 2n ** 63n - 1n;
const LEAST = -(2n ** 63n);

const sequence: Check = (fields) => {
  const { name, step, min, max, start } = Field.sequence;
  const [by, least, most, first] = [step, min, max, start].map((at) =>
    BigInt(fields[at] as number | bigint),
  ) as [bigint, bigint, bigint, bigint];
  if ([by, least, most, first].some((value) => value > MOST || value < LEAST)) {
    return 'one of its numbers does not fit into 64 bits';
  }
  if (by === 0n) return 'its step is 0';
  if (least > most) return `its minimum ${least} is greater than its maximum ${most}`;
  if (first < least || first > most)
    return `its start ${first} is not between ${least} and ${most}`;
  return nameProblem(fields[name]);
};

const sequenceData: Check = (fields, { sequences }) => {
  const of = sequences.get(fields[Field.sequenceData.id]!);
  const value = BigInt(fields[Field.sequenceData.value] as number | bigint);
  if (of === undefined) return undefined;
  return value > MOST || value < LEAST ? 'its value does not fit into 64 bits' : undefined;
};

/** The length of a hash of `chap-sha1`: `SCRAMBLE_BASE64_SIZE` of the server's `src/scramble.h`. */
const HASH_LENGTH = 28;
/** Before this release, an empty hash means that there is none, and nobody can log in with it. */
const AUTH_METHODS: Release = [2, 11];

const user: Check = (fields, { release }) => {
  const { name, type, auth } = Field.user;
  const kind = fields[type];
  if (kind !== 'user' && kind !== 'role') return `it is neither a user nor a role, but a '${kind}'`;
  const methods = Object.entries(tableOf(fields[auth]));
  if (kind === 'role' && methods.length > 0) return 'a role cannot have a password';
  const isHash = (hash: Value): boolean =>
    typeof hash === 'string' &&
    (hash.length === HASH_LENGTH || (hash === '' && isOlder(release, AUTH_METHODS)));
  if (!hashesIn(fields[auth]).every(isHash)) return 'its password is not a hash';
  return nameProblem(fields[name]);
};

const STRENGTHS: ReadonlySet<Value> = new Set([
  ...['primary', 'secondary', 'tertiary', 'quaternary', 'identical', 'default'],
]);
/** Options of collations: `coll_icu_opts_reg` of the server's `src/lib/coll/coll_def.c`. */
const COLLATION_OPTIONS: ReadonlySet<string> = new Set([
  ...['french_collation', 'alternate_handling', 'case_first', 'case_level'],
  ...['normalization_mode', 'strength', 'numeric_collation'],
]);

const collation: Check = (fields) => {
  const { name, type, options } = Field.collation;
  const kind = String(fields[type]).toUpperCase();
  if (kind !== 'ICU' && kind !== 'BINARY')
    return `servers do not know the type '${fields[type]}' of a collation`;
  const given = tableOf(fields[options]);
  const option = Object.keys(given).find((key) => !COLLATION_OPTIONS.has(key));
  if (option !== undefined) return `servers do not know the option '${option}' of a collation`;
  const strength = given['strength'];
  if (strength !== undefined && !STRENGTHS.has(String(strength).toLowerCase())) {
    return `strength '${strength}' does not exist`;
  }
  return nameProblem(fields[name]);
};

const trigger: Check = (fields) => {
  const options = fields[Field.trigger.options];
  return typeof tableOf(options)['sql'] === 'string' ? undefined : 'it has no SQL';
};

const check: Check = (fields) => {
  const language = String(fields[Field.ckConstraint.code - 1]);
  return language.toUpperCase() === 'SQL' ? undefined : `its language is '${language}'`;
};

const KEY_ACTIONS: ReadonlySet<Value> = new Set([
  ...['no_action', 'set_null', 'restrict', 'set_default', 'cascade'],
]);

const foreignKey: Check = (fields, { spaces }) => {
  const { childId, parentId, onDelete, onUpdate, childColumns, parentColumns } = Field.fkConstraint;
  const action = [onDelete, onUpdate].find(
    (at) => !KEY_ACTIONS.has(String(fields[at]).toLowerCase()),
  );
  if (action !== undefined) return `action '${fields[action]}' does not exist`;
  for (const [id, at] of [
    [childId, childColumns],
    [parentId, parentColumns],
  ] as const) {
    const columns = spaces.get(fields[id]!)?.format.length;
    const beyond = arrayOf(fields[at]).find(
      (each) => columns !== undefined && Number(each) >= columns,
    );
    if (beyond !== undefined) return `field ${Number(beyond) + 1} does not exist`;
  }
  return arrayOf(fields[childColumns]).length === 0 ? 'it has no fields' : undefined;
};

const spaceSequence: Check = (fields, { primaryKeys }) => {
  const [id, , , field, path] = fields;
  const primaryKey = primaryKeys.get(id!);
  if (primaryKey === undefined || typeof field !== 'number') return undefined;
  return filledProblem(primaryKey, field, typeof path === 'string' ? path : '');
};

const CHECKS: ReadonlyMap<number, Check> = new Map<number, Check>([
  [SystemSpace.COLLATION, collation],
  [SystemSpace.USER, user],
  [SystemSpace.FUNC, functionProblem],
  [SystemSpace.SEQUENCE, sequence],
  [SystemSpace.SEQUENCE_DATA, sequenceData],
  [SystemSpace.SPACE, spaceProblem],
  [SystemSpace.INDEX, index],
  [SystemSpace.SPACE_SEQUENCE, spaceSequence],
  [SystemSpace.TRIGGER, trigger],
  [SystemSpace.CK_CONSTRAINT, check],
  [SystemSpace.FK_CONSTRAINT, foreignKey],
]);

function aroundOf(backup: Catalog, target: Catalog, release: Release): Around {
  const ids = (catalog: Catalog, spaceId: number): Value[] =>
    catalog.rows(spaceId).map(({ fields }) => fields[0]!);
  return {
    release,
    collations: new Set([
      ...ids(backup, SystemSpace.COLLATION),
      ...ids(target, SystemSpace.COLLATION),
    ]),
    spaces: indexBy(backup.spaces, ({ id }) => id),
    primaryKeys: new Map(
      backup
        .rows(SystemSpace.INDEX)
        .filter(({ fields }) => fields[Field.index.id] === 0)
        .map(({ fields }) => [fields[Field.index.spaceId]!, fields]),
    ),
    sequences: new Map(backup.rows(SystemSpace.SEQUENCE).map(({ fields }) => [fields[0]!, fields])),
  };
}

/** Before this release, a foreign key in the format of a space is a custom key without effect. */
const KEYS_OF_TUPLES: Release = [2, 10];

/** Lists foreign keys that refer to spaces that are neither in the backup nor on the target. */
function lostParents(rows: readonly SystemRow[], backup: Catalog, target: Catalog): string[] {
  const there = new Set([...backup.spaces, ...target.spaces].map(({ id }) => id));
  const keys = rows.flatMap(({ fields }) => foreignKeysOf(fields));
  return keys.flatMap(({ name, parentId, fields }) => {
    if (!there.has(parentId))
      return `foreign key ${quoted(name)}: space ${parentId} does not exist`;
    return fields.length === 0 ? `foreign key ${quoted(name)} has no fields` : [];
  });
}

/**
 * Lists definitions that the target is certain to refuse, one line each.
 *
 * @param backup - in the form for the target, except for ids
 * @param target - all rows of the target's system spaces
 * @param rowsOf - returns the rows of a system space that the restore writes
 * @example
 * refusedDefinitions(backup, target, [2, 6], (id) => backup.userRows(id)); // ["sequence 'ids': its step is 0"]
 */
export function refusedDefinitions(
  backup: Catalog,
  target: Catalog,
  release: Release,
  rowsOf: (spaceId: number) => readonly SystemRow[],
): string[] {
  const around = aroundOf(backup, target, release);
  const describer = new Describer(backup, target);
  const refused: string[] = [];
  for (const [spaceId, problemOf] of CHECKS) {
    for (const row of rowsOf(spaceId)) {
      const problem = problemOf(row.fields, around);
      if (problem !== undefined) refused.push(`${describer.row(spaceId, row)}: ${problem}`);
    }
  }
  const spaces = rowsOf(SystemSpace.SPACE);
  const keys = isOlder(release, KEYS_OF_TUPLES) ? [] : lostParents(spaces, backup, target);
  return [...refused, ...keys, ...viewsInCircles(spaces, release)];
}
