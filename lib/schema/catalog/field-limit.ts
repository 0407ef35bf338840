import { type ErrorKind, TntarError } from '../../base/errors.js';
import { quoted } from '../../base/report.js';
import { decode } from '../../tuple/codec.js';
import { splitFields } from '../../tuple/fields.js';
import { isArray, memberCount } from '../../tuple/msgpack.js';
import { Field } from '../server/system-spaces.js';

/**
 * The most fields that the format of a space may have. Servers allow 2^31 - 1 (`BOX_FIELD_MAX` of the server's
 * `src/box/schema_def.h`), but a format is a tuple of `_space`, and a tuple of 1 MiB, which is the default limit, has
 * room for some 40,000. SQL stops at 2,000 columns (`SQL_MAX_COLUMN` of `src/box/sql/sqlLimit.h`).
 */
export const MAX_FIELDS = 65_536;

const HINTS: Readonly<Partial<Record<ErrorKind, string>>> = {
  archive:
    'tntar does not write such archives; it was made by another program, or was changed later',
  failure:
    'shorten the format on the server with space:format(); rows may have more fields than their format names',
};

/**
 * Refuses a space whose format has too many fields.
 *
 * @param raw - a row of `_space` that was not decoded yet
 * @param kind - of the error; it depends on where the row comes from
 * @throws TntarError that names the space
 */
export function checkFieldCount(raw: Buffer, kind: ErrorKind): void {
  const fields = splitFields(raw);
  const format = fields[Field.space.format];
  if (format === undefined || !isArray(format[0]!)) return;
  const count = memberCount(format, 0);
  if (count <= MAX_FIELDS) return;
  const name = quoted(decode(fields[Field.space.name]!));
  const hint = HINTS[kind];
  throw new TntarError(
    kind,
    `space ${name}: its format has ${count} fields, and the limit of tntar is ${MAX_FIELDS}`,
    { hint },
  );
}
