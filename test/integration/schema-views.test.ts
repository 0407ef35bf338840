import { type Feature, testCopies } from './fidelity/copies.js';
import { makeSql, runSql } from './fidelity/lua.js';

/** Lua that makes a view by hand, with an id below those of what it selects from. */
const viewOfId = (id: number, name: string, from: string): string => `
  box.space._space:insert({${id}, 1, '${name}', 'memtx', 2,
    {view = true, sql = 'CREATE VIEW "${name}" AS SELECT * FROM "${from}"'},
    {{name = 'id', type = 'integer'}, {name = 'v', type = 'integer'}}})
`;

const FEATURES: readonly Feature[] = [
  {
    title: 'with columns of its own, joins, subqueries, unions',
    make: makeSql(
      `CREATE TABLE "t" ("id" INTEGER PRIMARY KEY, "v" INTEGER)`,
      `CREATE TABLE "u" ("id" INTEGER PRIMARY KEY, "t" INTEGER)`,
      `INSERT INTO "t" VALUES (1, 10), (2, 20)`,
      `INSERT INTO "u" VALUES (1, 1), (3, 2)`,
      `CREATE VIEW "renamed" ("one", "two") AS SELECT "id", "v" FROM "t"`,
      `CREATE VIEW "joined" AS SELECT "t"."v" AS "v", "u"."id" AS "id" FROM "t" JOIN "u" ON "u"."t" = "t"."id"`,
      `CREATE VIEW "nested" AS SELECT "id" FROM "t" WHERE "id" IN (SELECT "t" FROM "u" WHERE "id" > 1)`,
      `CREATE VIEW "united" AS SELECT "id" FROM "t" UNION SELECT "id" FROM "u"`,
      `CREATE VIEW "counted" AS SELECT COUNT(*) AS "n", MAX("v") AS "m" FROM "t" GROUP BY "id" HAVING "id" > 1`,
      `CREATE VIEW "of text" AS SELECT 'it''s "text"' AS "a ""quoted"" name", "v" FROM "t"`,
    ),
    ask: runSql(
      `SELECT "two" FROM "renamed"`,
      `SELECT * FROM "joined"`,
      `SELECT * FROM "nested"`,
      `SELECT * FROM "united"`,
      `SELECT * FROM "counted"`,
      `SELECT "a ""quoted"" name" FROM "of text"`,
    ),
  },
  {
    title: 'on a view on a view',
    make: makeSql(
      `CREATE VIEW "second" AS SELECT "one" FROM "renamed" WHERE "two" > 10`,
      `CREATE VIEW "third" AS SELECT "one" + 1 AS "more" FROM "second"`,
    ),
    ask: runSql(`SELECT * FROM "third"`, `DROP VIEW "second"`),
  },
  {
    title: 'whose id is below that of its table, and of its view',
    make: `local space = box.schema.space.create('high', {id = 90000, format = {{'id', 'integer'}, {'v', 'integer'}}})
      space:create_index('primary')
      space:insert({1, 2})
      ${viewOfId(800, 'low', 'high')}
      ${viewOfId(799, 'lower', 'low')}`,
    ask: runSql(`SELECT * FROM "lower"`, `DROP TABLE "high"`),
  },
  {
    title: 'of a user',
    make: `box.schema.user.create('viewer', {password = 'v'})
      box.schema.user.grant('viewer', 'read,write,create,execute', 'universe')
      box.session.su('viewer', function()
          ${makeSql(`CREATE VIEW "own" AS SELECT * FROM "t"`)}
      end)`,
    ask: `return box.space._user:get({box.space._space.index.name:get({'own'}).owner}).name`,
  },
];

const TRIGGERS: readonly Feature[] = [
  {
    title: 'before and after each kind of statement, and in place of it',
    make: makeSql(
      `CREATE TABLE "t" ("id" INTEGER PRIMARY KEY, "v" INTEGER)`,
      `CREATE TABLE "log" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "what" STRING)`,
      `CREATE VIEW "window" AS SELECT * FROM "t"`,
      `CREATE TRIGGER "no_big" BEFORE UPDATE OF "v" ON "t" FOR EACH ROW WHEN NEW."v" > 99
        BEGIN SELECT RAISE(ABORT, 'too big; it''s so'); END`,
      `CREATE TRIGGER "deleted" AFTER DELETE ON "t" FOR EACH ROW
        BEGIN INSERT INTO "log" VALUES (NULL, 'deleted'); INSERT INTO "log" VALUES (NULL, 'twice'); END`,
      `CREATE TRIGGER "through" INSTEAD OF INSERT ON "window" FOR EACH ROW
        BEGIN INSERT INTO "t" VALUES (NEW."id", NEW."v"); END`,
      `INSERT INTO "window" VALUES (1, 1), (2, 2)`,
      `DELETE FROM "t" WHERE "id" = 2`,
    ),
    ask: runSql(
      `UPDATE "t" SET "v" = 100`,
      `UPDATE "t" SET "v" = 99`,
      `INSERT INTO "window" VALUES (3, 3)`,
      `DELETE FROM "t" WHERE "id" = 1`,
      `SELECT * FROM "t"`,
      `SELECT * FROM "log"`,
    ),
  },
  {
    title: 'on a table that a trigger fills',
    make: makeSql(
      `CREATE TRIGGER "a" AFTER INSERT ON "log" FOR EACH ROW WHEN NEW."id" < 5
        BEGIN INSERT INTO "t" VALUES (1000 + NEW."id", 0); END`,
    ),
    ask: runSql(`INSERT INTO "log" ("what") VALUES ('x')`, `SELECT COUNT(*) FROM "t"`),
  },
];

describe('restore brings views back', () => testCopies(FEATURES));

describe('restore brings triggers of SQL back', () => testCopies(TRIGGERS));
