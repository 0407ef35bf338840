import type { TestServer } from './server.js';

/** How many tuples a space has, and a hash over the bytes of all of them in any order. */
export interface SpacePrint {
  rows: number;
  hash: string;
}

/** By space name. */
export type Fingerprint = Record<string, SpacePrint>;

const LUA = `
local options = ...
local digest = require('digest')
local ffi = require('ffi')
local msgpack = require('msgpack')

-- the tuple as the server stores it: nothing is decoded
local function bytes(tuple)
    local size = tonumber(ffi.C.box_tuple_bsize(tuple))
    local buffer = ffi.new('char[?]', size)
    ffi.C.box_tuple_to_buf(tuple, buffer, size)
    return ffi.string(buffer, size)
end

local function combined(digests)
    table.sort(digests)
    return {rows = #digests, hash = digest.sha1_hex(table.concat(digests))}
end

local function print_of(tuples)
    local digests = {}
    for _, tuple in tuples:unwrap() do
        table.insert(digests, digest.sha1(bytes(tuple)))
    end
    return combined(digests)
end

local LAST_SYSTEM_ID = 511
local prints = {}
for _, definition in box.space._space:pairs(LAST_SYSTEM_ID, {iterator = 'GT'}) do
    if not definition.flags.view then
        prints[definition.name] = print_of(box.space[definition.id]:pairs())
    end
end
if not options.system and not options.marks then
    return prints
end

-- what is about the instance
local instance_keys = {}
for _, key in ipairs({'version', 'max_id', 'cluster', 'replicaset_uuid', 'replicaset_name',
        'cluster_name', 'bootstrap_leader_uuid'}) do
    instance_keys[key] = true
end
prints._schema = print_of(box.space._schema:pairs():filter(function(row)
    return not instance_keys[row[1]]
end))
if not options.system then
    return prints
end

local function all()
    return true
end
local shipped_users = {[0] = true, true, true, true, [31] = true}
local made_by_users = {
    _collation = all,
    _space = function(row) return row.id > LAST_SYSTEM_ID end,
    _index = function(row) return row.id > LAST_SYSTEM_ID end,
    _sequence = all,
    _user = function(row) return not shipped_users[row.id] end,
    _priv = all,
    _func = function(row) return row.language ~= 'SQL_BUILTIN' end,
    _space_sequence = all,
    _func_index = all,
    _trigger = all,
    _fk_constraint = all,
    _ck_constraint = all,
}
for name, is_made in pairs(made_by_users) do
    if box.space[name] ~= nil then
        prints[name] = print_of(box.space[name]:pairs():filter(is_made))
    end
end

-- _sequence_data has no row of what an insert took from a sequence: only the sequence knows
local values = {}
for _, row in box.space._sequence:pairs() do
    local sequence = box.sequence[row.name]
    local is_started, value = pcall(sequence.current, sequence)
    if is_started then
        table.insert(values, digest.sha1(msgpack.encode({row.id, value})))
    end
end
prints._sequence_data = combined(values)
return prints
`;

/**
 * Fingerprints every space that a user made, views excepted, inside of the server. Two spaces
 * are equal when, and only when, they hold the same tuples in the same encoding.
 * With `marks`, `_schema` is there too, for what applications noted in it. With `system`, that and all
 * other metadata that a user can make is there, as `_space`, `_index` and so on; `_sequence_data` then
 * stands for the true values of all sequences.
 */
export async function fingerprint(
  server: Pick<TestServer, 'eval'>,
  options: { system?: boolean; marks?: boolean } = {},
): Promise<Fingerprint> {
  const prints = await server.eval<Fingerprint | []>(LUA, options);
  // a Lua table without fields has no type in JSON
  return Array.isArray(prints) ? {} : prints;
}

/** All that a server holds, and how much it has ever written: the same while nobody writes. */
export async function imprint(server: Pick<TestServer, 'eval'>): Promise<[Fingerprint, string]> {
  const position = await server.eval<string>('return tostring(box.info.lsn)');
  return [await fingerprint(server, { system: true }), position];
}
