import { equal } from 'node:assert/strict';
import { shell } from './cli.js';

/** What a trailer says of an entry. */
interface EntryPrint {
  rows: number;
  bytes: number;
  sha256: string;
}

/** By the names of the entries. */
export type EntryPrints = Record<string, EntryPrint>;

/** Ids up to here are those of system spaces. */
const LAST_SYSTEM_ID = 511;

/** Entries of tuples, as the trailer of an archive lists them; it is read by `tar`. */
export async function entriesOf(archive: Buffer): Promise<EntryPrints> {
  const { code, stdout, stderr } = await shell('tar --zstd -xOf - trailer.json', {
    input: archive,
  });
  equal(code, 0, stderr);
  const { entries } = JSON.parse(String(stdout)) as { entries: ({ name: string } & EntryPrint)[] };
  return Object.fromEntries(
    entries
      .filter(({ name }) => name !== 'manifest.json')
      .map(({ name, rows, bytes, sha256 }) => [name, { rows, bytes, sha256 }]),
  );
}

/** Those of the users' spaces. */
export function ofUsers(entries: EntryPrints): EntryPrints {
  return Object.fromEntries(
    Object.entries(entries).filter(([name]) => Number.parseInt(name, 10) > LAST_SYSTEM_ID),
  );
}
