import { counted, quoted } from '../../base/report.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Release } from '../server/release.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import { isKeyword, isWord, tokensOf, unquote } from './tokens.js';

/**
 * Built-in functions of SQL with the number of their arguments: `2`, `1-2`, or `2+` for any number from 2 on.
 *
 * Source: `dictionaries` of the server's `src/box/sql/func.c`, the same from 2.11 on. `TRIM` has a grammar
 * of its own.
 */
const ARGUMENTS = `ABS 1, AVG 1, CHAR 0+, CHARACTER_LENGTH 1, CHAR_LENGTH 1, COALESCE 2+, COUNT 0-1,
  DATE_PART 2, GREATEST 2+, GROUP_CONCAT 1-2, HEX 1, IFNULL 2, LEAST 2+, LENGTH 1, LIKE 2-3, LIKELIHOOD 2,
  LIKELY 1, LOWER 1, MAX 1, MIN 1, NOW 0, NULLIF 2, POSITION 2, PRINTF 0+, QUOTE 1, RANDOM 0, RANDOMBLOB 1,
  REPLACE 3, ROUND 1-2, ROW_COUNT 0, SOUNDEX 1, SUBSTR 2-3, SUM 1, TOTAL 1, TRIM 0+, TYPEOF 1, UNICODE 1,
  UNLIKELY 1, UPPER 1, UUID 0-1, VERSION 0, ZEROBLOB 1`;

/** The least and the largest number of arguments of built-in functions, by their names in upper case. */
export const BUILTINS: ReadonlyMap<string, readonly [least: number, most: number]> = new Map(
  ARGUMENTS.split(/,\s+/).map((entry): [string, [number, number]] => {
    const [name, least, more, most] = /^(\w+) (\d+)(?:(\+)|-(\d+))?$/.exec(entry)!.slice(1);
    const largest = more === undefined ? Number(most ?? least) : Number.POSITIVE_INFINITY;
    return [name!, [Number(least), largest]];
  }),
);

/** A call of a function in SQL. */
interface Call {
  /** The name as it is written, without quotes. */
  name: string;
  isQuoted: boolean;
  arguments: number;
}

/** Returns the call that a name before a parenthesis starts; undefined for a keyword. */
function callOf(name: string, next: string | undefined, release: Release): Call | undefined {
  const unquoted = unquote(name);
  if (unquoted === undefined && (!isWord(name) || isKeyword(name.toUpperCase(), release))) {
    return undefined;
  }
  const count = next === ')' || next === '*' ? 0 : 1;
  return { name: unquoted ?? name, isQuoted: unquoted !== undefined, arguments: count };
}

/** Returns the functions that an expression calls, except for built-in functions that are keywords. */
function callsOf(sql: string, release: Release): Call[] {
  const tokens = tokensOf(sql);
  const calls: Call[] = [];
  /** The calls of the open parentheses; undefined for other parentheses. */
  const open: (Call | undefined)[] = [];
  for (const [at, token] of tokens.entries()) {
    if (token === '(') {
      const call = callOf(tokens[at - 1] ?? '', tokens[at + 1], release);
      open.push(call);
      if (call !== undefined) calls.push(call);
    } else if (token === ')') {
      open.pop();
    } else if (token === ',') {
      const call = open.at(-1);
      if (call !== undefined) call.arguments++;
    }
  }
  return calls;
}

/** A function of a user, as far as SQL depends on it. */
interface Callable {
  isExported: boolean;
  arguments: number;
}

/** Finds the parts of an expression in SQL that a server would refuse, as far as its text tells. */
export class SqlFunctions {
  readonly #release: Release;
  readonly #own: ReadonlyMap<string, Callable>;

  /**
   * @param release - of the server
   * @param catalogs - with the functions of users on that server
   */
  constructor(release: Release, catalogs: readonly Catalog[]) {
    this.#release = release;
    this.#own = new Map(
      catalogs.flatMap((catalog) =>
        catalog.rows(SystemSpace.FUNC).map(({ fields }): [string, Callable] => {
          const { [Field.func.exports]: exports, [Field.func.parameters]: parameters } = fields;
          return [
            String(fields[Field.func.name]),
            {
              isExported: Array.isArray(exports) && exports.includes('SQL'),
              arguments: Array.isArray(parameters) ? parameters.length : 0,
            },
          ];
        }),
      ),
    );
  }

  /** Returns the names of functions of users that an expression calls. */
  calledBy(sql: string): string[] {
    return callsOf(sql, this.#release).flatMap((call) => this.#nameOf(call) ?? []);
  }

  /** Returns the reason why a server cannot create the expression; undefined if none is known. */
  problemOf(sql: string): string | undefined {
    for (const call of callsOf(sql, this.#release)) {
      const problem = this.#problem(call);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  /** Looks up an unquoted name as it is written, and then in upper case. */
  #nameOf({ name, isQuoted }: Call): string | undefined {
    if (this.#builtin(name, isQuoted) !== undefined) return undefined;
    if (this.#own.has(name)) return name;
    return !isQuoted && this.#own.has(name.toUpperCase()) ? name.toUpperCase() : undefined;
  }

  #builtin(name: string, isQuoted: boolean): readonly [number, number] | undefined {
    return BUILTINS.get(isQuoted ? name : name.toUpperCase());
  }

  #problem(call: Call): string | undefined {
    const builtin = this.#builtin(call.name, call.isQuoted);
    const wrong = `function ${quoted(call.name)} cannot be called with ${counted(call.arguments, 'argument')}`;
    if (builtin !== undefined) {
      const [least, most] = builtin;
      return call.arguments < least || call.arguments > most ? wrong : undefined;
    }
    const name = this.#nameOf(call);
    const own = name === undefined ? undefined : this.#own.get(name);
    if (own === undefined) return `function ${quoted(call.name)} does not exist`;
    if (!own.isExported) return `function ${quoted(call.name)} is not exported to SQL`;
    return call.arguments === own.arguments ? undefined : wrong;
  }
}

/**
 * Returns a statement that a server can prepare, to find out whether it accepts an expression. Columns have no type,
 * like those of an expression without a space.
 *
 * @example
 * questionAbout('"UPPER"("a") > b', [3, 0]);
 * // 'SELECT ("UPPER"("a") > b) FROM (SELECT CAST(NULL AS ANY) AS "a", CAST(NULL AS ANY) AS b)'
 */
export function questionAbout(sql: string, release: Release): string {
  const tokens = tokensOf(sql);
  const columns = tokens.filter((token, at) => {
    const isName =
      unquote(token) !== undefined || (isWord(token) && !isKeyword(token.toUpperCase(), release));
    const isOther = tokens[at + 1] === '(' || tokens[at - 1]?.toUpperCase() === 'COLLATE';
    return isName && !isOther;
  });
  const given = [...new Set(columns)].map((column) => `CAST(NULL AS ANY) AS ${column}`);
  return `SELECT (${sql})${given.length === 0 ? '' : ` FROM (SELECT ${given.join(', ')})`}`;
}
