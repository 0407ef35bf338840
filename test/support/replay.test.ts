import { deepEqual, equal, match } from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { errorPacket, greeting, packet } from '../unit/iproto/fake-server.js';
import { type Peer, startPeer } from './proxy.js';
import { type Recorder, startRecorder } from './record.js';
import { decodeRecording, encodeRecording, type RecordedPacket, syncOf } from './recording.js';
import { type Replay, startReplay } from './replay.js';

const GREETING = greeting();
const [first, second] = [packet(64, 1), packet(68, 2)];
const [reply, error] = [packet(0, 1), errorPacket(2, 42, 'no')];
const PACKETS: readonly RecordedPacket[] = [
  { connection: 1, from: 'server', bytes: GREETING },
  { connection: 1, from: 'client', bytes: first },
  { connection: 1, from: 'server', bytes: reply },
  { connection: 1, from: 'client', bytes: second },
  { connection: 1, from: 'server', bytes: error },
];
const RECORDING = {
  server: '9.9.9',
  args: ['dump'],
  login: 'ann:secret',
  code: 5,
  packets: [...PACKETS],
};

/** A client that sends bytes, and waits until it has got others. */
class Client {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  readonly closed: Promise<void>;

  constructor({ host, port }: Peer) {
    this.#socket = connect(port, host);
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
    this.#socket.on('error', () => {});
    this.closed = new Promise((resolve) => this.#socket.once('close', () => resolve()));
  }

  send(...packets: Buffer[]): void {
    this.#socket.write(Buffer.concat(packets));
  }

  /** The next bytes, as many as `expected` has. */
  async hears(expected: Buffer): Promise<void> {
    while (this.#received.length < expected.length) {
      await new Promise((resolve) => this.#socket.once('data', resolve));
    }
    deepEqual(this.#received.subarray(0, expected.length), expected);
    this.#received = this.#received.subarray(expected.length);
  }

  end(): Promise<void> {
    this.#socket.end();
    return this.closed;
  }
}

describe('a recording', () => {
  it('is read from its file unchanged', () => {
    deepEqual(decodeRecording(encodeRecording(RECORDING)), RECORDING);
  });

  it('knows the numbers of requests and replies, and that a greeting has none', () => {
    deepEqual(
      PACKETS.map(({ bytes }) => syncOf(bytes)),
      [undefined, 1, 1, 2, 2],
    );
  });
});

describe('a recorder', () => {
  it('keeps whole packets of both sides, and lets all bytes pass', async () => {
    const server = await startPeer((socket) => {
      socket.write(Buffer.concat([GREETING, reply, error.subarray(0, 7)]));
    });
    const recorder: Recorder = await startRecorder(server);
    try {
      const client = new Client(recorder);
      client.send(first, second.subarray(0, 9));
      await client.hears(Buffer.concat([GREETING, reply, error.subarray(0, 7)]));
      await client.end();
      const from = (side: string) =>
        recorder.packets.filter((each) => each.from === side).map(({ bytes }) => bytes);
      deepEqual(from('server'), [GREETING, reply]);
      deepEqual(from('client'), [first]);
    } finally {
      await recorder.stop();
      await server.stop();
    }
  });
});

describe('a replay', () => {
  let replay: Replay;
  beforeEach(async () => {
    replay = await startReplay(RECORDING, (bytes) => [bytes.subarray(0, 1), bytes.subarray(1)]);
  });
  afterEach(() => replay.stop());

  it('answers each request as it was answered', async () => {
    const client = new Client(replay);
    await client.hears(GREETING);
    client.send(first);
    await client.hears(reply);
    client.send(second);
    await client.hears(error);
    deepEqual(replay.problems(), []);
  });

  it('answers requests that come together in their order', async () => {
    const client = new Client(replay);
    client.send(first, second);
    await client.hears(Buffer.concat([GREETING, reply, error]));
    deepEqual(replay.problems(), []);
  });

  it('reports a missing request', async () => {
    const client = new Client(replay);
    client.send(first);
    await client.hears(Buffer.concat([GREETING, reply]));
    deepEqual(replay.problems(), ['request 2 of connection 1 did not come']);
  });

  it('ends a connection whose request is not the recorded one', async () => {
    const client = new Client(replay);
    client.send(first, packet(69, 2));
    await client.closed;
    const problems = replay.problems();
    equal(problems.length, 1);
    match(problems[0]!, /^request 2 of connection 1: ce.* was recorded, ce.* came$/);
  });

  it('ends a connection that sends one request too many', async () => {
    const client = new Client(replay);
    client.send(first, second, first);
    await client.closed;
    match(replay.problems()[0] ?? '', /^request 3 of connection 1: nothing was recorded, ce/);
  });

  it('ends a connection that was not recorded', async () => {
    const client = new Client(replay);
    client.send(first, second);
    await client.hears(Buffer.concat([GREETING, reply, error]));
    await new Client(replay).closed;
    deepEqual(replay.problems(), ['1 connections too many']);
  });
});
