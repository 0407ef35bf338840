import { deepEqual, notEqual, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { compareDefinitions, showDefinition } from '../../lib/diff/definitions.js';
import { showChange } from '../../lib/diff/property.js';
import { versionsOf } from '../../lib/schema/server/release.js';
import { atOnce } from '../support/at-once.js';
import { catalogOf } from '../unit/schema/catalogs.js';
import { anyValue, editsTo, type Rows, schema } from './definitions.js';
import { holds } from './runs.js';

const VERSIONS = versionsOf('3.2.1');
const side = (rows: Rows) => ({
  catalog: catalogOf(rows),
  versions: VERSIONS,
  manifest: { revoked: [] },
});

describe('a comparison of definitions', () => {
  let edits = 0;

  holds(
    'finds no difference between a database and itself',
    200,
    fc.property(schema, (rows) => {
      deepEqual(atOnce(compareDefinitions(side(rows), side(rows))).differences, []);
    }),
  );

  holds(
    'finds each single change in a random database, and shows it',
    300,
    fc.property(schema, anyValue, fc.nat(), (rows, to, pick) => {
      const all = editsTo(rows, to);
      if (all.length === 0) return;
      const { place, before, after, changed } = all[pick % all.length]!;
      const { differences } = atOnce(compareDefinitions(side(rows), side(changed)));
      const what = `${place}: ${String(before)} -> ${String(after)}`;
      ok(differences.length > 0, `${what} is called equal`);
      for (const { changes } of differences) {
        for (const change of changes) {
          if (change.before === undefined && change.after === undefined) continue; // a password
          notEqual(change.before, change.after, what);
          const shown = showChange(change).slice(change.what.length).split(' -> ');
          notEqual(shown[0]?.trim(), shown[1]?.trim(), what);
        }
      }
      const lines = differences.map(showDefinition);
      deepEqual(new Set(lines).size, lines.length, what);
      deepEqual(new Set(lines.map((line) => line.slice(1))).size, lines.length, what);
      edits++;
    }),
    (tries) => ok(edits > tries / 2, `${edits} things were changed in ${tries} databases`),
  );
});
