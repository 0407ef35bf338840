import { equal } from 'node:assert/strict';
import { allowScans } from '../../../../lib/schema/sql/seqscan.js';

/** The results. The inputs are the same without SEQSCAN. */
const STATEMENTS: readonly string[] = [
  'SELECT 1 FROM SEQSCAN "t"',
  'select 1 from SEQSCAN t where a in (select b from SEQSCAN u)',
  'SELECT a, b FROM SEQSCAN "t" AS "x", SEQSCAN "u" y,SEQSCAN "v" ORDER BY a, b',
  'SELECT a FROM SEQSCAN "t", (SELECT 1, 2), SEQSCAN "u" GROUP BY a, b HAVING a LIMIT 1, 2',
  'SELECT 1 FROM SEQSCAN "t" LEFT OUTER JOIN SEQSCAN "u" USING (a, b) NATURAL JOIN SEQSCAN "v"',
  'SELECT 1 FROM SEQSCAN "t" JOIN SEQSCAN "u" ON max(a, b) = c, SEQSCAN "v"',
  'SELECT 1 FROM (SEQSCAN "t", (SEQSCAN "u" JOIN SEQSCAN "v")) AS x, SEQSCAN "w" WHERE (a, b) = (1, 2)',
  'SELECT 1 FROM SEQSCAN "t" INDEXED BY "i", SEQSCAN "u" NOT INDEXED',
  'SELECT 1 FROM (VALUES (1, 2), (3, 4)) JOIN SEQSCAN "t"',
  'SELECT a, b FROM SEQSCAN "t" UNION SELECT a, b FROM SEQSCAN "u" UNION ALL VALUES (1, 2), (3, 4)',
  'WITH x AS (SELECT 1 FROM SEQSCAN "t"), y (a, b) AS (SELECT 1, 2) SELECT 1 FROM SEQSCAN x, SEQSCAN y',
  'SELECT 1 FROM (WITH x AS (SELECT 1), y AS (SELECT 2) SELECT 1 FROM SEQSCAN y)',
  `SELECT TRIM(BOTH 'x' FROM a), TRIM((SELECT a FROM SEQSCAN "t") FROM b) FROM SEQSCAN "u"`,
  'SELECT (SELECT a FROM SEQSCAN "t"), b FROM SEQSCAN "u"',
  `SELECT 'FROM t', "FROM", 1 -- FROM t\n FROM /* JOIN u */ SEQSCAN "JOIN"`,
  'CREATE VIEW "v" ("a", "b") AS SELECT 1, 2 FROM SEQSCAN "t"',
  'DELETE FROM "t" WHERE a = (SELECT max(a) FROM SEQSCAN "t")',
  `CREATE TRIGGER "tr" AFTER UPDATE OF a, b ON "t" FOR EACH ROW WHEN (SELECT 1 FROM SEQSCAN "u") BEGIN
    INSERT INTO "l" (a, b) SELECT a, b FROM SEQSCAN "t"; DELETE FROM "l";
    UPDATE "l" SET a = 1, b = (SELECT 1 FROM SEQSCAN "t"); SELECT 1 FROM SEQSCAN "t"; DELETE FROM "l"; END`,
];

describe('allowScans', () => {
  for (const allowed of STATEMENTS) {
    it(allowed, () => equal(allowScans(allowed.replaceAll('SEQSCAN ', '')), allowed));
  }

  it('adds SEQSCAN once', () => {
    for (const allowed of STATEMENTS) equal(allowScans(allowed), allowed);
  });
});
