/**
 * Lua that all questions have before them: `told` makes text of an error. The words of an error are the
 * release's own, so only servers of one release are asked for them, with `true` as the chunk's argument.
 */
export const TOLD = `
local has_words = ...
local function told(reason)
    return has_words and tostring(reason) or 'refused'
end
`;

/** Lua that tells of each of the statements what it returns, or what goes wrong. */
export const attempt = (...statements: string[]): string => `
  local answers = {}
  for _, try in ipairs({${statements.map((each) => `function() ${each} end`).join(', ')}}) do
      local ok, result = pcall(try)
      table.insert(answers, ok and (result or 'nil') or told(result))
  end
  return answers
`;

const asStrings = (statements: readonly string[]): string =>
  statements.map((each) => `[==[${each}]==]`).join(', ');

/** Lua that runs SQL statements, of which some fail, and returns what they say. */
export const runSql = (...statements: string[]): string => `
  local answers = {}
  -- 3.x lets nobody read a whole table by mistake; 2.6 does not know this
  box.execute('SET SESSION "sql_seq_scan" = true')
  for _, statement in ipairs({${asStrings(statements)}}) do
      local result, reason = box.execute(statement)
      table.insert(answers, result and (result.rows or result.row_count) or told(reason))
  end
  return answers
`;

/** Lua that runs SQL statements which have to go well. */
export const makeSql = (...statements: string[]): string => `
  box.execute('SET SESSION "sql_seq_scan" = true')
  for _, statement in ipairs({${asStrings(statements)}}) do
      local result, reason = box.execute(statement)
      if not result then error(statement .. ': ' .. tostring(reason)) end
  end
`;
