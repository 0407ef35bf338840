import { deepEqual, equal, notEqual } from 'node:assert/strict';
import { Pool, pushPiece, Slab } from '../../../lib/base/memory.js';

/** Where a piece of memory lies. */
const lies = ({ buffer, byteOffset, length }: Buffer) => ({ buffer, byteOffset, length });

describe('Slab', () => {
  for (const [title, minRoom, takes, rooms, memories] of [
    ['has room for what is left', 10, [30, 40, 20], [100, 70, 30, 10], 1],
    ['leaves less than the least room unused', 10, [30, 40, 21], [100, 70, 30, 100], 2],
    ['may be taken whole, again and again', 10, [100, 100], [100, 100, 100], 3],
    ['may have its size for least room', 100, [1, 100], [100, 100, 100], 3],
    ['stays as it is where nothing is taken', 10, [0, 90, 0], [100, 100, 10, 10], 1],
    ['is used to its last byte where one is room enough', 1, [99, 1], [100, 1, 100], 2],
  ] as [string, number, number[], number[], number][]) {
    it(title, () => {
      const slab = new Slab(100, minRoom);
      const seen: Buffer[] = [slab.room];
      for (const bytes of takes) {
        slab.take(bytes);
        seen.push(slab.room);
      }
      deepEqual(
        seen.map(({ length }) => length),
        rooms,
      );
      equal(new Set(seen.map(({ buffer }) => buffer)).size, memories);
    });
  }

  it('hands out the start of its memory with the bytes that were written there', () => {
    const slab = new Slab(100, 10);
    for (const bytes of [0, 5, 80, 7, 100]) {
      const { room } = slab;
      room.fill(bytes);
      const piece = slab.take(bytes);
      equal(piece.buffer, room.buffer);
      deepEqual(lies(piece), lies(room.subarray(0, bytes)));
      deepEqual(piece, Buffer.alloc(bytes, bytes));
    }
  });

  it('never reuses memory that was handed out', () => {
    const slab = new Slab(100, 10);
    const pieces: Buffer[] = [];
    for (let i = 0; i < 100; i++) {
      const { room } = slab;
      room.fill(i);
      pieces.push(slab.take(Math.min(i % 50, room.length)));
    }
    slab.room.fill(0xff);
    for (const [i, piece] of pieces.entries()) deepEqual(piece, Buffer.alloc(piece.length, i));
  });
});

describe('pushPiece', () => {
  // The last is a view that does not start where its memory does.
  const memories = {
    a: Buffer.alloc(100),
    b: Buffer.alloc(100),
    c: Buffer.alloc(200).subarray(100),
  };

  /** Pieces by their memory, start and end. */
  function pieces(text: string): Buffer[] {
    return text.split(' ').map((place) => {
      const [memory, start, end] = place.split(/[:-]/);
      return memories[memory as 'a' | 'b' | 'c'].subarray(Number(start), Number(end));
    });
  }

  for (const [title, pushed, expected] of [
    ['takes the first piece', 'a:5-10', 'a:5-10'],
    ['joins neighbors', 'a:5-10 a:10-30', 'a:5-30'],
    ['joins many', 'a:0-1 a:1-50 a:50-51 a:51-100', 'a:0-100'],
    ['joins in memory that is a part of other', 'c:0-10 c:10-30', 'c:0-30'],
    ['joins a neighbor without bytes', 'a:5-10 a:10-10 a:10-11', 'a:5-11'],
    ['leaves a gap', 'a:5-10 a:11-30', 'a:5-10 a:11-30'],
    ['does not join what overlaps', 'a:5-10 a:9-30', 'a:5-10 a:9-30'],
    ['does not join the same again', 'a:5-10 a:5-10', 'a:5-10 a:5-10'],
    ['keeps the order of what lies in front', 'a:10-30 a:5-10', 'a:10-30 a:5-10'],
    ['does not join other memory', 'a:5-10 b:10-30', 'a:5-10 b:10-30'],
    ['joins with the last only', 'a:5-10 b:0-7 a:10-30 b:7-9', 'a:5-10 b:0-7 a:10-30 b:7-9'],
    ['goes on in other memory', 'a:90-95 a:95-100 b:0-5 b:5-10', 'a:90-100 b:0-10'],
  ] as const) {
    it(`${title}, without a copy`, () => {
      const list: Buffer[] = [];
      for (const piece of pieces(pushed)) pushPiece(list, piece);
      deepEqual(list.map(lies), pieces(expected).map(lies));
      // deepEqual takes two memories of one content for one
      for (const [i, { buffer }] of pieces(expected).entries()) equal(list[i]!.buffer, buffer);
    });
  }
});

describe('Pool', () => {
  /** Names the pieces that are taken, in the order in which they are first seen. */
  function play(keep: number, moves: string): string {
    const pool = new Pool(100, keep);
    const names: ArrayBufferLike[] = [];
    const pieces: Buffer[] = [];
    let taken = '';
    for (const move of moves) {
      if (move === '+') {
        const piece = pool.take();
        equal(piece.length, 100);
        if (!names.includes(piece.buffer)) {
          names.push(piece.buffer);
          pieces.push(piece);
        }
        taken += 'abcdefgh'[names.indexOf(piece.buffer)];
      } else pool.give(pieces['abcdefgh'.indexOf(move)]!);
    }
    return taken;
  }

  for (const [title, keep, moves, taken] of [
    ['makes pieces where none is free', 2, '+++', 'abc'],
    ['gives out again what it was given', 2, '+a+a+', 'aaa'],
    ['gives out each that it was given once', 2, '++ab+++', 'abbac'],
    ['gives out what was used last, which the cache may still hold', 2, '++ba+', 'aba'],
    ['keeps no more than it was told', 2, '++++abcd+++', 'abcdbae'],
    ['keeps as many again when some were taken', 2, '+++ab+c+++', 'abcbcad'],
    ['keeps none where it was told so', 0, '+a+', 'ab'],
  ] as [string, number, string, string][]) {
    it(title, () => {
      equal(play(keep, moves), taken);
    });
  }

  it('takes a piece back once, however often it is released', () => {
    const pool = new Pool(100, 4);
    const release = pool.releaseOf(pool.take());
    release();
    release();
    notEqual(pool.take().buffer, pool.take().buffer);
  });

  it('does not keep memory of another size', () => {
    const pool = new Pool(100, 4);
    pool.give(Buffer.alloc(200));
    equal(pool.take().length, 100);
  });

  it('gives the size of its pieces', () => {
    equal(new Pool(12_345, 1).size, 12_345);
  });
});
