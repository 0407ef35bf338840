import { Table } from 'console-table-printer';
import type { Environment, Surroundings } from './surroundings.js';
import { hasControls, hasUnicode } from './terminal.js';

/** A column of a table. */
export interface Column {
  title: string;
  /** Numbers stand to the right, below each other. */
  isNumber?: boolean;
}

const NOTHING = { left: '', mid: '', right: '', other: '' };
/** Columns two spaces apart, and no lines between them. */
const PLAIN = { headerTop: NOTHING, headerBottom: NOTHING, tableBottom: NOTHING, vertical: '' };
/** The package's own colors are no good on a white terminal. */
const COLORS = { white: '\x1b[39m', white_bold: '\x1b[1m' };

/**
 * A table for standard output: with lines on a terminal that can show them, plain columns elsewhere.
 *
 * @param rows - printable text, a cell for each column
 * @example
 * table(process, [{ title: 'NAME' }, { title: 'ROWS', isNumber: true }], [['users', '1,000']]);
 */
export function table(
  { stdout, env }: Surroundings,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const printed = new Table({
    ...(stdout.isTTY && hasUnicode(env) ? {} : { style: PLAIN }),
    shouldDisableColors: stdout.isTTY !== true || !hasControls(env),
    colorMap: COLORS,
    columns: columns.map(({ title, isNumber }, i) => ({
      name: String(i),
      title,
      alignment: isNumber === true ? 'right' : 'left',
    })),
  });
  for (const row of rows) printed.addRow(Object.fromEntries(row.entries()));
  return printed
    .render()
    .split('\n')
    .map((line) => line.replace(/^ /, '').trimEnd())
    .filter((line) => line !== '')
    .join('\n');
}

const BAR_CELLS = 10;

/**
 * A share of a whole, drawn and in figures.
 *
 * @example
 * share(process.env, 1, 2); // '█████░░░░░  50.0%'
 */
export function share(env: Environment, part: number, whole: number): string {
  const ratio = whole === 0 ? 0 : part / whole;
  const full = Math.round(ratio * BAR_CELLS);
  const [filled, free] = hasUnicode(env) ? ['█', '░'] : ['#', '.'];
  const bar = filled.repeat(full) + free.repeat(BAR_CELLS - full);
  return `${bar} ${(100 * ratio).toFixed(1).padStart(5)}%`;
}
