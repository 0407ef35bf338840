import { deepEqual, equal, match } from 'node:assert/strict';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { asTntarError, messageOf, TntarError } from '../../../lib/base/errors.js';

/** An error whose message is no text. */
const oddly = (message: unknown): Error => Object.assign(new Error('x'), { message });

class Hostile {
  [inspect.custom](): string {
    throw new Error('nobody may look');
  }
}

describe('messageOf', () => {
  for (const [title, thrown, message] of [
    ['an error', new Error('it broke'), 'it broke'],
    ['an error of another realm', runInNewContext("new Error('it broke')"), 'it broke'],
    ['several lines', new Error('it broke:\n   here \n'), 'it broke: here '],
    ['an error without a message', new RangeError(), 'RangeError'],
    ['a text', 'it broke', 'it broke'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a symbol', Symbol('it broke'), 'Symbol(it broke)'],
    ['an object', { code: 5 }, '{ code: 5 }'],
    ['an object that has a message', { message: 'it broke' }, 'it broke'],
    ['an object without a prototype', Object.create(null), '[Object: null prototype] {}'],
    ['an error whose message is an object', oddly({ code: 5 }), 'Error'],
    ['an error whose message is none', oddly(undefined), 'Error'],
  ] as [string, unknown, string][]) {
    it(`describes ${title} in words`, () => equal(messageOf(thrown), message));
  }

  it('does not throw for values that cannot be inspected', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const thrown of [new Hostile(), oddly(new Hostile()), proxy]) {
      match(messageOf(thrown), /\w/);
    }
  });

  it('keeps the thrown value as the cause of a TntarError', () => {
    const thrown: unknown = Object.create(null);
    equal(asTntarError(thrown).cause, thrown);
  });
});

describe('a TntarError', () => {
  it('has one line, whatever it quotes', () => {
    const { message } = new TntarError('archive', "no 'a\n\nb' here", {
      outcome: 'nothing\nwas done',
    });
    equal(message, "no 'a b' here; nothing was done");
  });
});

describe('an error that is passed on', () => {
  const error = new TntarError('access', 'no read access', { hint: 'grant it', serverCode: 42 });

  it('keeps everything that is not replaced, and has the first error as its cause', () => {
    const wrapped = TntarError.wrap(error, { message: `${error.message}, in space 'users'` });
    const { kind, message, hint, serverCode, cause } = wrapped;
    deepEqual(
      [kind, message, hint, serverCode, cause === error],
      ['access', "no read access, in space 'users'", 'grant it', 42, true],
    );
  });

  it('may have another hint, and an outcome', () => {
    const wrapped = TntarError.wrap(error, { hint: 'ask again', outcome: '2 rows were sent' });
    equal(wrapped.hint, 'ask again');
    equal(wrapped.message, 'no read access; 2 rows were sent');
  });
});
