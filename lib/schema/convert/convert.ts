import { decode } from '../../tuple/codec.js';
import { addPair, editArray, editMap } from '../../tuple/edit.js';
import { Catalog } from '../catalog/catalog.js';
import { editField } from '../catalog/rows.js';
import { Describer } from '../describe/describe.js';
import {
  CASE_SENSITIVE,
  CONVERTED_CONSTRAINTS,
  DEFAULT_VALUES,
  isGained,
  isLost,
  isOlder,
  type Release,
  showRelease,
  TUPLE_CONSTRAINTS,
  type Versions,
} from '../server/release.js';
import { Field, SYSTEM_SPACES, SystemSpace } from '../server/system-spaces.js';
import { Dialect, functionNamesOf, namesInCapitals, namesOf } from '../sql/dialect.js';
import { CatalogEditor } from './catalog-editor.js';
import { moveIntoSpaces, moveOutOfSpaces } from './constraints.js';
import { convertDefaults } from './defaults.js';
import { withoutInertOptions } from './inert-options.js';
import { upgradeRows } from './upgrade.js';

/** A backup in the form that servers of another release understand. */
export interface Conversion {
  backup: Catalog;
  /** One line for each object that is left out or changes its meaning on the target. */
  notes: string[];
  /** One line for each option that is left out and only affects speed. */
  hints: string[];
}

/** An option that an older server refuses, and that affects only speed, or nothing. */
interface Hint {
  since: Release;
  spaceId: number;
  field: number;
  key: string;
  /** The value of the option that has no effect, if other values have one. */
  value?: boolean;
}

/**
 * Options that may be left out. Source: `space_opts_reg`, `index_opts_reg` and `func_opts_reg` of the server's
 * `src/box/*_def.c`.
 */
const HINTS: readonly Hint[] = [
  {
    since: [2, 10],
    spaceId: SystemSpace.SPACE,
    field: Field.space.flags,
    key: 'defer_deletes',
  },
  { since: [2, 6, 1], spaceId: SystemSpace.INDEX, field: Field.index.options, key: 'hint' },
  {
    since: [2, 8, 1],
    spaceId: SystemSpace.INDEX,
    field: Field.index.parts,
    key: 'exclude_null',
    value: false,
  },
  {
    since: [2, 10],
    spaceId: SystemSpace.FUNC,
    field: Field.func.options,
    key: 'takes_raw_args',
    value: false,
  },
];

/** @returns one line for each option that is left out, unless its value is the default */
function dropHints(editor: CatalogEditor, source: Release, target: Release): string[] {
  const gone = HINTS.filter(({ since }) => isLost(since, source, target));
  if (gone.length === 0) return [];
  const lost: string[] = [];
  const describer = new Describer(editor.toCatalog(), new Catalog());
  for (const { since, spaceId, field, key, value } of gone) {
    const drop = (map: Buffer): Buffer =>
      editMap(map, (each, raw) =>
        each === key && (value === undefined || decode(raw) === value) ? undefined : raw,
      );
    editor.map(spaceId, (row) => {
      // A list of maps, or one map.
      const edited = editField(row, field, (raw) => drop(editArray(raw, drop)));
      if (edited !== row && value === undefined) {
        const needed = showRelease(since);
        lost.push(
          `${describer.row(spaceId, row)}: '${key}' is left out, because it needs ${needed}`,
        );
      }
      return edited;
    });
  }
  return lost;
}

/** From this release on, a space has its type in the option `type`. */
const SPACE_TYPES: Release = [3, 0];
const TRUE = Buffer.of(0xc3);

/** Converts types of spaces: data-temporary in 3.x is temporary in 2.x. The definition is kept, the rows are not. */
function convertTypes(editor: CatalogEditor): void {
  editor.map(SystemSpace.SPACE, (row) =>
    editField(row, Field.space.flags, (flags) => {
      let isTemporary = false;
      const without = editMap(flags, (key, raw) => {
        if (key !== 'type') return raw;
        const type = decode(raw);
        if (type === 'data-temporary') isTemporary = true;
        return isTemporary || type === 'normal' ? undefined : raw;
      });
      return isTemporary ? addPair(without, 'temporary', TRUE) : without;
    }),
  );
}

function translate(editor: CatalogEditor, dialect: Dialect): void {
  for (const spaceId of SYSTEM_SPACES) editor.map(spaceId, (row) => dialect.row(spaceId, row));
}

/** The last release whose SQL can have written a check outside its space. */
const LAST_OF_CHECKS: Release = [2, 10];

/**
 * Translates checks of 2.x. A newer server runs them unread, and reads them in its own dialect when the schema is
 * upgraded. Names that it would not find then are rewritten.
 */
function translateOldChecks(
  editor: CatalogEditor,
  server: Release,
  names: ReadonlySet<string>,
): void {
  if (isOlder(server, CASE_SENSITIVE)) return;
  const dialect = new Dialect(LAST_OF_CHECKS, server, names);
  editor.map(SystemSpace.CK_CONSTRAINT, (row) =>
    namesInCapitals(String(row.fields[Field.ckConstraint.code]), names)
      ? dialect.row(SystemSpace.CK_CONSTRAINT, row)
      : row,
  );
}

/** Returns true if nothing has to be rewritten between these versions. */
function isSame(source: Versions, target: Versions): boolean {
  const isOther = isOlder(source.server, target.server) || isOlder(target.server, source.server);
  return !isOther && !isOlder(source.schema, target.schema);
}

/**
 * Filters a backup for a server of another release, or for an upgraded schema: as the server's own upgrade does, and
 * back if that is exact. Anything that cannot be rewritten is kept as it is.
 *
 * The form of rows depends on the version of the schema. The meaning of SQL, defaults and options depends on the
 * release of the server, because each server reads them in its own way.
 *
 * @param original - the user's rows of the system spaces
 * @returns the same catalog if nothing has to be rewritten
 * @example
 * convert(catalog, versionsOf('2.6.0'), versionsOf('3.2.1')).backup;
 */
export function convert(original: Catalog, source: Versions, target: Versions): Conversion {
  if (isSame(source, target)) return { backup: original, notes: [], hints: [] };
  const [from, to] = [source.server, target.server];
  const editor = new CatalogEditor(original);
  upgradeRows(editor, source.schema);
  withoutInertOptions(editor, from, to);
  if (isGained(DEFAULT_VALUES, from, to)) convertDefaults(editor, from);
  // Servers enforce both forms of constraints by their own release. Rows that were not converted are enforced by no
  // server until the schema is upgraded.
  const isUnconverted = isOlder(source.schema, CONVERTED_CONSTRAINTS);
  const [names, functions] = [namesOf(original), functionNamesOf(original)];
  if (isUnconverted) translateOldChecks(editor, from, names);
  if (isUnconverted && !isOlder(to, TUPLE_CONSTRAINTS)) moveIntoSpaces(editor);
  if (isLost(TUPLE_CONSTRAINTS, from, to)) moveOutOfSpaces(editor);
  if (isLost(SPACE_TYPES, from, to)) convertTypes(editor);
  const hints = dropHints(editor, from, to);
  translate(editor, new Dialect(from, to, names, functions));
  return { backup: editor.toCatalog(), notes: editor.notes, hints };
}
