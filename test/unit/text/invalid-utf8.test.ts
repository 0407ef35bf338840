import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import { csvParseRows } from 'd3-dsv';
import fc from 'fast-check';
import { TextBuffer } from '../../../lib/text/buffer.js';
import { rowWriter } from '../../../lib/text/formats.js';
import { INVALID_UTF8, type InvalidUtf8, type TextFormat } from '../../../lib/text/names.js';
import { Row } from '../../../lib/tuple/row.js';
import { type Plain, pack } from '../../support/msgpack.js';
import { NOT_UTF8 } from './values.js';
import { layoutFor, written } from './writing.js';

const layout = layoutFor([
  ['id', 'unsigned'],
  ['s', 'string'],
  ['any', 'any', { is_nullable: true }],
]);

/** Returns the text of rows and the notes. */
function textOf(how: InvalidUtf8, format: TextFormat, ...rows: Plain[][]) {
  const text = new TextBuffer();
  const writer = rowWriter({ format, invalidUtf8: how }, text, layout);
  for (const row of rows) writer.row(new Row().read(pack(row), 0));
  return { text: text.take().toString(), notes: writer.notes };
}

/** Returns a string with these bytes. */
function str(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5, 0xdb);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

const BAD = str(Buffer.from('a\xffb\xc3\x28"\\', 'latin1'));
const ZERO = 'a\0b';
const MARKED = 'base64:none';
const TEXTS = ['ndjson', 'json', 'csv', 'tsv', 'sql', 'postgres', 'sqlite'] as const;

describe('a string that is not valid UTF-8', () => {
  it('ends the run by default, with a hint that names the option', () => {
    for (const format of TEXTS) {
      for (const row of [
        [1, NOT_UTF8],
        [1, 'a', [NOT_UTF8]],
      ]) {
        throws(() => textOf('error', format, row), {
          message: 'a string that is not valid UTF-8',
          hint: /--invalid-utf8 base64 or replace/,
        });
      }
    }
    for (const format of ['sql', 'postgres'] as const) {
      throws(() => textOf('error', format, [1, ZERO]), { hint: /--invalid-utf8/ });
    }
  });

  const FORMS: Record<(typeof TEXTS)[number], [replace: string, base64: string]> = {
    ndjson: ['{"id":1,"s":"a�b�(\\"\\\\"}\n', '{"id":1,"s":"base64:Yf9iwygiXA=="}\n'],
    json: ['\n{"id":1,"s":"a�b�(\\"\\\\"}', '\n{"id":1,"s":"base64:Yf9iwygiXA=="}'],
    csv: ['1,"a�b�(""\\",\n', '1,base64:Yf9iwygiXA==,\n'],
    tsv: ['1\t"a�b�(""\\"\t\n', '1\tbase64:Yf9iwygiXA==\t\n'],
    sql: [`(1,'a�b�("\\',NULL)`, "(1,'base64:Yf9iwygiXA==',NULL)"],
    postgres: ['1\ta�b�("\\\\\t\\N\n', '1\tbase64:Yf9iwygiXA==\t\\N\n'],
    sqlite: [`(1,'a�b�("\\',NULL)`, "(1,'base64:Yf9iwygiXA==',NULL)"],
  };
  for (const [format, [replaced, base64]] of Object.entries(FORMS)) {
    it(`is replaced or written as base64 in ${format}, and such strings are counted`, () => {
      const ending = (how: InvalidUtf8) => {
        const { text, notes } = textOf(how, format as TextFormat, [1, BAD]);
        equal(notes.length, 1);
        return { text: text.replace(/^INSERT.*\n/, ''), note: notes[0]! };
      };
      const { text, note } = ending('replace');
      equal(text, replaced);
      match(note, /^1 string not valid UTF-8, .*: U\+FFFD was written in place of those bytes$/);
      const other = ending('base64');
      equal(other.text, base64);
      match(other.note, /^1 string not valid UTF-8, .*: written as base64$/);
    });
  }

  it('has the same form inside of arrays and as a key of a map', () => {
    const inside: Plain[] = [1, 'a', [BAD, new Map<Plain, Plain>([[NOT_UTF8, BAD]])]];
    const { text, notes } = textOf('base64', 'ndjson', inside);
    const bytes = 'base64:Yf9iwygiXA==';
    deepEqual(JSON.parse(text).any, [bytes, { 'base64:Yf8=': bytes }]);
    ok(notes[0]?.startsWith('3 strings not valid UTF-8'));
    for (const format of TEXTS) ok(textOf('base64', format, inside).text.includes(bytes), format);
  });

  it('keeps keys of a map apart that become equal', () => {
    const map = new Map<Plain, Plain>([
      [str(Buffer.of(0xff)), 1],
      [str(Buffer.of(0xfe)), 2],
      ['x', 3],
    ]);
    const replaced = JSON.parse(textOf('replace', 'ndjson', [1, 'a', map]).text).any;
    deepEqual(replaced, {
      $map: [
        ['�', 1],
        ['�', 2],
        ['x', 3],
      ],
    });
    const base64 = JSON.parse(textOf('base64', 'ndjson', [1, 'a', map]).text).any;
    deepEqual(base64, { 'base64:/w==': 1, 'base64:/g==': 2, x: 3 });
    const good = JSON.parse(textOf('replace', 'ndjson', [1, 'a', { я: 1, $: 2 }]).text).any;
    deepEqual(good, { я: 1, $: 2 });
  });

  it('changes no other string, and these are not counted', () => {
    const others: Plain[] = ['', 'a', 'größe 😀', '\u007f\r\n"\'\\', '�'];
    for (const format of TEXTS) {
      for (const value of others) {
        const rows: Plain[][] = [[1, value, { [value as string]: [value] }]];
        const { text } = textOf('error', format, ...rows);
        for (const how of ['replace', 'base64'] as const) {
          deepEqual(textOf(how, format, ...rows), { text, notes: [] });
        }
      }
    }
  });

  it('is unchanged in MessagePack', () => {
    for (const how of INVALID_UTF8) {
      const { text, notes } = textOf(how, 'msgpack', [1, NOT_UTF8]);
      deepEqual([text, notes], [written('msgpack', layout, [[1, NOT_UTF8]]).toString(), []]);
    }
  });
});

describe('a string with a zero byte', () => {
  it('is handled in the same way if the database does not accept it, also in JSON', () => {
    for (const format of ['sql', 'postgres'] as const) {
      const replaced = textOf('replace', format, [1, ZERO]);
      ok(replaced.text.includes('a�b'));
      equal(replaced.notes.length, 1);
      ok(textOf('base64', format, [1, ZERO]).text.includes('base64:YQBi'));
    }
    ok(textOf('replace', 'postgres', [1, '', [ZERO]]).text.includes('["a�b"]'));
    ok(textOf('base64', 'postgres', [1, '', [ZERO]]).text.includes('["base64:YQBi"]'));
    ok(textOf('replace', 'sql', [1, '', [ZERO]]).text.includes('["a\\u0000b"]'));
  });

  it('is kept in other formats', () => {
    for (const how of ['replace', 'base64'] as const) {
      equal(textOf(how, 'ndjson', [1, ZERO]).text, '{"id":1,"s":"a\\u0000b"}\n');
      equal(textOf(how, 'csv', [1, ZERO]).text, '1,a\0b,\n');
      ok(textOf(how, 'sqlite', [1, ZERO]).text.includes("CAST(X'610062' AS TEXT)"));
      deepEqual(textOf(how, 'sqlite', [1, ZERO]).notes, []);
    }
  });
});

describe('base64 of strings', () => {
  it('differs from every string that only looks like it', () => {
    const { text, notes } = textOf('base64', 'csv', [1, MARKED], [2, 'base64'], [3, 'x base64:']);
    const shown = `base64:${Buffer.from(MARKED).toString('base64')}`;
    equal(text, `1,${shown},\n2,base64,\n3,x base64:,\n`);
    equal(notes.length, 1);
    equal(textOf('replace', 'csv', [1, MARKED]).text, `1,${MARKED},\n`);
  });

  it('can be decoded to all bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
      fc.uint8Array().map((rest) => Buffer.concat([Buffer.from('base64:'), rest])),
    );
    const back = (text: string): Buffer =>
      text.startsWith('base64:') ? Buffer.from(text.slice(7), 'base64') : Buffer.from(text);
    const same = fc.property(bytes, (value) => {
      const row = [1, str(value), [str(value)]];
      const json = JSON.parse(textOf('base64', 'ndjson', row).text);
      deepEqual([back(json.s), back(json.any[0])], [Buffer.from(value), Buffer.from(value)]);
      const [[, cell = '', any = ''] = []] = csvParseRows(textOf('base64', 'csv', row).text);
      deepEqual([back(cell), back(JSON.parse(any)[0])], [Buffer.from(value), Buffer.from(value)]);
    });
    fc.assert(same, { numRuns: 300 });
  });
});

describe('indexes of replaced strings', () => {
  it('are not unique, because different strings may become equal', () => {
    const indexes = [
      ['pk', [1]],
      ['by_id', [0]],
      ['by_any', [2, 0]],
    ] as const;
    const keyed = layoutFor(
      [
        ['id', 'unsigned'],
        ['s', 'string'],
        ['any', 'scalar'],
      ],
      { indexes },
    );
    for (const format of ['sql', 'sqlite', 'postgres'] as const) {
      const lines = (how: InvalidUtf8): string[] => {
        const text = new TextBuffer();
        const writer = rowWriter({ format, invalidUtf8: how }, text, keyed);
        writer.begin();
        writer.end();
        return [
          ...text
            .take()
            .toString()
            .matchAll(/PRIMARY KEY|UNIQUE INDEX "\w+"/g),
        ].map(([line]) => line);
      };
      deepEqual(lines('replace'), ['UNIQUE INDEX "t_by_id"']);
      for (const how of ['error', 'base64'] as const) {
        deepEqual(lines(how), ['PRIMARY KEY', 'UNIQUE INDEX "t_by_id"']);
      }
      deepEqual(rowWriter({ format, invalidUtf8: 'replace' }, new TextBuffer(), keyed).notes, [
        "index 'pk' is not unique in the output: different strings may become the same",
        "index 'by_any' is not unique in the output: values of different types may have the same text",
      ]);
    }
  });
});
