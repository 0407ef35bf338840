import { deepEqual, equal } from 'node:assert/strict';
import { Scratch } from '../../../lib/base/scratch.js';
import { BLOCK_BYTES, Spool } from '../../../lib/diff/row-blocks.js';

describe('rows in a spool', () => {
  it('are written at once if they are large, and are returned in their order', async () => {
    const scratch = new Scratch();
    try {
      const spool = new Spool(scratch);
      const small = Buffer.of(0x91, 1);
      const large = Buffer.alloc(5 + BLOCK_BYTES, 2);
      large[0] = 0xdd;
      large.writeUInt32BE(BLOCK_BYTES, 1);
      const rows = [small, large, large, small];
      for (const row of rows) await spool.add(row);
      equal(spool.bytes, small.length + 2 * large.length);
      const found: Buffer[] = [];
      let count = 0;
      for await (const piece of spool.rows()) {
        found.push(Buffer.from(piece.bytes));
        count += piece.count;
      }
      equal(count, rows.length);
      deepEqual(Buffer.concat(found), Buffer.concat(rows));
      equal(Math.max(...found.map(({ length }) => length)), large.length);
    } finally {
      await scratch.close();
    }
  });
});
