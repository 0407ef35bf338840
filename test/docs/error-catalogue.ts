import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Lookup, textOf } from '../support/expression-text.js';
import { type Call, callsOf, splitOutside, withoutComments } from '../support/source-scan.js';
import { ROOT } from './pages.js';

/** A message that the command can print. */
export interface Message {
  /** The kind of an error, `any` if it has the kind of its cause, or the name of the report's function. */
  kind: string;
  /** The text, with placeholders such as `<name>`. */
  text: string;
  hint: string | undefined;
}

/** A source file without its comments. */
interface Source {
  path: string;
  text: string;
}

/** A function that makes an error of its parameters. */
interface Builder {
  name: string;
  parameters: readonly string[];
  source: Source;
  isExported: boolean;
  inner: Call;
}

const KINDS = ['failure', 'usage', 'archive', 'target', 'access'];

function sourcesOf(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => join(folder, path))
    .map((path) => ({ path, text: withoutComments(readFileSync(join(ROOT, path), 'utf8')) }));
}

/** Finds the constant of a name that stands last before a position, else anywhere in the file. */
function constantIn({ text }: Source, name: string, before: number): string | undefined {
  const found = [
    ...text.matchAll(new RegExp(`\\b(?:const|let) ${name}(?::[^=;]+)? =(?![=>])`, 'g')),
  ];
  const nearest = found.filter(({ index }) => index < before).at(-1) ?? found[0];
  if (nearest === undefined) return undefined;
  return splitOutside(text.slice(nearest.index + nearest[0].length), /^;/)[0]?.trim();
}

function parametersOf(text: string): string[] {
  return splitOutside(text, /^,/).map((part) => /^\s*(\w+)/.exec(part)?.[1] ?? '');
}

const DEFINITION =
  /(export )?(?:function (\w+)\(([^)]*)\)[^{]*\{|const (\w+) = \(([^)]*)\)[^=]*=>)/g;

/** Finds the functions of a file that make an error and take its text from a parameter. */
function buildersIn(source: Source): Builder[] {
  const builders: Builder[] = [];
  for (const found of source.text.matchAll(DEFINITION)) {
    const [whole, exported, named = found[4] ?? '', list = found[5] ?? ''] = found;
    const start = found.index + whole.length;
    const end = source.text.slice(start).search(/\n(?:\}|\S)|;\n\n/);
    const body = source.text.slice(start, end < 0 ? undefined : start + end);
    const [inner] = callsOf(body, 'new TntarError');
    const parameters = parametersOf(list);
    const message = inner?.arguments[1];
    if (inner === undefined || message === undefined) continue;
    if (!parameters.some((each) => each !== '' && new RegExp(`\\b${each}\\b`).test(message)))
      continue;
    const isExported = exported !== undefined;
    builders.push({ name: named, parameters, source, isExported, inner: { ...inner, at: start } });
  }
  return builders;
}

class Catalogue {
  readonly messages: Message[] = [];
  readonly #sources: readonly Source[];
  readonly #builders: readonly Builder[];

  constructor(sources: readonly Source[]) {
    this.#sources = sources;
    this.#builders = sources.flatMap(buildersIn);
    for (const source of sources) this.#collect(source);
  }

  #lookup(source: Source, at: number, bound?: Builder, call?: Call, outer?: Lookup): Lookup {
    return (name) => {
      const index = bound?.parameters.indexOf(name) ?? -1;
      if (index >= 0) {
        const given = call?.arguments[index];
        if (given === undefined) return undefined;
        return JSON.stringify(textOf(given, outer ?? (() => undefined)));
      }
      const own = constantIn(source, name, at);
      if (own !== undefined || !/^[A-Z_]+$/.test(name)) return own;
      const other = this.#sources.find((each) => each.text.includes(`export const ${name} `));
      return other === undefined ? undefined : constantIn(other, name, Infinity);
    };
  }

  #add(inner: Call, lookup: Lookup): void {
    const [kind = '', message = '', details = ''] = inner.arguments;
    const text = textOf(message, lookup);
    if (!/[a-z]/i.test(text.replace(/<[^>]*>/g, ''))) return;
    const stated = textOf(kind, lookup);
    const hint = splitOutside(details.replace(/^\{|\}$/g, ''), /^,/)
      .map((part) => /^hint(?::([\s\S]+))?$/.exec(part.trim()))
      .find((part) => part !== null);
    const shown = hint === undefined ? undefined : textOf(hint?.[1] ?? 'hint', lookup);
    this.messages.push({
      kind: KINDS.includes(stated) ? stated : 'any',
      text,
      hint: shown === undefined || /^<[^>]*>$/.test(shown) ? undefined : shown,
    });
  }

  #collect(source: Source): void {
    const isInBuilder = (call: Call): boolean =>
      this.#builders.some(
        ({ source: own, inner }) =>
          own === source && inner.arguments.join() === call.arguments.join(),
      );
    for (const call of callsOf(source.text, 'new TntarError')) {
      if (!isInBuilder(call)) this.#add(call, this.#lookup(source, call.at));
    }
    for (const builder of this.#builders) {
      const isOwn = builder.source === source;
      const isImported =
        builder.isExported && new RegExp(`import \\{[^}]*\\b${builder.name}\\b`).test(source.text);
      if (!isOwn && !isImported) continue;
      for (const call of callsOf(source.text, builder.name)) {
        const outer = this.#lookup(source, call.at);
        const { inner } = builder;
        this.#add(inner, this.#lookup(builder.source, inner.at, builder, call, outer));
      }
    }
    for (const call of callsOf(source.text, 'new InvalidArgumentError')) {
      this.#add(
        { at: call.at, arguments: ["'usage'", ...call.arguments] },
        this.#lookup(source, call.at),
      );
    }
    for (const [kind, name] of [
      ['warning', 'warn'],
      ['note', 'note'],
    ] as const) {
      for (const call of callsOf(source.text, `[rR]eport\\.${name}`)) {
        const text = textOf(call.arguments[0] ?? '', this.#lookup(source, call.at));
        if (/[a-z]/i.test(text.replace(/<[^>]*>/g, ''))) {
          this.messages.push({ kind, text, hint: undefined });
        }
      }
    }
  }
}

/** The checks of options of the library, which no command line can fail. */
const LIBRARY_ONLY = 'lib/base/option-checks.ts';

/** Collects the messages that the source of the command and the library can print. */
export function messagesOfSource(): Message[] {
  const sources = ['bin', 'lib'].flatMap(sourcesOf);
  return new Catalogue(sources.filter(({ path }) => path !== LIBRARY_ONLY)).messages;
}

const SECTIONS: readonly [kind: string, title: string, text: string][] = [
  ['usage', 'Wrong usage (exit code 2)', 'The command line is wrong. Nothing was read or written.'],
  [
    'access',
    'Connection, login and privileges (exit code 5)',
    'The server cannot be reached, or it refuses the user.',
  ],
  [
    'archive',
    'Archive damaged or incomplete (exit code 3)',
    'The archive is no backup, or a part of it is damaged.',
  ],
  [
    'target',
    'Target refused (exit code 4)',
    'The target cannot take the backup. Nothing was written.',
  ],
  [
    'failure',
    'Server or I/O failure (exit code 1, of `diff` 6)',
    'The server or the operating system failed during the work.',
  ],
  [
    'any',
    'Errors with the exit code of their cause',
    'These errors add to another one, and keep its exit code.',
  ],
  ['warning', 'Warnings', 'A warning does not change the exit code.'],
  ['note', 'Notes', 'A note says what tntar is doing. `--quiet` turns notes off.'],
];

const HEAD = `# Messages

<!-- Generated from the source. Do not edit: run \`npm run docs:errors\`. -->

This page lists the messages of \`tntar\`, by exit code. A word in angle brackets, such as \`<name>\`, is filled in at run
time. Braces hold alternatives: \`{one | other}\`. An error is printed as \`tntar: MESSAGE\`, and its hint in the next line
as \`hint: HINT\`.`;

const byText = (a: Message, b: Message): number =>
  a.text < b.text ? -1 : Number(a.text > b.text) || Number((a.hint ?? '') > (b.hint ?? ''));

const code = (text: string): string => {
  const line = text.replace(/\s+/g, ' ');
  return line.includes('`') ? `\`\` ${line} \`\`` : `\`${line}\``;
};

/**
 * Writes the page of all messages.
 *
 * @example errorsPage([{ kind: 'usage', text: 'no file', hint: 'name one' }]);
 */
export function errorsPage(messages: readonly Message[]): string {
  const parts = SECTIONS.map(([kind, title, text]) => {
    const items = messages
      .filter((each) => each.kind === kind)
      .sort(byText)
      .map(({ text: said, hint }) =>
        hint === undefined ? `- ${code(said)}` : `- ${code(said)}\\\n  hint: ${code(hint)}`,
      );
    return `## ${title}\n\n${text}\n\n${[...new Set(items)].join('\n')}`;
  });
  return `${[HEAD, ...parts].join('\n\n')}\n`;
}
