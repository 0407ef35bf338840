import { deepEqual } from 'node:assert/strict';
import { lackingPrivileges } from '../../../../lib/schema/access/required-privileges.js';
import type { Step } from '../../../../lib/schema/plan/step.js';
import type { Release } from '../../../../lib/schema/server/release.js';
import { Privileges } from '../../../../lib/schema/trust/privileges.js';
import { type Plain, pack } from '../../../support/msgpack.js';
import { catalogOf, indexRow, spaceRow } from '../catalogs.js';

const ZOE = 50;
const LOG_IN = 24;
const EVERYTHING = 0xffffffff;
const GRANT = 8192;

type PlainStep = [spaceId: number, row: Plain[], verb?: Step['verb']];

interface Restore {
  steps?: PlainStep[];
  filled?: number[];
  release?: Release;
}

/**
 * Returns the privileges that the user zoe lacks. She may log in, has these grants, and owns a space `there` on the
 * server.
 */
function lacking({ steps = [], filled = [], release = [2, 11] }: Restore, ...grants: Plain[][]) {
  const systemSpaces = [
    ...[[272, '_schema'] as const, [276, '_collation'] as const, [280, '_space'] as const],
    ...[[284, '_sequence'] as const, [285, '_sequence_data'] as const, [288, '_index'] as const],
    ...[[296, '_func'] as const, [304, '_user'] as const, [312, '_priv'] as const],
    ...[
      [328, '_trigger'] as const,
      [340, '_space_sequence'] as const,
      [372, '_func_index'] as const,
    ],
  ].map(([id, name]) => spaceRow(id, name));
  const own = [600, ZOE, 'own', 'memtx', 0, {}, []];
  const target = catalogOf({
    280: [...systemSpaces, spaceRow(599, 'there'), own],
    304: [[ZOE, 1, 'zoe', 'user', {}]],
    312: [[1, ZOE, 'universe', 0, LOG_IN], ...grants],
  });
  const plan = {
    drops: [],
    destinations: new Map(
      filled.map(
        (id) => [id, { id, name: 'filled', onConflict: 'error', keepsRows: false }] as const,
      ),
    ),
    before: steps.map(([spaceId, row, verb = 'insert']): Step => {
      if (verb === 'truncate') return { spaceId, verb, emptied: Number(row[0]), what: 'it' };
      if (verb === 'delete') return { spaceId, verb, key: pack(row), what: 'it' };
      return { spaceId, verb, row: pack(row), what: 'it' };
    }),
    after: [],
    grants: [],
    triggers: [],
  };
  return lackingPrivileges(new Privileges(target, 'zoe'), plan, target, release);
}

/** A grant to write every space, which all steps need. */
const WRITES: Plain[] = [1, ZOE, 'space', '', 2];

const NEW_SPACE: PlainStep = [280, spaceRow(700, 'new')];
const OWN_NEW_SPACE: PlainStep = [280, [700, ZOE, 'new', 'memtx', 0, {}, []]];
const CHECKED = { constraint: { positive: 70 } };
const FIELDS = [
  { name: 'id', type: 'unsigned', constraint: { positive: 71 } },
  { name: 'at', type: 'any', default_func: 72 },
];

describe('lackingPrivileges', () => {
  const NEEDED: Record<string, [steps: PlainStep[], lacking: string[]]> = {
    'a collation': [[[276, [300, 'german', 1, 'ICU', 'de', {}]]], ['create on universe']],
    'a user': [[[304, [60, 1, 'ann', 'user', {}]]], ['create on user']],
    'a role': [[[304, [60, 1, 'clerk', 'role', {}]]], ['create on role']],
    'a function': [[[296, [70, 1, 'greet', 0]]], ['create on function']],
    'a sequence': [[[284, [1, 1, 'ids']]], ['create on sequence']],
    'a space': [[NEW_SPACE], ['create on space']],
    'a space that is changed after its rows are loaded': [
      [NEW_SPACE, [280, spaceRow(700, 'new'), 'replace']],
      ['create on space', 'alter on space'],
    ],
    'a space of its own that is changed after its rows are loaded': [
      [OWN_NEW_SPACE, [280, [700, ZOE, 'new', 'memtx', 0, {}, []], 'replace']],
      ['create on space'],
    ],
    'a space with functions that check and fill it': [
      [[280, spaceRow(700, 'new', { flags: CHECKED, format: FIELDS })]],
      ['create on space', 'execute on function'],
    ],
    'an index': [[[288, indexRow(599, 0, 'primary')]], ['create on space']],
    'a functional index': [[[372, [599, 1, 70]]], ['execute on function']],
    'a trigger': [[[328, ['t', 599, {}]]], ["alter on space 'there'"]],
    'a trigger on a space of its own': [[[328, ['t', 600, {}]]], []],
    'a sequence of a space': [
      [[340, [599, 1, false, 0, '']]],
      ["alter on space 'there'", 'read on sequence', 'write on sequence'],
    ],
    'a sequence that a space has created': [
      [[340, [599, 1, true, 0, '']]],
      ["alter on space 'there'", 'create on sequence'],
    ],
    'a grant': [[[312, [1, 0, 'space', 599, 1], 'replace']], ['grant on universe']],
    'a drop of a space': [
      [[280, [599], 'delete']],
      ["drop on space 'there'", "alter on space 'there'"],
    ],
    'a drop of a space of its own': [[[280, [600], 'delete']], []],
    'a drop of a sequence': [[[284, [1], 'delete']], ['drop on sequence']],
    'a drop of an index': [[[288, [599, 0], 'delete']], []],
    'a truncation of a space': [[[330, [599], 'truncate']], []],
    'a revocation of a grant': [[[312, [0, 'role', 2], 'delete']], ['revoke on universe']],
    'a mark': [[[272, ['onceinit'], 'replace']], []],
  };
  for (const [what, [steps, expected]] of Object.entries(NEEDED)) {
    it(`lists the missing privileges for ${what}`, () => {
      deepEqual(lacking({ steps }, WRITES), expected);
    });
    it(`lists nothing for ${what} if the user has all privileges`, () => {
      deepEqual(lacking({ steps }, [1, ZOE, 'universe', 0, EVERYTHING]), []);
    });
  }

  it('requires write on each system space that is written to', () => {
    deepEqual(lacking({ steps: [[284, [1, 1, 'ids']]] }, [1, ZOE, 'sequence', '', 32]), [
      "write on space '_sequence'",
      "write on space '_sequence_data'",
    ]);
  });

  it('requires write on spaces that get rows, and names the spaces that a grant can name', () => {
    const steps = [NEW_SPACE];
    const create: Plain[] = [1, ZOE, 'space', '', 32];
    const write: Plain[] = [1, ZOE, 'space', 280, 2];
    deepEqual(lacking({ steps, filled: [599, 600, 700] }, create, write), [
      "write on space 'there'",
      'write on space',
    ]);
  });

  it('lists a privilege once, however often it is needed', () => {
    deepEqual(lacking({ steps: [NEW_SPACE, [280, spaceRow(701, 'other')]] }, WRITES), [
      'create on space',
    ]);
  });

  describe('from 3.6 on', () => {
    const release: Release = [3, 6];
    const MAY_GRANT: Plain[] = [1, ZOE, 'universe', 0, LOG_IN | GRANT];

    it('requires metagrant if the privilege to grant is granted', () => {
      const steps: PlainStep[] = [[312, [1, 0, 'universe', 0, EVERYTHING], 'replace']];
      deepEqual(lacking({ steps, release }, WRITES, MAY_GRANT), ['metagrant on universe']);
      deepEqual(lacking({ steps, release: [3, 5] }, WRITES, MAY_GRANT), []);
    });

    it('reports grants that nobody may give to themselves', () => {
      const steps: PlainStep[] = [[312, [1, ZOE, 'space', 599, 1], 'replace']];
      deepEqual(lacking({ steps, release }, WRITES, MAY_GRANT), [
        "the right to restore grants to 'zoe' (only admin has it)",
      ]);
      deepEqual(lacking({ steps, release: [3, 5] }, WRITES, MAY_GRANT), []);
    });

    it('requires grant if a grant is revoked', () => {
      const steps: PlainStep[] = [[312, [0, 'role', 2], 'delete']];
      deepEqual(lacking({ steps, release }, WRITES), ['grant on universe']);
      deepEqual(lacking({ steps, release }, WRITES, MAY_GRANT), []);
    });
  });
});
