/** `bytes` in chunks of `size`, the last one shorter where they do not divide. */
export function* chunksOf(bytes: Buffer, size: number): Generator<Buffer> {
  for (let pos = 0; pos < bytes.length; pos += size) yield bytes.subarray(pos, pos + size);
}
