import { TntarError } from '../base/errors.js';
import { listOf, quoted, thereAre } from '../base/report.js';
import { Catalog, type SystemRow } from '../schema/catalog/catalog.js';
import { spaceEventOf } from '../schema/catalog/event-triggers.js';
import type { Head } from '../schema/catalog/preamble.js';
import { editField } from '../schema/catalog/rows.js';
import {
  Field,
  MAX_NAME_BYTES,
  SYSTEM_SPACE_NAMES,
  SystemSpace,
} from '../schema/server/system-spaces.js';
import { SpaceNames } from '../schema/sql/rename.js';
import { decode } from '../tuple/codec.js';
import { editArray } from '../tuple/edit.js';
import { str } from '../tuple/msgpack.js';
import type { Filter } from './filter.js';

/** Characters that a name cannot have, from `identifier_check()` of the server's `src/box/identifier.c`. */
const UNPRINTABLE = /[\p{Cc}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/u;

function checkName(name: string): void {
  if (name === '') throw new TntarError('usage', 'a space cannot have an empty name');
  if (UNPRINTABLE.test(name)) {
    throw new TntarError('usage', `${quoted(name)} has characters that a space name cannot have`);
  }
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw new TntarError(
      'usage',
      `${quoted(name)} is longer than ${MAX_NAME_BYTES} bytes, the limit of a name`,
    );
  }
  if ([...SYSTEM_SPACE_NAMES.values()].includes(name)) {
    throw new TntarError('usage', `${quoted(name)} is a system space`);
  }
}

/**
 * Checks the names of renamed spaces.
 *
 * @throws TntarError of kind `usage` if a name does not exist, is invalid, or would exist twice
 */
function checkNames(renames: ReadonlyMap<string, string>, names: readonly string[]): void {
  const missing = [...renames.keys()].filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new TntarError('usage', `no space is named ${listOf(missing.map(quoted))}`, {
      hint: thereAre(names),
    });
  }
  for (const name of renames.values()) checkName(name);
  const seen = new Set<string>();
  for (const name of names.map((old) => renames.get(old) ?? old)) {
    if (seen.has(name)) {
      throw new TntarError('usage', `two spaces would have the name ${quoted(name)}`);
    }
    seen.add(name);
  }
}

/** Renames spaces in the events that call a function as a trigger. */
function renamedEvents(raw: Buffer, renames: ReadonlyMap<string, string>): Buffer {
  return editArray(raw, (bytes) => {
    const event = spaceEventOf(String(decode(bytes)));
    const next = typeof event?.space === 'string' ? renames.get(event.space) : undefined;
    return event === undefined || next === undefined ? bytes : str(event.of(next));
  });
}

function renamed({ manifest, catalog }: Head, renames: ReadonlyMap<string, string>): Head {
  const inSql = new SpaceNames(renames, catalog, manifest.server.version);
  const ids = new Set(catalog.spaces.map(({ id }) => id));
  const rename = (spaceId: number, row: SystemRow): SystemRow => {
    const edited = inSql.row(spaceId, row);
    if (spaceId === SystemSpace.FUNC) {
      return editField(edited, Field.func.trigger, (events) => renamedEvents(events, renames));
    }
    if (spaceId !== SystemSpace.SPACE || !ids.has(Number(row.fields[Field.space.id]))) {
      return edited;
    }
    const name = renames.get(String(row.fields[Field.space.name]));
    return name === undefined ? edited : editField(edited, Field.space.name, () => str(name));
  };
  const rowsOf = (id: number): SystemRow[] => catalog.rows(id).map((row) => rename(id, row));
  return { manifest, catalog: Catalog.of(rowsOf) };
}

/**
 * Renames spaces, all at once, so that two can swap their names. References to a space are updated, also in SQL.
 * Sequences keep their names, and Lua is not changed.
 *
 * @param renames - from the old name to the new one
 * @returns a filter that throws a TntarError of kind `usage`, before the first row, for names that do not exist or
 * would exist twice, and if it is not certain that SQL means the space
 * @example
 * await restore(input, target, { filters: [renameSpaces(new Map([['users', 'people']]))] });
 */
export function renameSpaces(renames: ReadonlyMap<string, string>): Filter {
  const words = [...renames].map(
    ([old, name]) => `space ${quoted(old)} is renamed to ${quoted(name)}`,
  );
  return {
    changed: words.join(', '),
    head(head) {
      checkNames(
        renames,
        head.catalog.spaces.map(({ name }) => name),
      );
      return { head: renamed(head, renames) };
    },
  };
}
