import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HeaderFields, octalSize, padded, tarHeader } from './archive-builder.js';

/** A file by its name, with its content. */
export interface NamedBody {
  name: string;
  body: Buffer;
}

/** Folders for one test, which go behind it. */
export class Folders {
  readonly root = mkdtempSync(join(tmpdir(), 'tntar-folders-'));
  #count = 0;

  /** A path where there is nothing yet. */
  path(): string {
    return join(this.root, `folder${this.#count++}`);
  }

  /** A new folder with these files. */
  with(files: readonly NamedBody[]): string {
    const path = this.path();
    mkdirSync(path);
    for (const { name, body } of files) writeFileSync(join(path, name), body);
    return path;
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}

/** All files of a folder, by name. */
export function filesOf(path: string): NamedBody[] {
  return readdirSync(path)
    .sort()
    .map((name) => ({ name, body: readFileSync(join(path, name)) }));
}

/** An entry of a tar, with other fields of its header where they are given. */
export function tarEntry({ name, body }: NamedBody, given: HeaderFields = {}): Buffer {
  return Buffer.concat([tarHeader({ name, size: octalSize(body.length), ...given }), padded(body)]);
}

/** A whole tar of these files. */
export function tarOf(files: readonly NamedBody[]): Buffer {
  return Buffer.concat([...files.map((file) => tarEntry(file)), Buffer.alloc(1024)]);
}
