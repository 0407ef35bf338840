import { writeFileSync } from 'node:fs';
import { archive, jsonEntry, manifest, rowsEntry, sealed } from '../../support/archive-builder.js';
import { bin, ext, float32, float64, type Plain } from '../../support/msgpack.js';
import { DATETIME, DECIMAL, INTERVAL, UUID } from './values.js';

const nullable = { is_nullable: true };

/** A field of each type, all nullable except the first. */
const TYPED = [
  { name: 'id', type: 'unsigned' },
  ...['integer', 'number', 'double', 'decimal', 'boolean', 'string', 'varbinary', 'uuid'].map(
    (type) => ({ name: type, type, ...nullable }),
  ),
  ...['datetime', 'interval', 'array', 'map', 'any', 'scalar', 'int64', 'uint8'].map((type) => ({
    name: `a ${type}`,
    type,
    ...nullable,
  })),
];

const NULLS: Plain[] = Array.from({ length: TYPED.length - 1 }, () => null);

/** A row with values of each type, one with extreme values, and one with nulls. */
export const TYPED_ROWS: Plain[][] = [
  [
    1,
    -5,
    float64(1.5),
    float64(0.1),
    DECIMAL,
    true,
    'größe\t\\"\'\r\n',
    bin(Buffer.of(0, 255, 92)),
    UUID,
    DATETIME,
    INTERVAL,
    [1, null],
    { a: { b: "it's\\" } },
    'text',
    7,
    -1,
    255,
  ],
  [
    2n ** 64n - 1n,
    -(2n ** 63n),
    2n ** 64n - 1n,
    float64(Number.POSITIVE_INFINITY),
    ext(1, Buffer.from(`00${'0'}${'9'.repeat(76)}c`, 'hex')),
    false,
    '',
    bin(Buffer.alloc(0)),
    null,
    null,
    null,
    [],
    {},
    null,
    'x',
    2n ** 63n - 1n,
    0,
  ],
  [3, 2n ** 63n, DECIMAL, float32(0.1), null, null, '\\N', ...NULLS.slice(6)],
  [4, ...NULLS],
  [5],
];

const part = (field: number, type: string) => ({ field, type, ...nullable });

const INDEXES: readonly (readonly Plain[])[] = [
  [0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]],
  [1, 'by_string', 'tree', { unique: false }, [part(6, 'string'), part(1, 'integer')]],
  [2, 'by_uuid', 'hash', { unique: true }, [part(8, 'uuid')]],
  [3, 'by_time', 'tree', { unique: true }, [part(9, 'datetime')]],
  [4, 'by_path', 'tree', { unique: false }, [{ ...part(12, 'string'), path: 'a.b' }]],
];

/** The definition of a space of an archive. */
export interface Described {
  name: string;
  format: readonly { name: string; type: string }[];
  /** Rows of `_index` without the id of the space. */
  indexes?: readonly (readonly Plain[])[];
}

const PRIMARY: readonly Plain[] = [0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]];

/** Writes an archive of one space with these rows. */
export function writeSpace(
  file: string,
  { name, format, indexes = [PRIMARY] }: Described,
  rows: readonly Plain[][],
): void {
  const space = { id: 512, name, engine: 'memtx', format, rowsFrom: 'snapshot' };
  const entries = [
    jsonEntry('manifest.json', manifest({ spaces: [space] })),
    rowsEntry('280.dump', [512, 1, name, 'memtx', 0, {}, format as Plain]),
    rowsEntry('288.dump', ...indexes.map((index) => [512, ...index])),
    rowsEntry('512.dump', ...rows),
  ];
  writeFileSync(file, archive(sealed(entries)));
}

/** Writes an archive of one space `typed` with these rows. */
export function writeTyped(file: string, rows: readonly Plain[][] = TYPED_ROWS): void {
  writeSpace(file, { name: 'typed', format: TYPED, indexes: INDEXES }, rows);
}
