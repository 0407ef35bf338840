import { equal, match, ok } from 'node:assert/strict';
import stringWidth from 'string-width';
import { cutTo, type ProgressWords, progressLine } from '../../bin/output/progress-bar.js';

const WORDS: ProgressWords = {
  done: 0.5,
  seconds: 65,
  rows: '1,234,567,890 rows',
  bytes: '123.4 GB',
  rate: '1,234,567 rows/s',
  space: 'users',
};
const LONG = 'space_with_a_rather_long_name_and_a_number_at_its_end_1234';
const NAMES = [
  'users',
  LONG,
  '顧客の注文履歴と支払いの一覧表',
  'заказы_клиентов_за_прошлый_год',
  '👩‍👩‍👧‍👦'.repeat(20),
];

describe('a line of progress', () => {
  it('fits every width with the name of the space in it', () => {
    for (const space of NAMES) {
      for (const done of [undefined, 0, 0.5, 1]) {
        for (const isPlain of [false, true]) {
          for (let columns = 40; columns <= 200; columns++) {
            const line = progressLine({ ...WORDS, space, done }, columns, isPlain);
            ok(stringWidth(line) <= columns, `${columns}: ${line}`);
            match(line, /, in '.{2,}'$/u);
          }
        }
      }
    }
  });

  it('fits a tiny terminal, and still shows the progress', () => {
    for (let columns = 0; columns < 40; columns++) {
      const line = progressLine({ ...WORDS, space: LONG }, columns, false);
      ok(stringWidth(line) <= columns, `${columns}: ${line}`);
      ok(line.startsWith('50%'.slice(0, columns)), line);
    }
  });

  it('of 80 columns has bar, time, rows, bytes and the whole of a short name', () => {
    const words = { ...WORDS, rows: '120,000 rows', bytes: '14.2 MB' };
    equal(
      progressLine(words, 79, false),
      "████████████░░░░░░░░░░░░  50%, 01m05s left, 120,000 rows, 14.2 MB, in 'users'",
    );
    equal(
      progressLine({ ...words, space: LONG }, 79, false),
      "█████░░░░░  50%, 01m05s left, 120,000 rows, 14.2 MB, in 'space_with…s_end_1234'",
    );
  });

  it('has all parts if there is room', () => {
    match(
      progressLine({ ...WORDS, space: LONG }, 200, false),
      new RegExp(`^█{12}░{12} {2}50%, 01m05s left, .* rows, .* GB, .* rows/s, in '${LONG}'$`),
    );
  });

  it('has no bar if the total is unknown', () => {
    equal(
      progressLine({ ...WORDS, done: undefined }, 79, false),
      "1,234,567,890 rows, 123.4 GB, 1,234,567 rows/s, in 'users'",
    );
  });

  it('is ASCII if it is plain', () => {
    for (const space of NAMES) match(progressLine({ ...WORDS, space }, 72, true), /^[ -~]+$/);
    match(
      progressLine({ ...WORDS, space: 'größe' }, 72, true),
      /^50%, 01m05s left, .*, in 'gr\?\?e'$/,
    );
  });
});

describe('a name that is cut', () => {
  it('loses its middle, and never splits a character', () => {
    equal(cutTo('a_very_long_name', 9, '…'), 'a_ve…name');
    equal(cutTo('a_very_long_name', 16, '…'), 'a_very_long_name');
    equal(cutTo('顧客の注文履歴', 7, '…'), '顧…履歴');
    equal(cutTo('👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 5, '…'), '👩‍👩‍👧‍👦…👩‍👩‍👧‍👦');
    equal(cutTo('e\u0301'.repeat(9), 4, '…'), 'e\u0301e\u0301…e\u0301');
  });

  it('keeps its beginning if there is no room for more', () => {
    equal(cutTo('users', 2, '…'), 'us');
    equal(cutTo('顧客', 1, '…'), '');
    equal(cutTo('users', 0, '…'), '');
  });
});
