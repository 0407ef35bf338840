import { quoted } from '../../lib/base/report.js';
import type {
  Definitions,
  FieldDefinition,
  IndexDefinition,
  PartDefinition,
  SequenceDefinition,
  SpaceDefinition,
} from '../../lib/schema/describe/definitions.js';

/** Returns the text after the name of a field or a part. */
function typed({ type, isNullable, collation }: FieldDefinition | PartDefinition): string {
  const words = isNullable ? `${type} nullable` : type;
  return collation === undefined ? words : `${words} collation ${quoted(collation)}`;
}

function showFields(fields: readonly FieldDefinition[]): string[] {
  const width = fields.reduce((most, { name }) => Math.max(most, name.length), 0);
  return fields.map((field) => {
    const made = field.default === undefined ? '' : ` default ${field.default}`;
    return `  ${field.name.padEnd(width)}  ${typed(field)}${made}`;
  });
}

function showPart(part: PartDefinition): string {
  const path = part.path === undefined ? '' : ` at ${quoted(part.path)}`;
  const order = part.order === undefined ? '' : ` ${part.order}`;
  return `${part.field}${path} ${typed(part)}${order}`;
}

function showIndex(index: IndexDefinition): string {
  const { id, name, type, isUnique, parts } = index;
  const over = index.function === undefined ? '' : ` of function ${quoted(index.function)}`;
  return `  index ${id} ${quoted(name)}: ${isUnique ? 'unique ' : ''}${type}${over} (${parts.map(showPart).join(', ')})`;
}

function showSpace(space: SpaceDefinition): string[] {
  const { id, name, engine, sql, rowless, sequence, fields, indexes, checks, foreignKeys } = space;
  const notes = [
    engine,
    ...(rowless === undefined ? [] : [rowless]),
    ...(sequence === undefined ? [] : [`ids from sequence ${quoted(sequence)}`]),
  ];
  return [
    `space ${id} ${quoted(name)} (${notes.join('; ')})`,
    ...(sql === undefined ? [] : sql.split('\n').map((line) => `  | ${line}`)),
    ...showFields(fields),
    ...indexes.map(showIndex),
    ...checks.map((check) => `  check ${quoted(check.name)}: ${check.code}`),
    ...foreignKeys.map((key) => {
      const pairs = key.fields.map(([own, other]) => `${own} -> ${other}`).join(', ');
      return `  foreign key ${quoted(key.name)} to space ${quoted(key.space)} (${pairs})`;
    }),
  ];
}

function showSequence(sequence: SequenceDefinition): string {
  const { id, name, step, min, max, start, isCycle, value } = sequence;
  const at = value === undefined ? 'not used yet' : `at ${value}`;
  const end = isCycle ? ', then from its start again' : '';
  return `sequence ${id} ${quoted(name)}: from ${start} by ${step}, within ${min} to ${max}${end}; ${at}`;
}

/**
 * Definitions as people read them, in lines that may hold anything: names come from an archive.
 *
 * @example
 * showDefinitions(definitions).map(printable);
 */
export function showDefinitions({ spaces, sequences }: Definitions): string[] {
  const blocks = [...spaces.map(showSpace), sequences.map(showSequence)];
  return blocks.filter((lines) => lines.length > 0).flatMap((lines) => ['', ...lines]);
}
