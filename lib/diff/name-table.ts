import type { Catalog } from '../schema/catalog/catalog.js';
import { spaceEventOf } from '../schema/catalog/event-triggers.js';
import { DEFINITIONS, KINDS, type Kind } from '../schema/catalog/id-map.js';
import type { Describer } from '../schema/describe/describe.js';
import { decode, type Value } from '../tuple/codec.js';
import { extension } from '../tuple/exact-types.js';
import { splitFields } from '../tuple/fields.js';
import { arrayHeader } from '../tuple/msgpack.js';
import type { Named, Naming } from './options.js';
import { membersOf, typedText } from './typed.js';

/** The type of the extension that holds a name, so that it is equal only to names. */
const NAME = 127;
const NOTHING = Buffer.of(0xc0);

/** Collects the names of objects by their ids. */
export class NameTable implements Naming {
  readonly #names = new Map(KINDS.map((kind) => [kind, new Map<Value, Buffer>()]));
  readonly #describer: Describer;

  constructor(catalogs: readonly Catalog[], describer: Describer) {
    this.#describer = describer;
    for (const kind of KINDS) {
      const { spaceId, id, name } = DEFINITIONS[kind];
      for (const { raw, fields } of catalogs.flatMap((catalog) => catalog.rows(spaceId))) {
        const named = Buffer.from(`${kind} ${typedText(splitFields(raw)[name] ?? NOTHING)}`);
        this.#names.get(kind)!.set(fields[id]!, extension(NAME, named));
      }
    }
  }

  raw(kind: Kind, id: Value): Buffer | undefined {
    return this.#names.get(kind)!.get(id);
  }

  text(kind: Kind, id: Value): string {
    return this.#describer.thing(kind, id);
  }

  /** Returns the name as {@link raw}, or the id if no object has it. */
  of(kind: Kind, id: Buffer | undefined): Buffer {
    return id === undefined ? NOTHING : (this.raw(kind, decode(id)) ?? id);
  }

  /** Reads the events that call a function. Some of them have the id of a space. */
  events(list: Buffer): Named {
    const events = [...membersOf(list)].map((raw) => this.#event(raw));
    return {
      raw: Buffer.concat([arrayHeader(events.length), ...events.map((event) => event.raw)]),
      text: events.map(({ text }) => text).join(', '),
    };
  }

  #event(raw: Buffer): Named {
    const text = String(decode(raw));
    const event = spaceEventOf(text);
    if (typeof event?.space !== 'number') return { raw, text };
    const name = this.raw('space', event.space);
    if (name === undefined) return { raw, text };
    const form = event.of(event.space).replace(`[${event.space}]`, '');
    return {
      raw: extension(NAME, Buffer.from(`event ${form} ${name.toString('hex')}`)),
      text: `${form} of ${this.text('space', event.space)}`,
    };
  }
}
