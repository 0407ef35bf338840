import { setTimeout as sleep } from 'node:timers/promises';
import type { TestServer } from '../support/server.js';
import { ACCOUNTS, ENGINES, type Engine, KEPT_MOVES } from './bank.js';
import { Random } from './random.js';

/** How far each writer is in each engine, by its last move. */
export type Moves = Record<Engine, readonly number[]>;

const MOVE = `
  local engine, writer, move, from, to, amount = ...
  box.atomic(function()
      box.space[engine .. '_left']:update({from}, {{'-', 2, amount}})
      box.space[engine .. '_right']:update({to}, {{'+', 2, amount}})
      local journal = box.space[engine .. '_journal']
      journal:insert({writer, move, amount})
      if move > ${KEPT_MOVES} then journal:delete({writer, move - ${KEPT_MOVES}}) end
  end)
`;
/** Fails until the server has read its log and takes writes. */
const LAST_MOVE = `
  local engine, writer = ...
  if box.info.status ~= 'running' then
      error('the server is not ready')
  end
  local last = box.space[engine .. '_journal']:select({writer}, {iterator = 'REQ', limit = 1})[1]
  return last and last[2] or 0
`;

const MOST_MOVED = 50;
/** Longest pause of a writer between two moves: the machine has something else to do, too. */
const PAUSE_MS = 15;
const RETRY_MS = 20;

const zeros = (count: number): number[] => new Array<number>(count).fill(0);

/**
 * Writers of a bank, and their log outside of the server: a move that is on it was acknowledged, and no
 * backup that is begun later may lack it. A server that is killed makes them wait until it is there again;
 * then they go on where it stands.
 */
export class Writers {
  readonly #server: TestServer;
  readonly #acknowledged: Record<Engine, number[]>;
  readonly #sent: Record<Engine, number[]>;
  readonly #work: Promise<unknown>;
  readonly #steps = new Set<Promise<void>>();
  #gate: Promise<void> | undefined;
  #isStopped = false;
  #failure: Error | undefined;
  /** Why the last move failed, if it did. */
  #trouble: unknown;

  constructor(server: TestServer, count: number, seed: number) {
    this.#server = server;
    this.#acknowledged = { memtx: zeros(count), vinyl: zeros(count) };
    this.#sent = { memtx: zeros(count), vinyl: zeros(count) };
    const each = Array.from({ length: count }, (_, writer) =>
      this.#run(writer, new Random(seed + 1 + writer)),
    );
    this.#work = Promise.all(each);
  }

  /** What a server has said is written: what is dumped from now on has at least this. */
  acknowledged(): Moves {
    this.#check();
    return structuredClone(this.#acknowledged);
  }

  /** What was ever sent: what was dumped up to now has at most this. */
  sent(): Moves {
    return structuredClone(this.#sent);
  }

  /** Transactions that were acknowledged. */
  get committed(): number {
    const moves = ENGINES.flatMap((engine) => this.#acknowledged[engine]);
    return moves.reduce((sum, last) => sum + last, 0);
  }

  /** Does `work` while no writer writes. */
  async quietly<T>(work: () => Promise<T>): Promise<T> {
    let open = (): void => {};
    this.#gate = new Promise((resolve) => {
      open = resolve;
    });
    try {
      await Promise.all(this.#steps);
      return await work();
    } finally {
      this.#gate = undefined;
      open();
    }
  }

  /** @throws Error where they do not get on */
  async progress(within: number): Promise<void> {
    const before = this.committed;
    const deadline = performance.now() + within;
    while (this.committed === before) {
      this.#check();
      if (performance.now() > deadline) {
        throw new Error(`no writer has got on for ${within} ms: ${this.#trouble}`);
      }
      await sleep(RETRY_MS);
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#work;
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #run(writer: number, random: Random): Promise<void> {
    let isKnown = false;
    while (!this.#isStopped && this.#failure === undefined) {
      while (this.#gate !== undefined) await this.#gate;
      const step = (isKnown ? this.#move(writer, random) : this.#catchUp(writer, random)).then(
        () => {
          isKnown = true;
        },
        (error: unknown) => {
          isKnown = false;
          this.#trouble = error;
        },
      );
      this.#steps.add(step);
      await step;
      this.#steps.delete(step);
      await sleep(isKnown ? random.between(0, PAUSE_MS) : RETRY_MS);
    }
  }

  /** Learns where a server stands that was away, and does in vinyl what was only done in memtx. */
  async #catchUp(writer: number, random: Random): Promise<void> {
    for (const engine of ENGINES) {
      const last = await this.#server.eval<number>(LAST_MOVE, engine, writer + 1);
      const known = this.#acknowledged[engine][writer]!;
      if (last < known) {
        this.#failure = new Error(
          `the server itself has lost moves: ${engine}, writer ${writer + 1}, ${last} of ${known}`,
        );
      }
      this.#acknowledged[engine][writer] = last;
    }
    const [memtx, vinyl] = ENGINES.map((engine) => this.#acknowledged[engine][writer]!);
    if (memtx! > vinyl!) await this.#write('vinyl', writer, random);
  }

  async #move(writer: number, random: Random): Promise<void> {
    for (const engine of ENGINES) await this.#write(engine, writer, random);
  }

  async #write(engine: Engine, writer: number, random: Random): Promise<void> {
    const move = this.#acknowledged[engine][writer]! + 1;
    const [from, to] = [random.between(1, ACCOUNTS), random.between(1, ACCOUNTS)];
    const amount = random.between(-MOST_MOVED, MOST_MOVED);
    this.#sent[engine][writer] = move;
    await this.#server.eval(MOVE, engine, writer + 1, move, from, to, amount);
    this.#acknowledged[engine][writer] = move;
  }
}
