import { deepEqual, equal, ok } from 'node:assert/strict';
import { errorsPage, messagesOfSource } from './error-catalogue.js';
import { pageAt } from './pages.js';

const PAGE = 'docs/reference/errors.md';

describe(PAGE, () => {
  const messages = messagesOfSource();

  it('is what `npm run docs:errors` writes', () => {
    equal(pageAt(PAGE).text, errorsPage(messages));
  });

  it('has messages of each kind, with their hints', () => {
    for (const kind of ['usage', 'access', 'archive', 'target', 'failure', 'warning', 'note']) {
      ok(messages.filter((each) => each.kind === kind).length >= 5, kind);
    }
    deepEqual(
      messages.find(({ text }) => text.startsWith('standard input is a terminal')),
      {
        kind: 'usage',
        text: 'standard input is a terminal, not an archive',
        hint: 'name a FILE, or use -i FILE, < FILE, or a pipe',
      },
    );
  });

  it('follows an error through the function that makes it', () => {
    ok(messages.some(({ text }) => text === 'protocol error: a packet without a header'));
  });

  it('has a title for each exit code, and lists a message once', () => {
    const text = errorsPage([
      { kind: 'usage', text: 'b', hint: 'do it' },
      { kind: 'usage', text: 'a', hint: undefined },
      { kind: 'usage', text: 'a', hint: undefined },
    ]);
    ok(text.includes('## Wrong usage (exit code 2)\n'), text);
    ok(text.includes('\n- `a`\n- `b`\\\n  hint: `do it`\n'), text);
  });
});
