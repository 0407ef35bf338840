import type { Revocation } from '../../backup/manifest.js';
import { defined } from '../../base/defined.js';
import { encode } from '../../tuple/codec.js';
import type { Catalog, SystemRow } from '../catalog/catalog.js';
import { type IdMap, KINDS, type Kind } from '../catalog/id-map.js';
import { withTargetIds } from '../catalog/id-references.js';
import { mergedGrant } from '../convert/config-origins.js';
import { Describer } from '../describe/describe.js';
import { type Used, usedOf } from '../describe/used.js';
import { checkRevoked } from '../server/builtin-grants.js';
import { lastSpaceId, widestGap } from '../server/id-ranges.js';
import type { Release } from '../server/release.js';
import { BuiltinUser, Field, keyOf, SystemSpace } from '../server/system-spaces.js';
import { codeOf } from '../trust/code.js';
import { withoutEvents } from './active-triggers.js';
import { Kept } from './kept-spaces.js';
import { matchObjects } from './match-objects.js';
import { type Existing, isUsed, type PlanOptions, SAME_RELEASES, unwanted } from './options.js';
import { joinParts, type Part, type Step, type WriteStep } from './step.js';

function keyText(spaceId: number, { fields }: SystemRow): string {
  return JSON.stringify(keyOf(spaceId, fields));
}

/** Functions to create, and the reasons why others are left out or lose events. */
interface Functions extends Pick<Part, 'omissions'> {
  rows: SystemRow[];
}

/** Rows of one system space of the target. */
interface RowsThere {
  /** All of them, by the primary key. */
  there: ReadonlyMap<string, SystemRow>;
  /** The rows that users created, by the primary key. */
  own: ReadonlyMap<string, SystemRow>;
}

/** Builds steps from the rows of one backup for one target. It returns the lines to show, and keeps no state. */
export class StepBuilder {
  readonly ids: IdMap;
  /** Objects of the target that conflict with the backup's objects of the same name, one line each. */
  readonly conflicts: readonly string[];
  /** Users, functions and collations that already exist on the target with the same definition. */
  readonly used: Used[];
  readonly #backup: Catalog;
  readonly #target: Catalog;
  readonly #describer: Describer;
  readonly #targetDescriber: Describer;
  readonly #without: ReadonlySet<number>;
  readonly #present: ReadonlySet<SystemRow>;
  readonly #there = new Map<number, RowsThere>();
  readonly #only: PlanOptions['only'];
  readonly #release: Release;
  readonly #existing: Existing;
  /** Spaces that are kept as they are on the target. */
  readonly kept: Kept;

  constructor(backup: Catalog, target: Catalog, options: PlanOptions) {
    const { without = {}, only, existing = 'error' } = options;
    const { restorer = BuiltinUser.ADMIN, releases = SAME_RELEASES } = options;
    this.#release = releases.target.server;
    this.#backup = backup;
    this.#target = target;
    this.#only = only;
    this.#existing = existing;
    this.kept = new Kept(backup, target, existing);
    this.#describer = new Describer(backup, target);
    this.#targetDescriber = new Describer(target, target);
    this.#without = unwanted(options);
    const made = KINDS.filter(
      (kind) =>
        only !== 'data' &&
        !(kind === 'user' && without.users) &&
        !(kind === 'function' && without.functions),
    );
    const { ids, present, conflicts } = matchObjects(backup, target, new Set<Kind>(made), {
      restorer,
      isUsed: isUsed(existing),
      isSoleOwner: without.users === true || without.privileges === true,
      lastSpace: lastSpaceId(releases.target.server),
    });
    this.ids = ids;
    this.conflicts = conflicts;
    this.#present = present;
    this.used = usedOf(backup, present);
  }

  rows(spaceId: number, filter: (row: SystemRow) => boolean = () => true): SystemRow[] {
    if (this.#without.has(spaceId)) return [];
    return this.#backup
      .userRows(spaceId)
      .filter((row) => filter(row) && !this.#present.has(row) && !this.kept.covers(spaceId, row));
  }

  /** Returns the functions to create, without their events on kept spaces. */
  functions(): Functions {
    const omissions: string[] = [];
    const rows = this.rows(SystemSpace.FUNC).flatMap((row) => {
      const what = this.#describer.row(SystemSpace.FUNC, row);
      if (this.ids.find('function', row.fields[Field.func.id]) === undefined) {
        omissions.push(`${what}: ${this.#whyUnowned(row)}`);
        return [];
      }
      const isLeft = (space: number | string): boolean => !this.kept.hasSpace(space);
      return withoutEvents(row, isLeft, (event) => {
        omissions.push(`event ${event} of ${what}: the space is kept as it is on the target`);
      });
    });
    return { rows, omissions };
  }

  /** Returns the reason why a function that runs as its owner is left out. */
  #whyUnowned({ fields }: SystemRow): string {
    return this.ids.find('user', fields[Field.func.owner]) === undefined
      ? 'its owner does not exist on the target, and it would run as another user'
      : 'it runs as its owner, and the restoring user will own all restored objects';
  }

  /** Lists kept spaces and sequences, one line each. */
  keptAsTheyAre(): string[] {
    const also = this.#existing === 'skip' ? 'its rows and everything' : 'everything';
    const line = (spaceId: number, row: SystemRow): string => {
      const what = this.#describer.row(spaceId, row);
      const shown =
        spaceId === SystemSpace.SPACE ? `${what}, with ${also} that belongs to it` : what;
      return `${shown}: it already exists on the target`;
    };
    return [SystemSpace.SPACE, SystemSpace.SEQUENCE].flatMap((spaceId) => {
      const present = this.#backup.userRows(spaceId).filter((row) => this.#present.has(row));
      return present.map((row) => line(spaceId, row));
    });
  }

  /** Returns a note for each grant of the target that the backup does not have, to users of the backup. */
  otherGrants(): string[] {
    const { grantee } = Field.priv;
    const used = new Set(
      this.#backup
        .userRows(SystemSpace.USER)
        .map(({ fields }) => this.ids.find('user', fields[Field.user.id])),
    );
    const granted = new Set(
      this.#backup.userRows(SystemSpace.PRIV).map((row) => {
        const mapped = withTargetIds(SystemSpace.PRIV, row, this.ids, () => {});
        return mapped === undefined ? '' : keyText(SystemSpace.PRIV, mapped);
      }),
    );
    return this.#target
      .userRows(SystemSpace.PRIV)
      .filter((row) => used.has(Number(row.fields[grantee])))
      .filter((row) => !granted.has(keyText(SystemSpace.PRIV, row)))
      .map((row) => this.#targetDescriber.row(SystemSpace.PRIV, row))
      .map((grant) => `${grant} already exists on the target and is kept`);
  }

  /** Returns conflicts of SQL triggers, whose names are unique in the database. */
  takenTriggerNames(): string[] {
    const taken = new Set(
      this.#target.rows(SystemSpace.TRIGGER).map(({ fields }) => fields[Field.trigger.name]),
    );
    return this.rows(SystemSpace.TRIGGER)
      .map(({ fields }) => fields[Field.trigger.name])
      .filter((name) => taken.has(name))
      .map((name) => `trigger '${name}' already exists`);
  }

  /** Builds steps for rows. Rows that are identical on the target need no step. Replaced rows of users are noted. */
  steps(spaceId: number, rows: readonly SystemRow[], verb: WriteStep['verb'] = 'insert'): Part {
    const { there, own } = this.#rowsThere(spaceId);
    const [steps, notes, omissions]: [Step[], string[], string[]] = [[], [], []];
    for (const row of rows) {
      const what = this.#describer.row(spaceId, row);
      const mapped = withTargetIds(spaceId, row, this.ids, (lost) =>
        omissions.push(`${what}: ${lost}`),
      );
      if (mapped === undefined) continue;
      const key = keyText(spaceId, mapped);
      if (there.get(key)?.raw.equals(mapped.raw)) continue;
      // New values of sequences are not a loss.
      const isNoted = verb === 'replace' && spaceId !== SystemSpace.SEQUENCE_DATA;
      const replaced = isNoted ? own.get(key) : undefined;
      const isGrant = spaceId === SystemSpace.PRIV && replaced !== undefined;
      const written = isGrant ? mergedGrant(mapped, replaced) : mapped;
      if (written === undefined) continue;
      if (replaced !== undefined) {
        notes.push(`${what}: it replaces ${this.#targetDescriber.row(spaceId, replaced)}`);
      }
      const code = codeOf(spaceId, written, this.#release);
      steps.push({
        spaceId,
        verb,
        row: written.raw,
        what,
        ...defined({ code }),
      });
    }
    return joinParts([{ steps, notes, omissions }]);
  }

  /** Returns the rows of the target. They are collected once, because steps for one space are built several times. */
  #rowsThere(spaceId: number): RowsThere {
    const known = this.#there.get(spaceId);
    if (known !== undefined) return known;
    const rows = {
      there: new Map(this.#target.rows(spaceId).map((row) => [keyText(spaceId, row), row])),
      own: new Map(this.#target.userRows(spaceId).map((row) => [keyText(spaceId, row), row])),
    };
    this.#there.set(spaceId, rows);
    return rows;
  }

  all(spaceId: number, verb?: WriteStep['verb']): Part {
    return this.steps(spaceId, this.rows(spaceId), verb);
  }

  values(rows: readonly SystemRow[]): Part {
    return this.#only === 'schema'
      ? joinParts([])
      : this.steps(SystemSpace.SEQUENCE_DATA, rows, 'replace');
  }

  /**
   * Builds steps that revoke built-in grants.
   *
   * @throws TntarError of kind `archive` if a revoked grant is not built into any server
   */
  revocations(revoked: readonly Revocation[]): Step[] {
    checkRevoked(revoked);
    const { grantee, objectType, objectId } = Field.priv;
    const rows = this.#target.shippedGrants.toRevoke(revoked, this.#target.rows(SystemSpace.PRIV));
    return rows.map((fields) => ({
      spaceId: SystemSpace.PRIV,
      verb: 'delete',
      key: encode([fields[grantee]!, fields[objectType]!, fields[objectId]!]),
      what: this.#describer.shippedGrant(fields),
    }));
  }

  /** Builds the step that moves the counter of space ids in `_schema` (2.x), so that it does not meet restored ids. */
  maxIdStep(): Step[] {
    const maxId = this.#target
      .rows(SystemSpace.SCHEMA)
      .find(({ fields }) => fields[Field.schema.key] === 'max_id');
    if (maxId === undefined) return [];
    const counter = Number(maxId.fields[Field.schema.value]);
    const restored = this.#backup.spaces.map(({ id }) => this.ids.find('space', id) ?? 0);
    if (restored.every((id) => id <= counter)) return [];
    const taken = [...this.#target.spaces.map(({ id }) => id), ...restored];
    const row = encode(['max_id', widestGap(taken)]);
    return [
      { spaceId: SystemSpace.SCHEMA, verb: 'replace', row, what: 'the counter of space ids' },
    ];
  }
}
