import {
  MAX_ERROR_TEXT_BYTES,
  MAX_REPLY_BYTES,
  MAX_REPLY_VALUES,
} from '../../lib/iproto/constants.js';
import { arrayOf, type Lie, replyOf, textOf } from '../support/liar.js';
import { MEMBERS, near, nested, pick } from './limit-archives.js';
import type { Random } from './mutate.js';

const TYPES = { SELECT: 1, EVAL: 8, PING: 64, VOTE: 68, FETCH_SNAPSHOT: 69 } as const;
const [VCLOCK, BALLOT, DATA, ERROR_TEXT] = [0x26, 0x29, 0x30, 0x31];
const ERROR = 0x8000 | 20;
const MIB = 1024 * 1024;

function valueAtLimit(random: Random): [title: string, value: Buffer] {
  const member = pick(MEMBERS, random);
  const counts = [1, 3, 5, 6].map((weight) => near(Math.floor(MAX_REPLY_VALUES / weight), random));
  const count = pick([...counts, 20_000_000], random);
  const depth = pick([near(128, random), 20_000_000], random);
  const bytes = pick(
    [near(MAX_ERROR_TEXT_BYTES, random), near(MAX_REPLY_BYTES, random), 100 * MIB],
    random,
  );
  return pick<() => [string, Buffer]>(
    [
      () => [`${count} times ${member.toString('hex')}`, arrayOf(count, member)],
      () => [`${depth} levels`, nested(depth)],
      () => [`a text of ${bytes} bytes`, textOf(bytes, pick(['a', '\n', '\x1b'], random))],
    ],
    random,
  )();
}

/** Makes a server's reply to one type of request, at one of the limits or beyond it. */
export function lieAtLimit(random: Random): [title: string, lie: Lie] {
  const [name, wanted] = pick(Object.entries(TYPES), random);
  const key = pick([DATA, DATA, ERROR_TEXT, wanted === TYPES.VOTE ? BALLOT : VCLOCK], random)!;
  const [title, value] = valueAtLimit(random);
  const isWrapped = key === DATA && random(2) === 0;
  const said = isWrapped ? Buffer.concat([Buffer.of(0x91), value]) : value;
  const lie: Lie = (type, sync) =>
    type === wanted ? replyOf(sync, key, said, key === ERROR_TEXT ? ERROR : 0) : undefined;
  return [`${title} under the key ${key} in reply to ${name}`, lie];
}
