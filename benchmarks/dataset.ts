/**
 * Lua that fills a server with the benchmark set: `{unsigned, string, string, number, string(64), map}`,
 * some 142 bytes a tuple, with a primary and a unique string index. Half of a tuple is a random
 * hexadecimal token, which no compression makes smaller than half. The rest repeats itself as real rows do.
 */
export function benchmarkSet(rows: number): string {
  return `
    local digest = require('digest')
    local words = {'alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta'}
    local space = box.schema.space.create('bench', {format = {
      {'id', 'unsigned'}, {'email', 'string'}, {'name', 'string'}, {'amount', 'number'},
      {'token', 'string'}, {'attributes', 'map'}}})
    space:create_index('primary')
    box.begin()
    for i = 1, ${rows} do
      space:insert{i, 'user' .. i .. '@example.com', words[i % 8 + 1] .. ' ' .. words[i * 7 % 8 + 1],
        i * 1.25, digest.sha256_hex(tostring(i)), {visits = i % 1000, tag = words[i % 5 + 1], valid = true}}
      if i % 1000 == 0 then box.commit() box.begin() end
    end
    box.commit()
    space:create_index('email', {parts = {2}})
    box.schema.user.grant('guest', 'super')`;
}
