import { archive, jsonEntry, manifest, rowsEntry, sealed } from './archive-builder.js';
import type { Plain } from './msgpack.js';

/** Rows of system spaces, by the id of the space. */
export type SystemRows = Readonly<Record<number, readonly (readonly Plain[])[]>>;

/** Rows of users' spaces, by the id of the space. */
export type UserRows = SystemRows;

/** A whole archive whose definitions are these rows, whether a server can have them or not. */
export function crafted(system: SystemRows, version: string, rows: UserRows = {}): Buffer {
  const spaces = (system[280] ?? []).map(([id, , name, engine, , , format]) => ({
    ...{ id, name, engine, format },
    rowsFrom: rows[Number(id)] === undefined ? 'none' : 'snapshot',
  }));
  const server = { version, uuid: '00000000-0000-4000-8000-000000000000' };
  const entries = Object.entries({ ...system, ...rows })
    .filter(([, list]) => list.length > 0)
    .map(([id, list]) => rowsEntry(`${id}.dump`, ...list));
  return archive(sealed([jsonEntry('manifest.json', manifest({ spaces, server })), ...entries]));
}

/** A row of `_func` of a function in Lua, as servers from 2.2.1 on have it. */
export function functionRow(
  id: number,
  name: string,
  given: { owner?: number; setuid?: number; language?: string; body?: string } = {},
): Plain[] {
  const { owner = 1, setuid = 0, language = 'LUA', body = 'function() end' } = given;
  return [
    ...[id, owner, name, setuid, language, body, 'function', [], 'any', 'none', 'none'],
    ...[true, true, true, ['LUA', 'SQL'], {}, '', '', ''],
  ];
}
