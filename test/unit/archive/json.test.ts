import { deepEqual, equal, throws } from 'node:assert/strict';
import { JsonReader } from '../../../lib/archive/json.js';
import { TntarError } from '../../../lib/base/errors.js';

const read = (document: unknown): JsonReader =>
  JsonReader.parse(Buffer.from(JSON.stringify(document)), 'doc.json');

const COUNTS = [0, 1, 2 ** 31, Number.MAX_SAFE_INTEGER];
const NO_COUNTS = [-1, 0.5, 2 ** 53, 1e300, '1', null, true, [1], { a: 1 }];

describe('a JSON document', () => {
  it('gives values of the type that was asked for', () => {
    const json = read({
      text: 'x',
      empty: '',
      yes: true,
      no: false,
      list: [1, 'a'],
      things: [{ id: 1 }, { id: 2 }],
      inner: { text: 'y' },
      vclock: { 1: 5, 2: 0 },
    });
    equal(json.string('text'), 'x');
    equal(json.string('empty'), '');
    equal(json.boolean('yes'), true);
    equal(json.boolean('no'), false);
    deepEqual(json.array('list'), [1, 'a']);
    deepEqual(
      json.objects('things').map((thing) => thing.count('id')),
      [1, 2],
    );
    equal(json.object('inner').string('text'), 'y');
    deepEqual(json.object('vclock').counts(), { 1: 5, 2: 0 });
    equal(json.oneOf('text', ['w', 'x']), 'x');
    for (const count of COUNTS) equal(read({ count }).count('count'), count);
  });

  for (const [title, bytes] of [
    ['nothing', ''],
    ['half a document', '{"a": 1'],
    ['two documents', '{}{}'],
    ['a trailing comma', '{"a": 1,}'],
    ['a comment', '{} // x'],
    ['bare words', '{a: 1}'],
    ['NaN', '{"a": NaN}'],
    ['bytes that are not UTF-8', Buffer.from('7b2261223a22ff227d', 'hex')],
    ['an overlong zero', Buffer.from('7b2261223a22c080227d', 'hex')],
    ['zeros', Buffer.alloc(100)],
  ] as const) {
    it(`is refused when it is ${title}`, () => {
      throws(() => JsonReader.parse(Buffer.from(bytes), 'doc.json'), {
        kind: 'archive',
        message: 'doc.json is not JSON',
      });
    });
  }

  it('is refused if it nests too deep to be written again', () => {
    const nested = (levels: number) =>
      JsonReader.parse(Buffer.from(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`), 'doc.json');
    nested(1100);
    read({ text: `\\"${'['.repeat(2000)}"`, list: Array(2000).fill([{}]) });
    for (const levels of [1101, 100_000]) {
      throws(() => nested(levels), {
        kind: 'archive',
        message: 'doc.json nests deeper than 1100 levels',
      });
    }
  });

  it('is refused on one line that is no longer than people read', () => {
    const text = `x\n${'y'.repeat(100_000)}`;
    for (const get of [
      () => read({ text }).oneOf('text', ['a']),
      () => read({ [text]: -1 }).counts(),
    ]) {
      throws(get, ({ message }: TntarError) => message.length < 500 && !message.includes('\n'));
    }
  });

  it('is refused when it is no object', () => {
    for (const document of [null, true, 1, 'text', []]) {
      throws(() => read(document), { kind: 'archive', message: 'doc.json is not an object' });
    }
  });

  for (const [title, get, bad] of [
    ['string', (json) => json.string('k'), [undefined, null, 1, true, ['x'], {}]],
    ['text', (json) => json.matching('k', /^a$/, 'an a'), [undefined, 1, '', 'b', ['a']]],
    ['boolean', (json) => json.boolean('k'), [undefined, null, 0, 1, 'true', []]],
    ['count', (json) => json.count('k'), [undefined, ...NO_COUNTS]],
    ['array', (json) => json.array('k'), [undefined, null, 1, 'x', {}, { length: 0 }]],
    ['object', (json) => json.object('k'), [undefined, null, 1, 'x', []]],
    ['counts', (json) => json.object('k').counts(), NO_COUNTS.map((a) => ({ a }))],
    ['objects', (json) => json.objects('k'), [undefined, {}, [1], [null], [{}, []]]],
    ['oneOf', (json) => json.oneOf('k', ['a', 'b']), [undefined, 1, '', 'c', 'A', 'toString']],
  ] as [string, (json: JsonReader) => unknown, unknown[]][]) {
    it(`has no ${title} if another value is in its place, and the error names the place`, () => {
      for (const k of bad) {
        throws(
          () => get(read({ k })),
          (error) => {
            return (
              error instanceof TntarError &&
              error.kind === 'archive' &&
              /^doc\.json/.test(error.message) &&
              /\bk\b|'a'/.test(error.message)
            );
          },
          JSON.stringify(k),
        );
      }
    });
  }

  it('has no properties of its prototype', () => {
    for (const key of ['toString', 'constructor', 'hasOwnProperty']) {
      throws(() => read({}).string(key), { kind: 'archive' });
      throws(() => read({}).object(key), { kind: 'archive' });
      throws(() => read({}).array(key), { kind: 'archive' });
    }
  });

  it('names the place inside of lists and objects', () => {
    const json = read({ spaces: [{ id: 1 }, { id: -1 }], server: {} });
    throws(() => json.objects('spaces')[1]?.count('id'), {
      message: "doc.json: spaces[1] needs a whole number 'id', 0 or more",
    });
    throws(() => json.object('server').string('version'), {
      message: "doc.json: server needs a string 'version'",
    });
  });
});
