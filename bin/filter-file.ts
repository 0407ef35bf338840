import { Console } from 'node:console';
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf, TntarError } from '../lib/errors.js';
import type { Filter } from '../lib/filters/filter.js';

const EXAMPLE = 'export default (space, tuple) => tuple;';
const TYPES = "import type { Filter } from 'tntar';";

function cannotLoad(file: string, why: string, hint: string): TntarError {
  return new TntarError('usage', `cannot load the filter ${file}: ${why}`, { hint });
}

function hintFor(error: unknown): string {
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

/** A filter of a user's, and what it is called in messages. */
export interface LoadedFilter {
  filter: Filter;
  name: string;
}

/**
 * Loads a module whose default export is a filter.
 *
 * @throws TntarError of kind `usage`
 */
export async function loadFilter(file: string): Promise<LoadedFilter> {
  const path = resolve(file);
  if (!existsSync(path)) throw cannotLoad(file, 'there is no such file', 'is the name right?');
  // Standard output may be the archive: what a filter prints is for people.
  globalThis.console = new Console(process.stderr);
  let loaded: { default?: unknown };
  try {
    loaded = await import(pathToFileURL(path).href);
  } catch (error) {
    throw cannotLoad(file, messageOf(error), hintFor(error));
  }
  if (typeof loaded.default !== 'function') {
    throw cannotLoad(file, 'its default export is no function', `write: ${EXAMPLE}`);
  }
  return { filter: loaded.default as Filter, name: `filter ${basename(file)}` };
}
