import { deepEqual, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as library from '../../lib/index.js';

const LIB = fileURLToPath(new URL('../../../lib/', import.meta.url));

/** Names that `index.ts` hands on, each with the text of the file that it is declared in. */
function exported(): Map<string, string> {
  const index = readFileSync(join(LIB, 'index.ts'), 'utf8');
  const lines = index.matchAll(/^export (?:type )?\{([^}]+)\} from '\.\/(.+)\.js';$/gm);
  return new Map(
    [...lines].flatMap(([, names = '', file]) => {
      const text = readFileSync(join(LIB, `${file}.ts`), 'utf8');
      const listed = names.split(',').map((name) => name.replace(/\btype\b/, '').trim());
      return listed.filter((name) => name !== '').map((name): [string, string] => [name, text]);
    }),
  );
}

/** The comment right in front of the declaration of `name`; empty where there is none. */
function commentOf(name: string, text: string): string {
  const kinds = 'class|(?:async )?function\\*?|const|interface|type';
  const declared = new RegExp(
    `(/\\*\\*(?:(?!\\*/)[^])*\\*/)\\nexport (?:abstract )?(?:${kinds}) ${name}\\b`,
  );
  return declared.exec(text)?.[1] ?? '';
}

describe('the public surface', () => {
  const names = exported();

  it('was read from its file', () => {
    ok(names.size > 50);
    for (const name of Object.keys(library)) ok(names.has(name), name);
  });

  it('has a comment on everything', () => {
    deepEqual(
      [...names].filter(([name, text]) => commentOf(name, text) === '').map(([name]) => name),
      [],
    );
  });

  it('has an example of each function and each class', () => {
    const callable = Object.entries(library).filter(([, value]) => typeof value === 'function');
    const without = callable.filter(
      ([name]) => !commentOf(name, names.get(name) ?? '').includes('@example'),
    );
    deepEqual(
      without.map(([name]) => name),
      [],
    );
  });
});
