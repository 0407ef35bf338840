import { deepEqual, equal, match } from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { buildProgram } from '../../bin/commands/program.js';
import { tntar } from '../support/cli.js';
import { HELP_FOLDER, helpPages } from './help-pages.js';

describe('the help', () => {
  const pages = helpPages();

  it('has one committed page per command, and no other', () => {
    deepEqual(readdirSync(HELP_FOLDER).sort(), [...pages.keys()].sort());
  });

  for (const [name, text] of pages) {
    it(`of ${name} is the committed page, which \`npm run docs:help\` writes`, () => {
      equal(text, readFileSync(new URL(name, HELP_FOLDER), 'utf8'));
    });
  }

  it('is the same when the command prints it into a pipe', async () => {
    const { stdout } = await tntar(['dump', '--help']);
    equal(String(stdout), pages.get('tntar-dump.txt'));
  });

  it('shows no default of a flag', () => {
    for (const text of pages.values()) equal(/\(default:\s+false\)/.test(text), false, text);
  });

  it('shows the options of the command itself before those that other commands share', () => {
    match(
      pages.get('tntar-dump.txt') ?? '',
      /^Options:\n {2}-o, --output (?:.*\n)*Filter options:\n(?:.*\n)*Connection options:\n(?:.*\n)*General options:\n/m,
    );
  });

  it('describes each option and argument in a phrase that starts in lower case and has no full stop', () => {
    for (const command of buildProgram().commands) {
      const parts = [...command.options, ...command.registeredArguments];
      for (const { description } of parts) match(description, /^(?:[a-z]|ES )(?:.*[^.])$/);
    }
  });
});
