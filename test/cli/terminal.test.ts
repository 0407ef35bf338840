import { equal, match, ok } from 'node:assert/strict';
import { hasControls, hasUnicode } from '../../bin/output/terminal.js';
import { type Peer, startProxy } from '../support/proxy.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';
import { TerminalSession } from '../support/terminal.js';
import { blobs } from './blobs.js';
import { FAST_CLOCK } from './fast-clock.js';

/** To the start of the line, and erase to its end. */
const CLEAR_LINE = '\r\x1b[K';
const LOGIN = { TT_CLI_USERNAME: USER, TT_CLI_PASSWORD: PASSWORD };

describe('what a terminal can show', () => {
  it('is UTF-8 unless the first locale variable that is set names another encoding', () => {
    for (const [env, expected] of [
      [{}, true],
      [{ LANG: 'C.UTF-8' }, true],
      [{ LANG: 'en_US.utf8' }, true],
      [{ LC_CTYPE: 'UTF-8' }, true],
      [{ LC_ALL: '', LANG: 'de_DE.UTF-8' }, true],
      [{ LC_ALL: 'C.UTF-8', LANG: 'C' }, true],
      [{ LANG: 'C' }, false],
      [{ LANG: 'POSIX' }, false],
      [{ LANG: 'de_DE' }, false],
      [{ LANG: 'ru_RU.KOI8-R' }, false],
      [{ LC_ALL: 'C', LANG: 'C.UTF-8' }, false],
      [{ LC_ALL: '', LC_CTYPE: 'C', LANG: 'C.UTF-8' }, false],
    ] as const) {
      equal(hasUnicode(env), expected, JSON.stringify(env));
    }
  });

  it('includes no colors and no moving cursor with NO_COLOR or on a dumb terminal', () => {
    for (const [env, expected] of [
      [{ TERM: 'xterm' }, true],
      [{ TERM: 'xterm', NO_COLOR: '' }, true],
      [{ TERM: 'xterm', NO_COLOR: '1' }, false],
      [{ TERM: 'dumb' }, false],
    ] as const) {
      equal(hasControls(env), expected, JSON.stringify(env));
    }
  });
});

describe('progress on a terminal', () => {
  let server: TestServer;
  let slow: Peer;
  before(async () => {
    server = await startServer({ lua: blobs(12) });
    slow = await startProxy(server, { bytesPerSecond: 10_000_000 });
  });
  after(async () => {
    await slow.stop();
    await server.stop();
  });

  /** What the terminal shows while a dump runs. */
  const shownBy = async (line: string, given: NodeJS.ProcessEnv): Promise<string> => {
    const env = { ...LOGIN, TERM: 'xterm', LANG: 'C.UTF-8', slow: slow.address, ...given };
    const { code, shown } = await new TerminalSession(line, { env }).end();
    equal(code, 0, shown);
    return shown;
  };

  it('names the current space even on a narrow terminal', async () => {
    const shown = await shownBy('stty cols 50; tntar dump $slow > /dev/null', {});
    const steps = shown.split(CLEAR_LINE).slice(1, -1);
    ok(steps.length > 1, shown);
    for (const step of steps) match(step, /^(?=.{20,49}$).*\d%, .*, in '(blobs|few)'$/);
  });

  for (const variables of [
    { TERM: 'dumb' },
    { NO_COLOR: '1' },
    { LC_ALL: 'C' },
    { LC_ALL: '', LC_CTYPE: 'de_DE.ISO-8859-1' },
  ]) {
    const title = Object.entries(variables).map((pair) => pair.join('='));
    it(`is plain lines with ${title.join(' ')}`, async () => {
      const env = { ...FAST_CLOCK, ...variables };
      const shown = await shownBy('tntar dump $slow > /dev/null', env);
      const steps = shown.trimEnd().split('\r\n').slice(1, -1);
      ok(steps.length > 1, shown);
      for (const step of steps) {
        match(step, /^(?=.{20,79}$)tntar: \d+%, [ -~]+, in '(blobs|few)'$/);
      }
    });
  }
});
