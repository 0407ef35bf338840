import { type Command, InvalidArgumentError, Option } from 'commander';
import { TntarError } from '../../lib/base/errors.js';
import type { Report } from '../../lib/base/report.js';
import type { Engine } from '../../lib/filters/engine.js';
import type { Filter } from '../../lib/filters/filter.js';
import { readPrivate } from './secrets.js';

/** The options that choose spaces. */
export interface ChoiceFlags {
  space?: string[];
  exclude?: string[];
}

/** The value of `--exclude-rows`. */
export interface RowChoiceFlags {
  excludeRows?: string[];
}

/** These, and the options that change rows and definitions. */
export interface FilterFlags extends ChoiceFlags, RowChoiceFlags {
  where?: string[];
  filter?: string[];
  rename?: Map<string, string>;
  engine?: Engine;
  mask?: string[];
  maskKeyFile?: string;
}

const gather = (value: string, before: string[] = []): string[] => [...before, value];

/** Names may hold the sign, too; where they do, it is the first that parts them. */
function renaming(text: string, before = new Map<string, string>()): Map<string, string> {
  const [, from, to] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (from === undefined || to === undefined) throw new InvalidArgumentError('Write OLD=NEW.');
  if (before.has(from)) throw new InvalidArgumentError(`'${from}' has a new name already.`);
  return new Map([...before, [from, to]]);
}

/** Options that choose spaces by name. */
export function addChoiceOptions(command: Command): Command {
  return command
    .optionsGroup('Filter options:')
    .option(
      '--space <glob>',
      "include only spaces with matching names, e.g. 'app_*', '[!_]*' or '{users,log_?}' (repeatable)",
      gather,
    )
    .option('--exclude <glob>', 'exclude spaces with matching names (repeatable)', gather);
}

/** Adds the option that leaves out the rows of spaces, by name. */
export function addRowChoiceOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--exclude-rows <glob>',
      'exclude the rows of spaces with matching names, but keep their definitions (repeatable)',
    )
      .argParser(gather)
      .conflicts('schemaOnly'),
  );
}

const ORDER_HELP = `
Filters are applied in this order: --space, --exclude, --exclude-rows, --where, --filter, --mask,
--rename, --engine.`;

/** Those, and options that change what goes through. */
export function addFilterOptions(command: Command): Command {
  return addRowChoiceOption(addChoiceOptions(command))
    .option('--rename <old=new>', 'rename a space (repeatable)', renaming)
    .addOption(new Option('--engine <name>', 'engine for all spaces').choices(['memtx', 'vinyl']))
    .option(
      '--where <space: expression>',
      "include only rows for which the expression is true, e.g. 'users: age >= 18' (repeatable)",
      gather,
    )
    .option(
      '--filter <file>',
      'ES module with export default (space, tuple) => tuple, or null to skip the row (repeatable)',
      gather,
    )
    .option(
      '--mask <space.field=how>',
      'hide values of a field: =null, =hash (equal values get equal hashes) or =fixed:VALUE (repeatable)',
      gather,
    )
    .option(
      '--mask-key-file <file>',
      'file with the key for =hash, to get the same hashes in every run',
    )
    .addHelpText('after', ORDER_HELP);
}

/** Anybody who knows the key can try which value has which hash: a short one is no key. */
const LEAST_KEY_BYTES = 16;

function readKey(file: string, report: Report): Buffer {
  const key = readPrivate(file, 'key of the masks', report);
  if (key.length >= LEAST_KEY_BYTES) return key;
  throw new TntarError(
    'usage',
    `${file}: the key of masks must have at least ${LEAST_KEY_BYTES} bytes`,
    {
      hint: `create a key that only you can read: (umask 077; head -c 32 /dev/urandom > ${file})`,
    },
  );
}

/**
 * The filter that chooses spaces, where one was asked for.
 *
 * @param mayLack - whether patterns may fit no space
 */
export async function choiceOf(flags: ChoiceFlags, mayLack = false): Promise<Filter[]> {
  return (await choiceMakers(flags, mayLack)).map((make) => make());
}

/** Makes a filter for one backup. */
type FilterMaker = () => Filter;

async function choiceMakers(
  { space = [], exclude = [] }: ChoiceFlags,
  mayLack = false,
): Promise<FilterMaker[]> {
  if (space.length + exclude.length === 0) return [];
  const { chooseSpaces } = await import('../../lib/filters/choose.js');
  return [() => chooseSpaces({ only: space, except: exclude, mayLack })];
}

/**
 * Returns the filter of `--exclude-rows`, if the option is given.
 *
 * @param mayLack - whether patterns may fit no space
 */
export async function rowChoiceOf(flags: RowChoiceFlags, mayLack = false): Promise<Filter[]> {
  return (await rowChoiceMakers(flags, mayLack)).map((make) => make());
}

async function rowChoiceMakers(
  { excludeRows: patterns = [] }: RowChoiceFlags,
  mayLack = false,
): Promise<FilterMaker[]> {
  if (patterns.length === 0) return [];
  const { excludeRows } = await import('../../lib/filters/exclude-rows.js');
  return [() => excludeRows(patterns, { mayLack })];
}

/** All filters that were asked for, in the order in which they work; `signal` ends the loading of one. */
export async function filtersOf(
  flags: FilterFlags,
  signal: AbortSignal,
  report: Report,
): Promise<Filter[]> {
  return (await filterMaker(flags, signal, report))();
}

/**
 * Reads all that the filters of a command need, once.
 *
 * @returns makes the filters of one backup: each has its own, with the same mask key
 */
export async function filterMaker(
  flags: FilterFlags,
  signal: AbortSignal,
  report: Report,
): Promise<() => Filter[]> {
  const { where: wheres = [], filter: files = [], mask: masks = [], maskKeyFile } = flags;
  if (maskKeyFile !== undefined && masks.length === 0) {
    throw new TntarError('usage', '--mask-key-file works only with --mask', {
      hint: 'add a mask, e.g. --mask users.email=hash',
    });
  }
  const makers = [...(await choiceMakers(flags)), ...(await rowChoiceMakers(flags))];
  if (wheres.length > 0) {
    const { keepWhere, parseWhere } = await import('../../lib/filters/where.js');
    const parsed = wheres.map(parseWhere);
    makers.push(() => keepWhere(parsed));
  }
  if (files.length > 0) {
    const { applyFilter } = await import('../../lib/filters/apply.js');
    const { loadFilter } = await import('./filter-file.js');
    for (const file of files) {
      const { filter, name } = await loadFilter(file, signal);
      makers.push(() => applyFilter(filter, name));
    }
  }
  if (masks.length > 0) {
    const { maskFields, newMaskKey } = await import('../../lib/filters/mask.js');
    const { parseMask } = await import('../../lib/filters/mask-spec.js');
    const key = maskKeyFile === undefined ? newMaskKey() : readKey(maskKeyFile, report);
    const parsed = masks.map(parseMask);
    makers.push(() => maskFields(parsed, key));
  }
  const { rename, engine } = flags;
  if (rename !== undefined) {
    const { renameSpaces } = await import('../../lib/filters/rename.js');
    makers.push(() => renameSpaces(rename));
  }
  if (engine !== undefined) {
    const { setEngine } = await import('../../lib/filters/engine.js');
    makers.push(() => setEngine(engine));
  }
  return () => makers.map((make) => make());
}
