import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { decompress } from 'zstd-napi';
import {
  FrameCompressor,
  FrameProbe,
  FrameReader,
  MAX_LEVEL,
} from '../../../lib/archive/compression.js';
import { MAX_WINDOW_LOG } from '../../../lib/backup/limits.js';
import { frame, skippableFrame } from '../../support/archive-builder.js';
import { sweep } from '../../support/sweep.js';
import { chunked } from './reading.js';

const MIB = 1024 * 1024;
const TEXT = Buffer.from('a tuple, and another tuple, and one more tuple\n'.repeat(50));

function finished(frames: FrameCompressor, last: Buffer = Buffer.alloc(0)): Buffer[] {
  frames.finish(last);
  return frames.take();
}

function compressed(content: Buffer, level = 1, threaded = false): Buffer {
  const frames = new FrameCompressor(level, threaded);
  frames.write(content);
  return Buffer.concat(finished(frames));
}

/** The content of each frame, read into `size` bytes at a time. */
async function readFrames(input: AsyncIterable<Buffer>, size = 100_000): Promise<Buffer[]> {
  const reader = new FrameReader(input);
  const contents: Buffer[] = [];
  while (await reader.next()) contents.push(await readFrame(reader, size));
  return contents;
}

async function readFrame(reader: FrameReader, size: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (;;) {
    const target = Buffer.alloc(size);
    const { bytes, frameEnd } = await reader.read(target);
    ok(bytes <= size);
    pieces.push(target.subarray(0, bytes));
    if (frameEnd) return Buffer.concat(pieces);
  }
}

const archiveError = (message: RegExp) => ({ name: 'TntarError', kind: 'archive', message });

describe('FrameCompressor', () => {
  it('makes frames that zstd reads, one after the other', () => {
    for (const threaded of [false, true]) {
      const frames = new FrameCompressor(1, threaded);
      for (const content of [TEXT, Buffer.alloc(0), randomBytes(3 * MIB), Buffer.alloc(5 * MIB)]) {
        for (let pos = 0; pos < content.length; pos += 700_001) {
          frames.write(content.subarray(pos, pos + 700_001));
        }
        ok(decompress(Buffer.concat(finished(frames))).equals(content));
      }
    }
  });

  for (const threaded of [false, true]) {
    describe(threaded ? 'in a thread of its own' : 'without a thread', () => {
      const nothing = Buffer.alloc(0);
      // More than zstd takes in one call: it has room for a few blocks, or for one job of a thread.
      const random = randomBytes(9 * MIB);
      const zeros = Buffer.alloc(20 * MIB);
      const cases: [string, Buffer[], Buffer][] = [
        ['nothing at all', [], nothing],
        ['nothing but empty chunks', [nothing, nothing], nothing],
        ['what comes last only', [], TEXT],
        ['what came before only', [TEXT], nothing],
        ['what came before and last', [TEXT, TEXT], Buffer.from('the end')],
        ['a last chunk of one byte', [random], Buffer.of(1)],
        ['a last chunk that is larger than zstd takes at once', [TEXT], random],
        ['such a chunk only', [], random],
        ['such a chunk behind others', [random, zeros], random],
        ['such a chunk that compresses to nearly nothing', [random], zeros],
      ];
      const contentOf = (written: Buffer[], last: Buffer) => Buffer.concat([...written, last]);

      for (const [title, written, last] of cases) {
        it(`makes a frame of ${title}`, () => {
          const frames = new FrameCompressor(1, threaded);
          for (const chunk of written) frames.write(chunk);
          ok(decompress(Buffer.concat(finished(frames, last))).equals(contentOf(written, last)));
        });
      }

      it('makes as many frames in a row, each for itself', () => {
        const frames = new FrameCompressor(1, threaded);
        for (const [title, written, last] of [...cases, ...cases.toReversed()]) {
          for (const chunk of written) frames.write(chunk);
          const content = decompress(Buffer.concat(finished(frames, last)));
          ok(content.equals(contentOf(written, last)), title);
        }
      });

      it('keeps a frame that is finished while others are made', () => {
        const pair = [new FrameCompressor(1, threaded), new FrameCompressor(1, threaded)];
        const small = new FrameCompressor(1, false);
        let earlier: Buffer | undefined;
        for (const [i, [, written, last]] of cases.entries()) {
          for (const chunk of written) pair[i % 2]!.write(chunk);
          pair[i % 2]!.finish(last);
          ok(decompress(Buffer.concat(finished(small, TEXT))).equals(TEXT));
          if (earlier !== undefined) {
            ok(decompress(Buffer.concat(pair[(i + 1) % 2]!.take())).equals(earlier));
          }
          earlier = contentOf(written, last);
        }
      });
    });
  }

  it('puts a checksum into every frame', () => {
    for (const threaded of [false, true]) {
      for (const content of [Buffer.alloc(0), TEXT, Buffer.alloc(3 * MIB)]) {
        const bytes = compressed(content, 1, threaded);
        equal(bytes.readUInt32LE(0), 0xfd2fb528);
        equal(bytes[4]! & 0x04, 0x04);
      }
    }
  });

  it('does not hand out memory that it writes to again', () => {
    const frames = new FrameCompressor(1, false);
    frames.write(TEXT);
    const first = finished(frames);
    const copy = first.map((chunk) => Buffer.from(chunk));
    frames.write(randomBytes(MIB));
    finished(frames);
    deepEqual(first, copy);
  });

  it('makes frames at its highest level that FrameReader reads, from part to part', async () => {
    const content = Buffer.alloc(9 * MIB, 'a pattern of some length ');
    const bytes = compressed(content, MAX_LEVEL, true);
    const [read] = await readFrames(chunked(bytes));
    ok(read!.equals(content));
  });
});

describe('FrameReader', () => {
  const contents = [TEXT, Buffer.alloc(0), Buffer.of(1), randomBytes(1000)];
  const input = Buffer.concat(contents.map((content) => frame(content)));

  for (const chunkSize of [1, 2, 3, 7, 1000, input.length]) {
    it(`separates frames in chunks of ${chunkSize}, with any size of the output buffer`, async () => {
      for (const size of [1, 2, TEXT.length - 1, TEXT.length, TEXT.length + 1, 100_000]) {
        deepEqual(await readFrames(chunked(input, chunkSize), size), contents);
      }
    });
  }

  it('takes empty chunks', async () => {
    async function* withEmptyOnes() {
      for await (const chunk of chunked(input, 5)) {
        yield Buffer.alloc(0);
        yield chunk;
      }
      yield Buffer.alloc(0);
    }
    deepEqual(await readFrames(withEmptyOnes()), contents);
  });

  it('reports the end of a frame if the output buffer has one byte more than the frame', async () => {
    const reader = new FrameReader(chunked(frame(TEXT)));
    await reader.next();
    deepEqual(await reader.read(Buffer.alloc(TEXT.length + 1)), {
      bytes: TEXT.length,
      frameEnd: true,
    });
    equal(await reader.next(), false);
    equal(await reader.next(), false);
  });

  it('counts the compressed bytes that it took', async () => {
    const one = frame(TEXT);
    const reader = new FrameReader(chunked(Buffer.concat([one, one])));
    equal(reader.offset, 0);
    await reader.next();
    await readFrame(reader, 100);
    equal(reader.offset, one.length);
  });

  it('reports no frame for an empty input', async () => {
    deepEqual(await readFrames(chunked(Buffer.alloc(0))), []);
  });

  it('skips skippable frames at any place, of any variant and size', async () => {
    const between = Buffer.concat([
      skippableFrame(Buffer.alloc(0), 0),
      skippableFrame(Buffer.from('an index'), 7),
      skippableFrame(randomBytes(5000), 15),
    ]);
    const mixed = Buffer.concat([between, frame(TEXT), between, frame(Buffer.of(1)), between]);
    for (const chunkSize of [1, 100, mixed.length]) {
      deepEqual(await readFrames(chunked(mixed, chunkSize)), [TEXT, Buffer.of(1)]);
    }
  });

  it('refuses a skippable frame that is cut at any byte', async () => {
    const start = frame(TEXT);
    const whole = Buffer.concat([start, skippableFrame(Buffer.alloc(20))]);
    for (let cut = start.length + 1; cut < whole.length; cut++) {
      await rejects(
        readFrames(chunked(whole.subarray(0, cut))),
        archiveError(/a cut frame|bytes follow the last frame/),
        `cut at ${cut}`,
      );
    }
  });

  it('takes no memory for a skippable frame that claims 4 GiB', async () => {
    const head = skippableFrame(Buffer.alloc(0));
    head.writeUInt32LE(0xffffffff, 4);
    let pulled = 0;
    const chunk = Buffer.alloc(MIB);
    async function* input() {
      yield head;
      for (; pulled < 64; pulled++) yield chunk;
    }
    await rejects(readFrames(input()), archiveError(/a cut frame, at byte 67108872/));
    equal(pulled, 64);
  });

  it('refuses a frame without a checksum before it unpacks a byte of it', async () => {
    const reader = new FrameReader(chunked(frame(TEXT, { checksum: false })));
    await rejects(reader.next(), archiveError(/a frame without a checksum, at byte 0/));
  });

  it('refuses a second frame without a checksum, and gives its position', async () => {
    const first = frame(TEXT);
    const bytes = Buffer.concat([first, frame(TEXT, { checksum: false })]);
    const message = new RegExp(`a frame without a checksum, at byte ${first.length} `);
    await rejects(readFrames(chunked(bytes)), archiveError(message));
  });

  it('takes a window up to the limit', async () => {
    const content = Buffer.alloc(9 * MIB);
    const bytes = frame(content, { windowLog: MAX_WINDOW_LOG });
    const [read] = await readFrames(chunked(bytes), MIB);
    equal(read?.length, content.length);
  });

  for (const windowLog of [MAX_WINDOW_LOG + 1, 27]) {
    it(`refuses a window of 2^${windowLog}, which is over the limit`, async () => {
      const bytes = frame(TEXT, { windowLog });
      await rejects(readFrames(chunked(bytes)), archiveError(/cannot decompress.*memory/));
    });
  }

  it('refuses a frame cut at any byte', async () => {
    const whole = frame(randomBytes(300));
    for (let cut = 1; cut < whole.length; cut++) {
      await rejects(
        readFrames(chunked(whole.subarray(0, cut))),
        archiveError(/in the middle of a frame|bytes follow the last frame/),
        `cut at ${cut}`,
      );
    }
  });

  it('refuses a flipped bit at any byte, or gives the same content', async () => {
    const content = TEXT.subarray(0, 600);
    const whole = frame(content);
    for (const bit of sweep(whole.length * 8)) {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      try {
        deepEqual(await readFrames(chunked(flipped)), [content], `bit ${bit}`);
      } catch (error) {
        match((error as Error).name, /^TntarError$/, `bit ${bit}: ${error}`);
      }
    }
  });

  it('refuses bytes that are not a frame, and shows the first ones', async () => {
    for (const [bytes, message] of [
      [Buffer.from('hello, world'), /not a tar\.zst backup: .* 68656c6c6f2c2077$/],
      [Buffer.from('abc'), /not a tar\.zst backup: .* 616263$/],
      [Buffer.alloc(1000), /not a tar\.zst backup: .* 0000000000000000$/],
      [Buffer.concat([frame(TEXT), Buffer.alloc(10)]), /no zstd frame starts with 0{16}/],
      [Buffer.concat([frame(TEXT), Buffer.alloc(3)]), /3 bytes follow the last frame/],
    ] as const) {
      await rejects(readFrames(chunked(bytes)), archiveError(message));
    }
  });

  it('ends the input when it is closed', async () => {
    let ended = false;
    async function* input() {
      try {
        for (;;) yield frame(TEXT);
      } finally {
        ended = true;
      }
    }
    const reader = new FrameReader(input());
    await reader.next();
    await reader.close();
    equal(ended, true);
  });

  it('hands on the error of its input', async () => {
    async function* input() {
      yield frame(TEXT).subarray(0, 20);
      throw new Error('disk on fire');
    }
    await rejects(readFrames(input()), /disk on fire/);
  });

  it('cannot be read between frames or opened inside one', async () => {
    const reader = new FrameReader(chunked(frame(TEXT)));
    await rejects(reader.read(Buffer.alloc(1)), /no frame is open/);
    await reader.next();
    await rejects(reader.next(), /still open/);
  });

  describe('of a bomb', () => {
    const SIZE = 1024 * MIB;
    let bomb: Buffer;
    before(() => {
      const zeros = Buffer.alloc(MIB);
      bomb = frame(Array(SIZE / MIB).fill(zeros));
    });

    it('decompresses no more than fits its output buffer, and takes no more of the input', async () => {
      ok(bomb.length < SIZE / 10_000);
      let pulled = 0;
      async function* input() {
        for await (const chunk of chunked(bomb, 64)) {
          pulled += chunk.length;
          yield chunk;
        }
      }
      const reader = new FrameReader(input());
      await reader.next();
      const room = 8 * MIB;
      deepEqual(await reader.read(Buffer.alloc(room)), { bytes: room, frameEnd: false });
      // as many compressed bytes as those 8 MiB take, and what one block has more
      const share = (bomb.length * room) / SIZE;
      ok(pulled < 2 * share + 1024, `${pulled} bytes of ${bomb.length} were taken`);
    });
  });
});

describe('a probe of a frame', () => {
  const probe = new FrameProbe();
  const room = Buffer.alloc(TEXT.length + 1);
  const whole = frame(TEXT);

  it('decompresses a complete frame with any bytes after it', () => {
    for (const behind of [Buffer.alloc(0), randomBytes(100)]) {
      equal(probe.unfold(Buffer.concat([whole, behind]), room), TEXT.length);
      deepEqual(room.subarray(0, TEXT.length), TEXT);
    }
  });

  it('finds no frame in data that is truncated, too large, without a checksum or invalid', () => {
    const wrong = [
      ...Array.from(whole, (_, size) => whole.subarray(0, size)),
      frame(Buffer.concat([TEXT, TEXT])),
      frame(TEXT, { checksum: false }),
      skippableFrame(TEXT),
      randomBytes(100),
    ];
    for (const bytes of wrong) {
      equal(probe.unfold(bytes, room), undefined, bytes.toString('hex'));
      equal(probe.unfold(whole, room), TEXT.length);
    }
  });

  it('finds no frame or the same content after a bit flip', () => {
    for (const at of whole.keys()) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 1;
      const size = probe.unfold(bytes, room);
      ok(size === undefined || room.subarray(0, size).equals(TEXT), `byte ${at}`);
    }
  });
});
