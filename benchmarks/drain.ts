import { connect } from 'node:net';

/**
 * The yardstick for a dump by snapshot: a bare socket that takes each chunk and throws it away. The arguments
 * are the port and the number of bytes after which it ends. Without a number, it looks
 * for the end of the read view itself, and prints the number of bytes before it.
 */
const GREETING_BYTES = 128;
/** Length, `{0: 69, 1: 1}`, `{}`. */
const FETCH_SNAPSHOT = Buffer.of(0xce, 0, 0, 0, 6, 0x82, 0, 69, 1, 1, 0x80);

const port = Number(process.argv[2]);
const expected = Number(process.argv[3] ?? 0);
const socket = connect({ host: '127.0.0.1', port, noDelay: true });
let bytes = -GREETING_BYTES;
let held = Buffer.alloc(0);
let vclocks = 0;

/** Counts packets without rows: a read view has one at its start and one at its end. */
function look(chunk: Buffer): void {
  held = Buffer.concat([held, chunk]);
  let pos = 0;
  while (held.length - pos >= 5 && held.length - pos >= 5 + held.readUInt32BE(pos + 1)) {
    const type = held[pos + 7];
    if (type === 0) vclocks++;
    pos += 5 + held.readUInt32BE(pos + 1);
  }
  held = held.subarray(pos);
}

socket.on('data', (chunk) => {
  if (bytes < 0) {
    bytes += chunk.length;
    socket.write(FETCH_SNAPSHOT);
    return;
  }
  bytes += chunk.length;
  if (expected === 0) look(chunk);
  if (expected === 0 ? vclocks === 2 : bytes >= expected) {
    process.stdout.write(String(bytes));
    socket.destroy();
  }
});
