import { spawnSync } from 'node:child_process';
import { Console } from 'node:console';
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAwake } from '../../lib/base/awake.js';
import { messageOf, TntarError } from '../../lib/base/errors.js';
import type { RowFilter } from '../../lib/filters/row-filter.js';

const EXAMPLE = 'export default (space, tuple) => tuple;';
const TYPES = "import type { RowFilter } from 'tntar';";

/** Enough for a module that fetches what it needs; without an end it might wait for ever. */
const LOADING_MS = 60_000;

function cannotLoad(file: string, why: string, hint: string, cause?: unknown): TntarError {
  return new TntarError('usage', `cannot load the filter ${file}: ${why}`, { hint, cause });
}

function hintFor(error: unknown): string {
  if (error instanceof TntarError && error.hint !== undefined) return error.hint;
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      if (!/"\.[cm]?ts"/.test(messageOf(error))) break;
      return `Node ${process.versions.node} does not load TypeScript by itself (22.18 does): compile it, or write .mjs`;
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
    case 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING':
      return 'Node takes types away, and does no more, and not in node_modules: write it without, or compile it';
    case 'ERR_MODULE_NOT_FOUND':
      return `it may import a file by its whole name (./names.mjs), or what is installed where it lies; types by: ${TYPES}`;
  }
  return `it has to be an ES module (.mjs) such as: ${EXAMPLE}`;
}

/** The start of the text that Node prints for a syntax error. */
const PLACE = /^(?!node:)(\S.*):(\d+)$/;

/**
 * Where a module cannot be read, e.g. `, at /etc/clean.mjs:3`. An error of `import` knows that only where
 * two modules do not fit; of all else it is known to what prints it, and so asked of `node --check`.
 */
function placeOf(error: unknown, path: string): string {
  if (!(error instanceof SyntaxError)) return '';
  const [first = ''] = (error.stack ?? '').split('\n', 1);
  const told = PLACE.test(first) ? first : printedOf(path);
  const [, file, line] = PLACE.exec(told) ?? [];
  if (file === undefined) return '';
  return `, at ${file.startsWith('file:') ? fileURLToPath(file) : file}:${line}`;
}

function printedOf(path: string): string {
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8' });
  return stderr.split('\n', 1)[0] ?? '';
}

/** Loads a module, which may wait at its top for what takes long, or never comes. */
function importWithin(
  url: string,
  limitMs: number,
  signal: AbortSignal,
): Promise<{ default?: unknown }> {
  return new Promise((resolve, reject) => {
    const onStop = (): void => reject(signal.reason);
    signal.addEventListener('abort', onStop, { once: true });
    const tooLate = new TntarError('usage', `it did not load within ${limitMs / 1000} s`, {
      hint: 'check what the filter awaits at its top level',
    });
    const cancel = afterAwake(limitMs, () => reject(tooLate));
    import(url).then(resolve, reject).finally(() => {
      cancel();
      signal.removeEventListener('abort', onStop);
    });
  });
}

/** A filter of a user's, and what it is called in messages. */
export interface LoadedFilter {
  filter: RowFilter;
  name: string;
}

/**
 * Loads a module whose default export is a filter.
 *
 * @param signal - ends the wait for a module that takes long
 * @param limitMs - how long that may take
 * @throws TntarError of kind `usage`
 */
export async function loadFilter(
  file: string,
  signal: AbortSignal,
  limitMs = LOADING_MS,
): Promise<LoadedFilter> {
  const path = resolve(file);
  if (!existsSync(path))
    throw cannotLoad(file, 'the file does not exist', 'check the name of the file');
  // Standard output may be the archive: what a filter prints is for people.
  globalThis.console = new Console(process.stderr);
  let loaded: { default?: unknown };
  try {
    loaded = await importWithin(pathToFileURL(path).href, limitMs, signal);
  } catch (error) {
    const why = messageOf(error) + placeOf(error, path);
    throw cannotLoad(file, why, hintFor(error), error);
  }
  if (typeof loaded.default !== 'function') {
    throw cannotLoad(file, 'its default export is not a function', `write: ${EXAMPLE}`);
  }
  return { filter: loaded.default as RowFilter, name: `filter ${basename(file)}` };
}
