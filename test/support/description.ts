import type { TestServer } from './server.js';

/** What users made in a database, by name: `spaces`, `sequences`, `functions` and so on. */
export type Description = Record<string, Record<string, unknown>>;

const LUA = `
local LAST_SYSTEM_ID = 511
local LAST_SHIPPED_COLLATION = 276
local BUILTIN_USERS = {[0] = true, true, true, true, [31] = true}
-- what only some releases grant by themselves, by grantee and space
local SHIPPED_BY_SOME = {[2] = {[276] = true, [341] = true, [380] = true}, [3] = {[388] = true}}
-- before, they are texts of SQL
local HAS_DEFAULT_VALUES = tonumber(_TARANTOOL:match('^%d+')) >= 3
local INSTANCE_KEYS = {}
for _, key in ipairs({'version', 'max_id', 'cluster', 'replicaset_uuid', 'replicaset_name',
        'cluster_name', 'bootstrap_leader_uuid'}) do
    INSTANCE_KEYS[key] = true
end

-- JSON has no numbers beyond doubles, and Lua's tables no type
local function plain(value)
    if type(value) == 'table' then
        local copy = {}
        for key, inner in pairs(value) do
            copy[key] = plain(inner)
        end
        return copy
    end
    local is_odd = type(value) == 'number' and (value ~= value or math.abs(value) == math.huge)
    if is_odd or type(value) == 'cdata' and value ~= nil then
        return tostring(value)
    end
    return value
end

-- releases differ in what they quote, in the case of what they do not, and in who has to ask for a scan
local function plain_sql(text)
    return (text:lower():gsub('"', ''):gsub('%f[%w]seqscan%f[%W]', ' '):gsub('%s+', ' '))
end

local function without(map, keys)
    local copy = plain(map)
    for _, key in ipairs(keys) do
        copy[key] = nil
    end
    return copy
end

-- nil for what only newer releases have, where it says nothing
local function unless_empty(value)
    if value ~= nil and next(value) ~= nil then
        return plain(value)
    end
end

local names = {}
for kind, space in pairs({user = '_user', ['function'] = '_func', space = '_space',
        sequence = '_sequence', collation = '_collation'}) do
    names[kind] = {}
    for _, row in box.space[space]:pairs() do
        names[kind][row.id] = row.name
    end
end
names.role = names.user
local function name_of(kind, id)
    return names[kind] and names[kind][id] or '#' .. tostring(id)
end

local function is_shipped_function(row)
    local is_of_lua = row.name == 'box.schema.user.info' or row.name == 'LUA'
    return row.language == 'SQL_BUILTIN' or is_of_lua and row.owner == 1
end

-- a check of SQL is a row before 2.11, and a function of its own from then on
local function is_check(row)
    return row.language == 'SQL_EXPR' and row.name:startswith('check_')
end

-- a default of SQL is a text before 3.0, and from then on a value, or a function of its own
local function is_default(row)
    return row.language == 'SQL_EXPR' and row.name:startswith('default_')
end

-- what a default of SQL gives: nothing for NULL, and the text where it is none
local function value_of(sql)
    local result = box.execute('SELECT ' .. sql)
    if not result then
        return plain_sql(sql)
    elseif result.rows[1][1] ~= nil then
        return plain(result.rows[1][1])
    end
end

local function field_name(space_id, field)
    if type(field) ~= 'number' then
        return field
    end
    local space = box.space[space_id]
    local format = space and space:format()[field + 1]
    return format and format.name or '#' .. field
end

local function foreign_key(child, key)
    local parent = key.space or child
    if type(key.field) == 'table' then
        local fields = {}
        for from, to in pairs(key.field) do
            fields[field_name(child, from)] = field_name(parent, to)
        end
        return {space = name_of('space', parent), field = fields}
    end
    return {space = name_of('space', parent), field = field_name(parent, key.field)}
end

-- Constraints and foreign keys of a space or a field; releases before 2.10 do not understand these keys.
local function describe_constraints(space_id, definition, described)
    if type(definition.constraint) == 'table' then
        local constraints, checks = {}, {}
        for name, id in pairs(definition.constraint) do
            local row = box.space._func:get(id)
            if row and is_check(row) then
                checks[name] = plain_sql(row.body)
            else
                constraints[name] = name_of('function', id)
            end
        end
        described.constraint = unless_empty(constraints)
        described.checks = unless_empty(checks)
    end
    if type(definition.foreign_key) == 'table' then
        described.foreign_keys = {}
        for name, key in pairs(definition.foreign_key) do
            described.foreign_keys[name] = type(key) == 'table' and foreign_key(space_id, key) or key
        end
    end
    return described
end

local function describe_field(space_id, field)
    local described = without(field, {'constraint', 'foreign_key'})
    described.collation = field.collation and name_of('collation', field.collation)
    local func = type(field.default_func) == 'number' and box.space._func:get(field.default_func)
    if func and is_default(func) then
        described.default, described.default_func = value_of(func.body), nil
    elseif func then
        described.default_func = func.name
    elseif type(field.default) == 'string' and not HAS_DEFAULT_VALUES then
        described.default = value_of(field.default)
    end
    return describe_constraints(space_id, field, described)
end

local function describe_space(row)
    local flags = without(row.flags, {'constraint', 'foreign_key', 'sql'})
    local described = {
        owner = name_of('user', row.owner), engine = row.engine, field_count = row.field_count,
        flags = flags, sql = row.flags.sql and plain_sql(row.flags.sql),
        format = {}, indexes = {}, triggers = {},
    }
    for i, field in ipairs(row.format) do
        described.format[i] = describe_field(row.id, field)
    end
    return describe_constraints(row.id, row.flags, described)
end

local function describe_part(part)
    return {
        field = part.field or part[1], type = (part.type or part[2]):lower(),
        collation = part.collation and name_of('collation', part.collation),
        path = part.path, is_nullable = part.is_nullable, exclude_null = part.exclude_null or nil,
        sort_order = part.sort_order, scale = part.scale, nullable_action = part.nullable_action,
    }
end

local function describe_index(row)
    local described = {position = row.iid, type = row.type:lower(), parts = {}}
    described.options = without(row.opts, {'lsn', 'func'})
    described.func = row.opts.func and name_of('function', row.opts.func)
    for i, part in ipairs(row.parts) do
        described.parts[i] = describe_part(part)
    end
    return described
end

local function describe_sequence(row)
    local described = without(row:tomap({names_only = true}), {'id'})
    local is_started, value = pcall(box.sequence[row.name].current, box.sequence[row.name])
    described.value = is_started and plain(value) or nil
    described.owner = name_of('user', row.owner)
    return described
end

local function describe_function(row)
    local described = without(row:tomap({names_only = true}), {'id', 'created', 'last_altered'})
    described.owner = name_of('user', row.owner)
    described.trigger = unless_empty(row.trigger)
    described.opts = unless_empty(row.opts)
    return described
end

local function describe_user(row)
    local described = {type = row.type, owner = name_of('user', row.owner), grants = {}}
    if not BUILTIN_USERS[row.id] then
        described.auth = plain(row.auth)
        described.auth_history = unless_empty(row.auth_history)
    end
    return described
end

-- nil for grants of which only some releases ship the like
local function describe_grant(row)
    local kind, id = row.object_type, row.object_id
    if kind == 'function' and row.grantee == 2 then
        local func = box.space._func:get(id)
        if func and is_shipped_function(func) and func.id ~= 1 then
            return nil
        end
    elseif kind == 'space' and (SHIPPED_BY_SOME[row.grantee] or {})[id] then
        return nil
    end
    local object = kind == 'universe' and '' or type(id) == 'number' and name_of(kind, id) or id
    return kind .. ' ' .. object,
        {grantor = name_of('user', row.grantor), bits = tostring(row.privilege)}
end

local all = {spaces = {}, sequences = {}, functions = {}, collations = {}, users = {}, notes = {}}

for _, row in box.space._space:pairs({LAST_SYSTEM_ID}, {iterator = 'GT'}) do
    all.spaces[row.name] = describe_space(row)
end
for _, row in box.space._index:pairs({LAST_SYSTEM_ID}, {iterator = 'GT'}) do
    if row.id > LAST_SYSTEM_ID then
        all.spaces[name_of('space', row.id)].indexes[row.name] = describe_index(row)
    end
end
for _, row in box.space._space_sequence:pairs() do
    local space = all.spaces[name_of('space', row.id)]
    space.sequence = without(row:tomap({names_only = true}), {'id', 'sequence_id'})
    space.sequence.name = name_of('sequence', row.sequence_id)
end
for _, row in box.space._trigger:pairs() do
    all.spaces[name_of('space', row.space_id)].triggers[row.name] = plain_sql(row.opts.sql)
end
for _, row in box.space._fk_constraint:pairs() do
    local space = all.spaces[name_of('space', row.child_id)]
    local fields = {}
    for i, column in ipairs(row.child_cols) do
        fields[field_name(row.child_id, column)] = field_name(row.parent_id, row.parent_cols[i])
    end
    space.foreign_keys = space.foreign_keys or {}
    space.foreign_keys[row.name] = {
        space = name_of('space', row.parent_id), field = fields,
        is_deferred = row.is_deferred or nil,
        match = row.match ~= 'simple' and row.match or nil,
        on_delete = row.on_delete ~= 'no_action' and row.on_delete or nil,
        on_update = row.on_update ~= 'no_action' and row.on_update or nil,
    }
end
for _, row in box.space._ck_constraint:pairs() do
    local space = all.spaces[name_of('space', row.space_id)]
    space.checks = space.checks or {}
    space.checks[row.name] = plain_sql(row.code)
end
for _, row in box.space._sequence:pairs() do
    all.sequences[row.name] = describe_sequence(row)
end
for _, row in box.space._func:pairs() do
    if not is_shipped_function(row) and not is_check(row) and not is_default(row) then
        all.functions[row.name] = describe_function(row)
    end
end
for _, row in box.space._collation:pairs({LAST_SHIPPED_COLLATION}, {iterator = 'GT'}) do
    all.collations[row.name] = without(row:tomap({names_only = true}), {'id'})
    all.collations[row.name].owner = name_of('user', row.owner)
end
for _, row in box.space._user:pairs() do
    all.users[row.name] = describe_user(row)
end
for _, row in box.space._priv:pairs() do
    local object, grant = describe_grant(row)
    if object then
        all.users[name_of('user', row.grantee)].grants[object] = grant
    end
end
for _, row in box.space._schema:pairs() do
    if not INSTANCE_KEYS[row[1]] then
        all.notes[row[1]] = plain(row:totable())
    end
end
return all
`;

/**
 * What users made, by names and not by ids, and so that one database gives one description on each
 * release that it can be moved to: constraints and defaults of SQL read the same wherever a release
 * keeps them, SQL text without quotes, case and SEQSCAN, dates and whatever a release ships by itself
 * left out.
 *
 * @example
 * (await describeDatabase(server))['users']?.['guest']; // { type: 'user', owner: 'admin', grants: … }
 */
export function describeDatabase(server: Pick<TestServer, 'eval'>): Promise<Description> {
  return server.eval<Description>(LUA);
}
