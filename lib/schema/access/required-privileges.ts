import { decode, type Value } from '../../tuple/codec.js';
import type { Catalog } from '../catalog/catalog.js';
import { functionsOf } from '../catalog/rows.js';
import type { RestorePlan } from '../plan/plan.js';
import type { Step, WriteStep } from '../plan/step.js';
import { isOlder, type Release } from '../server/release.js';
import { BuiltinUser, Field, Privilege, SystemSpace } from '../server/system-spaces.js';
import type { Privileges } from '../trust/privileges.js';

/**
 * From this release on, to revoke a grant needs the privilege to grant, to grant `grant` needs a privilege of its
 * own, and only admin may grant anything to itself.
 *
 * Source: `priv_def_check()` of the server's `src/box/alter.cc`.
 */
const METAGRANT: Release = [3, 6];
const TO_GRANT = Privilege.GRANT | Privilege.REVOKE;

/** The fields of objects that have an id and an owner, by type. */
const OBJECTS = {
  space: { spaceId: SystemSpace.SPACE, ...Field.space },
  sequence: { spaceId: SystemSpace.SEQUENCE, ...Field.sequence },
  function: { spaceId: SystemSpace.FUNC, ...Field.func },
  user: { spaceId: SystemSpace.USER, ...Field.user },
  role: { spaceId: SystemSpace.USER, ...Field.user },
} as const;
type ObjectType = keyof typeof OBJECTS;

function isObjectType(type: string): type is ObjectType {
  return Object.hasOwn(OBJECTS, type);
}

/** An object that exists on the target, or will exist after the steps before. */
interface Known {
  owner: Value | undefined;
  /**
   * The name that a grant can use; undefined for an object that the restore creates, because nobody has grants on it.
   */
  name: string | undefined;
}

/** Collects the privileges that a user lacks for the steps of a restore. */
class Needs {
  readonly missing = new Set<string>();
  readonly #privileges: Privileges;
  readonly #isModern: boolean;
  /** Objects whose grants are removed by the steps before, the user's own included, e.g. `space 512`. */
  readonly #revoked = new Set<string>();
  readonly #known = new Map<ObjectType, Map<Value | undefined, Known>>();
  /** The grantors of the target's grants, by the key of `_priv`. */
  readonly #grantors: ReadonlyMap<string, Value | undefined>;
  /** Sequences, by the space that they fill. */
  readonly #sequences: ReadonlyMap<Value | undefined, Value | undefined>;

  constructor(privileges: Privileges, target: Catalog, release: Release) {
    this.#privileges = privileges;
    this.#isModern = !isOlder(release, METAGRANT);
    for (const [type, { spaceId, id, owner, name }] of Object.entries(OBJECTS)) {
      const rows = target.rows(spaceId).map(({ fields }): [Value | undefined, Known] => {
        return [fields[id], { owner: fields[owner], name: String(fields[name]) }];
      });
      this.#known.set(type as ObjectType, new Map(rows));
    }
    const { grantor, grantee, objectType, objectId } = Field.priv;
    this.#grantors = new Map(
      target
        .rows(SystemSpace.PRIV)
        .map(({ fields }) => [
          String([fields[grantee], fields[objectType], fields[objectId]]),
          fields[grantor],
        ]),
    );
    this.#sequences = new Map(
      target
        .rows(SystemSpace.SPACE_SEQUENCE)
        .map(({ fields }) => [
          fields[Field.spaceSequence.spaceId],
          fields[Field.spaceSequence.sequenceId],
        ]),
    );
  }

  /** @param type - of the objects; `bit` is required on any of them */
  ofType(bit: number, verb: string, type: string): void {
    if ((this.#privileges.on(type) & bit) === 0) this.missing.add(`${verb} on ${type}`);
  }

  of(bit: number, verb: string, type: ObjectType, id: Value | undefined): void {
    const { owner, name } = this.#known.get(type)?.get(id) ?? {};
    const granted = this.#revoked.has(`${type} ${id}`) ? undefined : id;
    if ((this.#privileges.on(type, { id: granted, owner }) & bit) !== 0) return;
    this.missing.add(`${verb} on ${type}${name === undefined ? '' : ` '${name}'`}`);
  }

  step(step: Step): void {
    const { spaceId, verb } = step;
    this.of(Privilege.WRITE, 'write', 'space', spaceId);
    if (verb === 'delete') this.#take(spaceId, decode(step.key) as Value[]);
    else if (verb !== 'truncate') this.#put(spaceId, decode(step.row) as Value[], verb);
  }

  /** @param key - of the row to delete */
  #take(spaceId: number, key: Value[]): void {
    switch (spaceId) {
      case SystemSpace.SPACE:
        this.of(Privilege.DROP, 'drop', 'space', key[0]);
        // To drop its triggers and the link to its sequence requires this privilege.
        this.#alterSpace(key[0]);
        break;
      case SystemSpace.SPACE_SEQUENCE:
        this.of(Privilege.DROP, 'drop', 'sequence', this.#sequences.get(key[0]));
        break;
      case SystemSpace.SEQUENCE:
        this.of(Privilege.DROP, 'drop', 'sequence', key[0]);
        break;
      case SystemSpace.FUNC:
        this.of(Privilege.DROP, 'drop', 'function', key[0]);
        break;
      case SystemSpace.PRIV:
        this.#revoke(key);
        break;
      default:
    }
  }

  #put(spaceId: number, fields: Value[], verb: WriteStep['verb']): void {
    switch (spaceId) {
      case SystemSpace.COLLATION:
        this.ofType(Privilege.CREATE, 'create', 'universe');
        break;
      case SystemSpace.USER:
        this.#make(fields[Field.user.type] === 'role' ? 'role' : 'user', fields, verb);
        break;
      case SystemSpace.FUNC:
        this.#make('function', fields, verb);
        break;
      case SystemSpace.SEQUENCE:
        this.#make('sequence', fields, verb);
        // Its value may follow at the end of the archive.
        this.of(Privilege.WRITE, 'write', 'space', SystemSpace.SEQUENCE_DATA);
        break;
      case SystemSpace.SPACE:
        this.#make('space', fields, verb);
        for (const id of functionsOf({ fields })) this.#run(id);
        break;
      case SystemSpace.INDEX:
        this.ofType(Privilege.CREATE, 'create', 'space');
        break;
      case SystemSpace.FUNC_INDEX:
        this.#run(fields[Field.funcIndex.functionId]);
        break;
      case SystemSpace.TRIGGER:
        this.#alterSpace(fields[Field.trigger.spaceId]);
        break;
      case SystemSpace.SPACE_SEQUENCE:
        this.#linkSequence(fields);
        break;
      case SystemSpace.PRIV:
        this.#grant(fields);
        break;
      default:
    }
  }

  #make(type: ObjectType, fields: Value[], verb: WriteStep['verb']): void {
    const { id, owner } = OBJECTS[type];
    if (verb === 'insert') {
      this.ofType(Privilege.CREATE, 'create', type);
      this.#known.get(type)?.set(fields[id], { owner: fields[owner], name: undefined });
    } else {
      this.of(Privilege.ALTER, 'alter', type, fields[id]);
    }
  }

  #run(functionId: Value | undefined): void {
    this.of(Privilege.EXECUTE, 'execute', 'function', functionId);
  }

  #alterSpace(id: Value | undefined): void {
    this.of(Privilege.ALTER, 'alter', 'space', id);
  }

  #linkSequence(fields: Value[]): void {
    const { spaceId, sequenceId, generated } = Field.spaceSequence;
    this.#alterSpace(fields[spaceId]);
    if (fields[generated] === true) {
      this.ofType(Privilege.CREATE, 'create', 'sequence');
    } else {
      this.of(Privilege.READ, 'read', 'sequence', fields[sequenceId]);
      this.of(Privilege.WRITE, 'write', 'sequence', fields[sequenceId]);
    }
  }

  #grant(fields: Value[]): void {
    const { grantor, grantee, objectType, objectId, bits } = Field.priv;
    const type = String(fields[objectType]);
    const id = fields[objectId];
    const known = isObjectType(type) ? this.#known.get(type)?.get(id)?.owner : undefined;
    const owner = this.#isModern ? known : fields[grantor];
    const has = this.#privileges.on(type, { id, owner });
    const granted = Number(fields[bits]);
    const toGrant = !this.#isModern || (granted & ~TO_GRANT) !== 0;
    if (toGrant && (has & Privilege.GRANT) === 0) this.missing.add('grant on universe');
    if (this.#isModern && (granted & TO_GRANT) !== 0 && (has & Privilege.REVOKE) === 0) {
      this.missing.add('metagrant on universe');
    }
    const { user, userId } = this.#privileges;
    const isToItself = fields[grantee] === userId && userId !== BuiltinUser.ADMIN;
    if (this.#isModern && isToItself && owner !== userId) {
      this.missing.add(`the right to restore grants to '${user}' (only admin has it)`);
    }
  }

  #revoke(key: Value[]): void {
    const [grantee, type, id] = key;
    const name = String(type);
    const known = isObjectType(name) ? this.#known.get(name)?.get(id)?.owner : undefined;
    const owner = this.#isModern ? known : this.#grantors.get(String(key));
    const bit = this.#isModern ? Privilege.GRANT : Privilege.REVOKE;
    if ((this.#privileges.on(name, { id, owner }) & bit) === 0) {
      this.missing.add(`${this.#isModern ? 'grant' : 'revoke'} on universe`);
    }
    const { user, userId } = this.#privileges;
    const isFromItself = grantee === userId && userId !== BuiltinUser.ADMIN;
    if (this.#isModern && isFromItself && owner !== userId) {
      this.missing.add(`the right to revoke grants to '${user}' (only admin has it)`);
    }
    this.#revoked.add(`${name} ${id}`);
  }
}

/**
 * Lists the privileges that a user lacks to restore a backup into a server, one line each, e.g. `create on space` or
 * `write on space '_user'`. Reading the system spaces is not checked: the catalog has already been read.
 *
 * Source: the checks of the triggers on system spaces in the server's `src/box/alter.cc`; that triggers
 * ask for alter, and constraints and functional indexes for execute, came with 3.x and late 2.11.
 *
 * @param plan - the steps to take
 * @param target - all rows of the target's system spaces
 */
export function lackingPrivileges(
  privileges: Privileges,
  plan: Pick<RestorePlan, 'drops' | 'before' | 'after' | 'grants' | 'triggers' | 'destinations'>,
  target: Catalog,
  release: Release,
): string[] {
  const needs = new Needs(privileges, target, release);
  const { drops, before, after, grants, triggers, destinations } = plan;
  for (const step of [...drops, ...before, ...after, ...grants, ...triggers]) needs.step(step);
  for (const { id } of destinations.values()) needs.of(Privilege.WRITE, 'write', 'space', id);
  return [...needs.missing];
}
