import { deepEqual, rejects } from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ArchiveInput,
  archiveSource,
  cat,
  copy,
  diff,
  dump,
  extract,
  findDamage,
  list,
  previewCopy,
  previewRestore,
  previewSalvage,
  restore,
  salvage,
  verify,
} from '../../../lib/index.js';
import { keyedEntries, sealed, seekable } from '../../support/archive-builder.js';

const WHOLE = seekable(sealed(keyedEntries()));
const HALF = WHOLE.subarray(0, WHOLE.length / 2);

/** An input that is silent after its first bytes, and the number of its streams that are open. */
interface Silent {
  input: ArchiveInput;
  opened(): number;
}

/** A stream that is silent after the bytes from `start` on. */
function stream(start = 0): Readable {
  const silent = new PassThrough();
  silent.write(HALF.subarray(start));
  return silent;
}

function silentStream(): Silent {
  const input = stream();
  return { input, opened: () => (input.destroyed ? 0 : 1) };
}

function silentWebStream(): Silent {
  let opened = 1;
  const input = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(HALF),
    cancel: () => {
      opened--;
    },
  });
  return { input, opened: () => opened };
}

/** Cannot be closed: nobody but itself can end its wait. */
function silentIterable(): Silent {
  const input = async function* (): AsyncGenerator<Uint8Array> {
    yield HALF;
    await new Promise(() => {});
  };
  return { input: input(), opened: () => 0 };
}

function silentFile(): Silent {
  const streams: Readable[] = [];
  const open = (start: number): Readable => {
    const next = stream(start);
    streams.push(next);
    return next;
  };
  const opened = (): number => streams.filter(({ destroyed }) => !destroyed).length;
  return { input: { size: WHOLE.length, open }, opened };
}

/** Never asks who is at the other end, nor says who it is. */
async function silentServer() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, sockets, close: () => server.close() };
}

const INPUTS: Readonly<Record<string, () => Silent>> = {
  'a stream': silentStream,
  'a stream of the web': silentWebStream,
  'an iterable': silentIterable,
  'a file': silentFile,
};

describe('a signal', () => {
  const reason = new Error('nobody wants it any more');
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-signals-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Aborts `work` when it waits. */
  async function aborted(work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const abort = new AbortController();
    const running = work(abort.signal);
    const isRejected = rejects(running, (error) => error === reason);
    await sleep(50);
    abort.abort(reason);
    await Promise.race([
      isRejected,
      sleep(1000, undefined, { ref: false }).then(() => Promise.reject(new Error('still waits'))),
    ]);
  }

  const nowhere = '127.0.0.1:1';
  const output = (): PassThrough => new PassThrough().resume();
  const READERS: Readonly<
    Record<string, (input: ArchiveInput, signal: AbortSignal) => Promise<unknown>>
  > = {
    verify: (input, signal) => verify(input, { signal }),
    list: (input, signal) => list(input, { signal }),
    'list with definitions': (input, signal) => list(input, { signal, definitions: true }),
    cat: (input, signal) => cat(input, output(), { space: 'log', signal }),
    diff: (input, signal) => diff({ archive: input }, { archive: new Blob([WHOLE]) }, { signal }),
    'diff, as the second,': (input, signal) =>
      diff({ archive: new Blob([WHOLE]) }, { archive: input }, { signal }),
    extract: (input, signal) => extract(input, join(folder, 'out'), { signal }),
    findDamage: (input, signal) => findDamage(input, { signal }),
    salvage: (input, signal) => salvage(input, nowhere, { signal }),
    previewSalvage: (input, signal) => previewSalvage(input, nowhere, { signal }),
  };
  const TWICE = ['findDamage', 'salvage', 'previewSalvage'];
  for (const [verb, read] of Object.entries(READERS)) {
    for (const [name, make] of Object.entries(INPUTS)) {
      if (name !== 'a file' && TWICE.includes(verb)) continue;
      it(`stops ${verb} while ${name} is silent, and closes that`, async () => {
        const { input, opened } = make();
        await aborted((signal) => read(input, signal));
        for (let turn = 0; turn < 50 && opened() > 0; turn++) await sleep(10);
        deepEqual(opened(), 0);
        deepEqual(readdirSync(folder), []);
      });
    }
  }

  for (const [name, make] of Object.entries(INPUTS)) {
    it(`destroys archiveSource while ${name} is silent, and closes that`, async () => {
      const { input, opened } = make();
      const abort = new AbortController();
      const source = archiveSource(input, {
        signal: abort.signal,
        wants: (space) => space === 'log',
      });
      const isRejected = rejects(source.toArray(), { name: 'AbortError', cause: reason });
      await sleep(50);
      abort.abort(reason);
      await isRejected;
      for (let turn = 0; turn < 50 && opened() > 0; turn++) await sleep(10);
      deepEqual(opened(), 0);
    });
  }

  const blob = new Blob([WHOLE]);
  const CALLERS: Readonly<
    Record<string, (server: string, signal: AbortSignal) => Promise<unknown>>
  > = {
    dump: (server, signal) => dump(server, output(), { signal }),
    restore: (server, signal) => restore(blob, server, { signal }),
    previewRestore: (server, signal) => previewRestore(blob, server, { signal }),
    copy: (server, signal) => copy(server, nowhere, { signal }),
    previewCopy: (server, signal) => previewCopy(server, nowhere, { signal }),
    diff: (server, signal) => diff({ archive: blob }, { server }, { signal }),
    salvage: (server, signal) => salvage(blob, server, { signal }),
    previewSalvage: (server, signal) => previewSalvage(blob, server, { signal }),
  };
  for (const [verb, call] of Object.entries(CALLERS)) {
    it(`stops ${verb} while a server is silent, and closes the connection`, async () => {
      const { address, sockets, close } = await silentServer();
      try {
        await aborted((signal) => call(address, signal));
        for (let turn = 0; turn < 50 && sockets.size > 0; turn++) await sleep(10);
        deepEqual(sockets.size, 0);
      } finally {
        for (const socket of sockets) socket.destroy();
        close();
      }
    });
  }
});
