import { type Fingerprint, fingerprint } from '../support/fingerprint.js';
import type { TestServer } from '../support/server.js';

/** No transaction of a server before 3.x can write to both. */
export const ENGINES = ['memtx', 'vinyl'] as const;
export type Engine = (typeof ENGINES)[number];

/** Accounts on each of the two sides of an engine. */
export const ACCOUNTS = 500;
/** What each of them has at first. */
export const BALANCE = 1000;
/** A journal keeps so many of the last moves of a writer: it stays small, and deletes are checked, too. */
export const KEPT_MOVES = 400;

/** Bytes of a row that nobody changes, and that no compression makes smaller. */
const BALLAST_ROW = 1000;

/** How many writers there are, and how much there is beside what they change. */
export interface BankSize {
  writers: number;
  /** Megabytes of rows that nobody changes, in each of the engines. */
  ballast: number;
}

/**
 * Lua that opens a bank: for each engine accounts on two sides, the journal of what was moved between
 * them, and ballast that makes a dump last long enough to be hit in its middle. What is true at any
 * moment, and therefore in every backup:
 *
 * - for each engine, the balances of both sides together are what they were at first: a move takes from
 *   one side what it gives to the other, in one transaction
 * - for each engine and writer, the journal has the last {@link KEPT_MOVES} moves, without a hole: a move
 *   writes its row, and deletes the one that is too old, in that same transaction
 * - a writer makes each move in memtx and then, in a transaction of its own, in vinyl: so its journal in
 *   vinyl is at most one move behind that in memtx, and never before it. A read view of a snapshot is
 *   one moment of both engines, so that this holds in a dump, too
 * - no row of the ballast changes
 */
export function bank({ ballast }: Pick<BankSize, 'ballast'>): string {
  return `
    local digest = require('digest')
    for _, engine in ipairs({'memtx', 'vinyl'}) do
        for _, side in ipairs({'left', 'right'}) do
            local accounts = box.schema.space.create(engine .. '_' .. side, {engine = engine,
                format = {{'id', 'unsigned'}, {'balance', 'integer'}}})
            accounts:create_index('primary')
            accounts:create_index('balance', {parts = {'balance'}, unique = false})
            box.begin()
            for id = 1, ${ACCOUNTS} do accounts:insert({id, ${BALANCE}}) end
            box.commit()
        end
        local journal = box.schema.space.create(engine .. '_journal', {engine = engine,
            format = {{'writer', 'unsigned'}, {'move', 'unsigned'}, {'amount', 'integer'}}})
        journal:create_index('primary', {parts = {'writer', 'move'}})
        local ballast = box.schema.space.create(engine .. '_ballast', {engine = engine})
        ballast:create_index('primary')
        for megabyte = 0, ${ballast - 1} do
            box.begin()
            for row = 1, 1000 do
                ballast:insert({megabyte * 1000 + row, digest.urandom(${BALLAST_ROW})})
            end
            box.commit()
        end
    end
    box.schema.sequence.create('receipts', {start = 7})
    box.sequence.receipts:next()
    box.schema.user.create('teller', {password = 'teller'})
    box.schema.user.grant('teller', 'read', 'space', 'memtx_journal')
    box.schema.user.grant('teller', 'read', 'space', 'vinyl_journal')
  `;
}

/** What one side knows of the moves of one writer. */
export interface Journal {
  rows: number;
  /** Numbers of the first and of the last move that is there; 0 where there is none. */
  first: number;
  last: number;
}

/** What a bank, or a copy of one, holds of one engine. */
export interface Facts {
  accounts: number;
  /** The same, counted in the secondary indexes. */
  indexed: number;
  /** Sum of all balances. */
  total: number;
  /** Of each writer. */
  journals: Journal[];
}

const FACTS = `
  local writers = ...
  local facts = {}
  for _, engine in ipairs({'memtx', 'vinyl'}) do
      local accounts, indexed, total, journals = 0, 0, 0, {}
      for _, side in ipairs({'left', 'right'}) do
          local space = box.space[engine .. '_' .. side]
          for _, row in space:pairs() do
              accounts, total = accounts + 1, total + row[2]
          end
          indexed = indexed + space.index.balance:count()
      end
      for writer = 1, writers do
          journals[writer] = {rows = 0, first = 0, last = 0}
      end
      for _, row in box.space[engine .. '_journal']:pairs() do
          local journal = journals[row[1]]
          journal.rows = journal.rows + 1
          journal.first = journal.first == 0 and row[2] or journal.first
          journal.last = row[2]
      end
      facts[engine] = {accounts = accounts, indexed = indexed, total = total, journals = journals}
  end
  return facts
`;

/** Looks at a server that nobody writes to. */
export function factsOf(server: TestServer, writers: number): Promise<Record<Engine, Facts>> {
  return server.eval(FACTS, writers);
}

/** Fingerprints of what nobody changes. */
export function ballastOf(prints: Fingerprint): Fingerprint {
  return Object.fromEntries(Object.entries(prints).filter(([name]) => name.endsWith('_ballast')));
}

/** What a server holds, definitions included. */
export function contentOf(server: TestServer): Promise<Fingerprint> {
  return fingerprint(server, { system: true });
}
