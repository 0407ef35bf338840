import type { Running } from '../cli/running.js';
import type { Result } from '../support/cli.js';
import type { Fingerprint } from '../support/fingerprint.js';
import { startServer, type TestServer } from '../support/server.js';
import { type BankSize, ballastOf, bank, contentOf, factsOf } from './bank.js';
import { type Bounds, differences, examine, rowsLacking, Violation } from './checks.js';
import { COMMANDS, type Command, Commands, failure } from './commands.js';
import { FAULT_NAMES, FAULTS, type Fault, LIMIT_MS, misconduct } from './faults.js';
import { Figures } from './figures.js';
import { Random } from './random.js';
import { Writers } from './writers.js';

/** How long a soak goes on, and with what. */
export interface SoakOptions extends BankSize {
  seed: number;
  minutes: number;
  /** Ends it when so many faults were survived, where that is earlier. */
  faults?: number;
  /** Is told once a minute how far it has come. */
  say?: (line: string) => void;
  /** Done to the bank while writers write: tests break it, to see that this is found. */
  spoil?: (source: TestServer) => Promise<unknown>;
}

/** A dump that said it is complete, and what its restored copy holds. */
interface Backup {
  archive: Buffer;
  content: Fingerprint;
}

/** What a restore is run with, and again when it failed, in turn. */
const EXISTING = ['drop', 'truncate', 'replace'] as const;
const DROP = ['--existing', 'drop'];
/** Each archive is restored so often under attack. */
const USES = 2;
/** Every third archive is made while nobody writes, and compared with its source to the byte. */
const QUIET = 3;
const PROGRESS_MS = 30_000;
/** About as long as the end of a run, which sends few bytes and takes its time; half of all have none. */
const LONGEST_PAUSE_MS = 150;
/** Bytes of the rows beside the ballast, about. */
const SMALL_ROWS = 300_000;
/** Checkpoints come and go while dumps read, and logs do not grow for ever. */
const CFG = { checkpoint_interval: 30, checkpoint_count: 1 };

/**
 * Writers change a bank, while dumps, restores and faults come and go. What is called complete is
 * verified, restored and looked into; what is not has to be refused, or to be finished by another run.
 *
 * @example
 * const soak = await Soak.start({ seed: 7, minutes: 10, writers: 3, ballast: 4 });
 * await soak.run();
 * soak.figures.lost;
 */
export class Soak {
  readonly figures = new Figures();
  readonly #options: SoakOptions;
  readonly #random: Random;
  readonly #source: TestServer;
  /** Where whole archives are restored to, and nothing happens. */
  readonly #copy: TestServer;
  /** Where restores fail. */
  readonly #target: TestServer;
  readonly #ballast: Fingerprint;
  readonly #writers: Writers;
  readonly #commands = new Commands(this.figures);
  #backups = 0;
  #attacks = 0;
  /** What restores are attacked with. */
  #backup: Backup | undefined;

  private constructor(options: SoakOptions, servers: readonly TestServer[], ballast: Fingerprint) {
    const [source, copy, target] = servers;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#source = source!;
    this.#copy = copy!;
    this.#target = target!;
    this.#ballast = ballast;
    this.#writers = new Writers(source!, options.writers, options.seed);
  }

  /** Starts three servers, and the writers of the first one. */
  static async start(options: SoakOptions): Promise<Soak> {
    const [source, ...others] = await Promise.all([
      startServer({ lua: bank(options), cfg: CFG }),
      startServer({ cfg: CFG }),
      startServer({ cfg: CFG }),
    ]);
    return new Soak(options, [source, ...others], ballastOf(await contentOf(source)));
  }

  get title(): string {
    return `Tarantool ${this.#source.version}, Node ${process.version}, seed ${this.#options.seed}`;
  }

  /**
   * Goes on until its time is over, and stops its servers.
   *
   * @throws Violation as soon as something is that may never be
   */
  async run(): Promise<void> {
    const { say = () => {}, spoil } = this.#options;
    try {
      await this.#writers.progress(PROGRESS_MS);
      await spoil?.(this.#source);
      let told = 0;
      for (const [command, fault] of this.#deck()) {
        let isHit = false;
        while (!isHit && this.#goesOn()) {
          isHit =
            command === 'dump' ? await this.#dumpUnder(fault) : await this.#restoreUnder(fault);
          await this.#writers.progress(PROGRESS_MS);
          this.figures.committed = this.#writers.committed;
        }
        if (!this.#goesOn()) break;
        if (this.figures.minutes >= told + 1) say(this.figures.brief());
        told = Math.floor(this.figures.minutes);
      }
    } catch (error) {
      if (error instanceof Violation) this.figures.lost += error.lost;
      throw error;
    } finally {
      await this.#writers.stop();
      await Promise.all([this.#source, this.#copy, this.#target].map((each) => each.stop()));
    }
  }

  #goesOn(): boolean {
    const { minutes, faults = Number.POSITIVE_INFINITY } = this.#options;
    return this.figures.minutes < minutes && this.figures.faults < faults;
  }

  /** What happens next: each kind of fault once before any comes again, then to the other command. */
  *#deck(): Generator<[Command, Fault]> {
    for (;;) {
      const faults = this.#random.shuffled(FAULT_NAMES);
      for (const turn of [0, 1]) {
        for (const [i, fault] of faults.entries()) yield [COMMANDS[(i + turn) % 2]!, fault];
      }
    }
  }

  async #dumpUnder(fault: Fault): Promise<boolean> {
    const least = this.#writers.acknowledged();
    const { result, isHit } = await this.#attack('dump', fault, this.#source, (address) =>
      this.#commands.dump(address),
    );
    const bounds = { least, most: this.#writers.sent() };
    if (result.code === 0) await this.#examine(result.stdout, bounds);
    else await this.#refuse(fault, result.stdout, bounds);
    if (isHit) this.figures.survive(fault);
    return isHit;
  }

  async #restoreUnder(fault: Fault): Promise<boolean> {
    if (this.#attacks % USES === 0) this.#backup = await this.#makeBackup();
    const { archive, content } = this.#backup!;
    const existing = EXISTING[this.#attacks++ % EXISTING.length]!;
    const options = ['--existing', existing];
    // These two keep definitions, and replace keeps rows: the target has the ones, and none of the others.
    if (existing !== 'drop') await this.#restore(archive, ...DROP, '--schema-only');
    const { result, isHit } = await this.#attack('restore', fault, this.#target, (address) =>
      this.#commands.restore(address, archive, options),
    );
    if (result.code !== 0) {
      await this.#restore(archive, ...options);
      this.figures.resumed++;
    }
    const different = differences(await contentOf(this.#target), content);
    if (different.length > 0) {
      const how = `restored again with --existing ${existing} after ${fault}`;
      throw new Violation(`${how}: ${different.join('; ')}`, { archive });
    }
    if (isHit) this.figures.survive(fault);
    return isHit;
  }

  /** Does to a run what the fault is, and sees whether it ends as promised. */
  async #attack(
    command: Command,
    fault: Fault,
    server: TestServer,
    start: (address: string) => Running,
  ): Promise<{ result: Result; isHit: boolean }> {
    const { result, isHit } = await FAULTS[fault].attack({
      server,
      start,
      rowsFrom: command === 'dump' ? 'server' : 'client',
      bytes: 2e6 * this.#options.ballast + SMALL_ROWS,
      moment: this.#random.next(),
      pauseMs: Math.max(0, this.#random.between(-LONGEST_PAUSE_MS, LONGEST_PAUSE_MS)),
    });
    const wrong = isHit ? misconduct(fault, result) : failure(result);
    if (wrong !== undefined) {
      const archive = command === 'dump' ? { archive: result.stdout } : {};
      throw new Violation(`${command} under ${fault}: ${wrong}\n${result.stderr}`, archive);
    }
    if (!isHit) this.figures.late++;
    return { result, isHit };
  }

  /** A dump that nothing happens to, and what is in it. */
  async #makeBackup(): Promise<Backup> {
    const isQuiet = this.#backups++ % QUIET === 0;
    const least = this.#writers.acknowledged();
    const dumped = async (): Promise<Buffer> => this.#commands.dumpWhole(this.#source.address);
    const [archive, expected] = isQuiet
      ? await this.#writers.quietly(async () => [await dumped(), await contentOf(this.#source)])
      : [await dumped(), undefined];
    const content = await this.#examine(archive, { least, most: this.#writers.sent() });
    const different = expected === undefined ? [] : differences(content, expected);
    if (different.length > 0) {
      const lost = rowsLacking(content, expected!);
      throw new Violation(`a copy differs from its source: ${different.join('; ')}`, {
        archive,
        lost,
      });
    }
    return { archive, content };
  }

  /** Verifies, restores and looks into an archive that was called complete. */
  async #examine(archive: Buffer, bounds: Bounds): Promise<Fingerprint> {
    const [verified] = await Promise.all([
      this.#commands.verify(archive),
      this.#commands.restoreWhole(this.#copy.address, archive, DROP),
    ]);
    const wrong = failure(verified);
    if (wrong !== undefined) {
      throw new Violation(`verify: ${wrong}\n${verified.stderr}`, { archive });
    }
    const content = await contentOf(this.#copy);
    const found = examine(await factsOf(this.#copy, this.#options.writers), bounds);
    const lines = [...found.wrong, ...differences(ballastOf(content), this.#ballast)];
    if (lines.length > 0) {
      const lost = found.lost + rowsLacking(content, this.#ballast);
      throw new Violation(`a copy is not what its source was: ${lines.join('; ')}`, {
        archive,
        lost,
      });
    }
    this.figures.archives++;
    this.figures.bytes += archive.length;
    this.figures.rowsVerified += Object.values(content).reduce((sum, { rows }) => sum + rows, 0);
    return content;
  }

  /** Sees that nobody takes what a failed dump has left for a backup. */
  async #refuse(fault: Fault, archive: Buffer, bounds: Bounds): Promise<void> {
    const verified = await this.#commands.verify(archive);
    if (verified.code === 0 && fault.startsWith('client')) {
      // The signal came behind the last byte: then it has to be whole.
      await this.#examine(archive, bounds);
      return;
    }
    const restored = await this.#commands
      .restore(this.#target.address, archive, DROP)
      .end(LIMIT_MS);
    for (const [command, { code, stderr }] of Object.entries({ verified, restored })) {
      if (code === 3) continue;
      const message = `${command}, though its dump failed (${fault}): exit code ${code}\n${stderr}`;
      throw new Violation(message, { archive });
    }
    this.figures.refused++;
  }

  #restore(archive: Buffer, ...options: string[]): Promise<Result> {
    return this.#commands.restoreWhole(this.#target.address, archive, options);
  }
}
