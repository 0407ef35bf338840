import { FAULT_NAMES, type Fault } from './faults.js';

/** What a soak counts. */
export class Figures {
  readonly #started = performance.now();
  /** Runs of the command, whatever became of them. */
  dumps = 0;
  restores = 0;
  /** Archives that a dump said were complete, which were then verified, restored and looked into. */
  archives = 0;
  /** Their bytes. */
  bytes = 0;
  /** Rows of copies that were held against what they have to be. */
  rowsVerified = 0;
  /** What a failed dump left, which verify and restore have refused. */
  refused = 0;
  /** Restores that failed, were run again, and ended as if nothing had been. */
  resumed = 0;
  /** Faults that hit nothing, for the run was over. */
  late = 0;
  /** Rows that were acknowledged before a dump began, and are not in its archive. */
  lost = 0;
  /** Transactions that were acknowledged. */
  committed = 0;
  readonly #faults = new Map<Fault, number>(FAULT_NAMES.map((fault) => [fault, 0]));

  get minutes(): number {
    return (performance.now() - this.#started) / 60_000;
  }

  /** Faults that hit a run, by kind, each with all promises kept. */
  get survived(): ReadonlyMap<Fault, number> {
    return this.#faults;
  }

  survive(fault: Fault): void {
    this.#faults.set(fault, this.#faults.get(fault)! + 1);
  }

  get faults(): number {
    return [...this.#faults.values()].reduce((sum, count) => sum + count, 0);
  }

  /** One line, for those who wait. */
  brief(): string {
    return `${this.minutes.toFixed(1)} minutes: ${this.dumps} dumps, ${this.restores} restores, ${this.faults} faults survived, ${this.lost} rows lost`;
  }

  /** All of them, as a table. */
  toString(): string {
    const lines: [string, number | string][] = [
      ['minutes', this.minutes.toFixed(1)],
      ['transactions of the writers', this.committed],
      ['dumps', this.dumps],
      ['restores', this.restores],
      ['archives verified, restored and compared', this.archives],
      ['MB of them', (this.bytes / 1e6).toFixed(1)],
      ['rows verified', this.rowsVerified],
      ['cut archives refused', this.refused],
      ['restores run again, with the same end', this.resumed],
      ['faults survived', this.faults],
      ...[...this.#faults].map(([fault, count]): [string, number] => [`- ${fault}`, count]),
      ['faults that came too late', this.late],
      ['rows lost', this.lost],
    ];
    const rows = lines.map(([what, value]) => `| ${what} | ${value.toLocaleString('en-US')} |`);
    return ['| what | figure |', '| --- | ---: |', ...rows].join('\n');
  }
}
