import { SystemSpace } from './system-spaces.js';

/** A field in the format of a space. */
export interface FieldFormat {
  name: string;
  /** e.g. `unsigned`; `any` where the format does not say. */
  type: string;
}

/**
 * `name type` of each field of the system spaces, from `box.space._x:format()` of 3.x. Older servers have the first
 * of them, with the same names.
 */
const FORMATS: Readonly<Record<number, string>> = {
  [SystemSpace.SCHEMA]: 'key string, value any',
  [SystemSpace.COLLATION]:
    'id unsigned, name string, owner unsigned, type string, locale string, opts map',
  [SystemSpace.SPACE]:
    'id unsigned, owner unsigned, name string, engine string, field_count unsigned, flags map, format array',
  [SystemSpace.SEQUENCE]:
    'id unsigned, owner unsigned, name string, step integer, min integer, max integer, start integer, cache integer, cycle boolean',
  [SystemSpace.SEQUENCE_DATA]: 'id unsigned, value integer',
  [SystemSpace.INDEX]: 'id unsigned, iid unsigned, name string, type string, opts map, parts array',
  [SystemSpace.FUNC]:
    'id unsigned, owner unsigned, name string, setuid unsigned, language string, body string, routine_type string, param_list array, returns string, aggregate string, sql_data_access string, is_deterministic boolean, is_sandboxed boolean, is_null_call boolean, exports array, opts map, comment string, created string, last_altered string, trigger array',
  [SystemSpace.USER]:
    'id unsigned, owner unsigned, name string, type string, auth map, auth_history array, last_modified unsigned',
  [SystemSpace.PRIV]:
    'grantor unsigned, grantee unsigned, object_type string, object_id scalar, privilege unsigned',
  [SystemSpace.TRIGGER]: 'name string, space_id unsigned, opts map',
  [SystemSpace.SPACE_SEQUENCE]:
    'id unsigned, sequence_id unsigned, is_generated boolean, field unsigned, path string',
  [SystemSpace.FK_CONSTRAINT]:
    'name string, child_id unsigned, parent_id unsigned, is_deferred boolean, match string, on_delete string, on_update string, child_cols array, parent_cols array',
  [SystemSpace.CK_CONSTRAINT]:
    'space_id unsigned, name string, is_deferred boolean, language string, code string, is_enabled boolean',
  [SystemSpace.FUNC_INDEX]: 'space_id unsigned, index_id unsigned, func_id unsigned',
};

/**
 * Returns the fields of a system space.
 *
 * @example
 * systemFormat(SystemSpace.SEQUENCE_DATA); // [{ name: 'id', type: 'unsigned' }, …]
 */
export function systemFormat(spaceId: number): FieldFormat[] {
  const fields = FORMATS[spaceId]?.split(', ') ?? [];
  return fields.map((field) => {
    const [name = '', type = 'any'] = field.split(' ');
    return { name, type };
  });
}
