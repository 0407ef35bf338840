import { deepEqual, equal, notEqual } from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { LargeMemory, SharedPiece } from '../../../lib/base/large-memory.js';

/** Where a piece of memory lies. */
const lies = ({ buffer, byteOffset, length }: Buffer) => ({ buffer, byteOffset, length });

describe('SharedPiece', () => {
  it('is the same memory for one owner after the other', async () => {
    const run = new LargeMemory();
    const piece = new SharedPiece(100, 60_000, run);
    const first = await piece.take();
    equal(first.memory.length, 100);
    const next = piece.take();
    let isTaken = false;
    void next.then(() => {
      isTaken = true;
    });
    await setImmediate();
    equal(isTaken, false);
    first.release();
    deepEqual(lies((await next).memory), lies(first.memory));
  });

  it('is other memory if the previous owner keeps it for too long', async () => {
    const run = new LargeMemory();
    const piece = new SharedPiece(100, 10, run);
    const first = await piece.take();
    const second = await piece.take();
    notEqual(second.memory.buffer, first.memory.buffer);
    first.release();
    const third = await piece.take();
    notEqual(third.memory.buffer, second.memory.buffer);
  });

  it('stays with its owner if the previous one releases it twice', async () => {
    const run = new LargeMemory();
    const piece = new SharedPiece(101, 60_000, run);
    const first = await piece.take();
    first.release();
    const second = await piece.take();
    first.release();
    piece.free();
    const other = await new SharedPiece(101, 60_000, run).take();
    notEqual(other.memory.buffer, second.memory.buffer);
  });

  it('that is free is given to one next owner that needs the same size', async () => {
    const run = new LargeMemory();
    const piece = new SharedPiece(100, 10, run);
    const { memory, release } = await piece.take();
    piece.free();
    release();
    piece.free();
    piece.free();
    const others = [
      new SharedPiece(99, 10, run),
      new SharedPiece(100, 10, run),
      new SharedPiece(100, 10, run),
    ];
    const loans = [];
    for (const other of others) loans.push(await other.take());
    deepEqual(
      loans.map((loan) => loan.memory.buffer === memory.buffer),
      [false, true, false],
    );
  });

  it('of another run is another one', async () => {
    const run = new LargeMemory();
    const piece = new SharedPiece(100, 10, run);
    const { memory, release } = await piece.take();
    release();
    notEqual(new LargeMemory().borrow(100).memory.buffer, memory.buffer);
    piece.free();
    notEqual(
      (await new SharedPiece(100, 10, new LargeMemory()).take()).memory.buffer,
      memory.buffer,
    );
    equal(run.borrow(100).memory.buffer, memory.buffer);
  });

  it('that has an owner is not free', async () => {
    const run = new LargeMemory();
    const piece = new SharedPiece(100, 60_000, run);
    const { memory } = await piece.take();
    piece.free();
    const other = await new SharedPiece(100, 10, run).take();
    notEqual(other.memory.buffer, memory.buffer);
  });

  it('lends its memory to others while it has no owner, and then takes other memory', async () => {
    const run = new LargeMemory();
    const piece = new SharedPiece(1000, 10, run);
    const first = await piece.take();
    notEqual(run.borrow(1000).memory.buffer, first.memory.buffer);
    first.release();
    notEqual(run.borrow(1001).memory.buffer, first.memory.buffer);
    const loan = run.borrow(900);
    equal(loan.memory.buffer, first.memory.buffer);
    const second = await piece.take();
    notEqual(second.memory.buffer, first.memory.buffer);
    loan.release();
    loan.release();
    equal(run.borrow(900).memory.buffer, first.memory.buffer);
    notEqual(run.borrow(900).memory.buffer, first.memory.buffer);
  });
});
