import { readdirSync, readlinkSync } from 'node:fs';

/** Tells whether a process has a file open that was in a folder and has lost its name there; Linux tells. */
export function hasNamelessFile(pid: number, folder: string): boolean {
  return readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      return target.startsWith(folder) && target.endsWith(' (deleted)');
    } catch {
      return false; // closed meanwhile
    }
  });
}
