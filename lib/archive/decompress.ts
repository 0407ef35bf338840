import { FrameReader } from './compression.js';

/** The most bytes that {@link unfold} yields at a time. */
const UNFOLDED_BYTES = 256 * 1024;

/**
 * Decompresses whatever is in frames, however many there are.
 *
 * @throws TntarError of kind `archive` as {@link FrameReader} does
 * @example
 * for await (const chunk of unfold(createReadStream('anything.tar.zst'))) console.log(chunk.length);
 */
export async function* unfold(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const frames = new FrameReader(input);
  try {
    while (await frames.next()) {
      for (let isOver = false; !isOver; ) {
        const target = Buffer.allocUnsafe(UNFOLDED_BYTES);
        const { bytes, frameEnd } = await frames.read(target);
        isOver = frameEnd;
        if (bytes > 0) yield target.subarray(0, bytes);
      }
    }
  } finally {
    await frames.close();
  }
}
