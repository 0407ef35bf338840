import { type Feature, testCopies } from './fidelity/copies.js';
import { makeSql, runSql } from './fidelity/lua.js';

const FEATURES: readonly Feature[] = [
  {
    title: 'a table with defaults, collations and not null',
    make: makeSql(
      `CREATE TABLE "people" ("id" INTEGER PRIMARY KEY, "name" STRING NOT NULL COLLATE "unicode_ci",
        "city" STRING DEFAULT 'Brno', "size" DOUBLE, "amount" NUMBER)`,
      `CREATE INDEX "by_name" ON "people" ("name")`,
      `INSERT INTO "people" ("id", "name", "size", "amount") VALUES (1, 'Zoë', 1.0, 2), (2, 'ann', 2, 3.5e0)`,
    ),
    ask: runSql(
      `SELECT * FROM "people" WHERE "name" = 'ZOË'`,
      `INSERT INTO "people" ("id", "name") VALUES (3, NULL)`,
      `INSERT INTO "people" ("id", "name") VALUES (4, 'bob')`,
      `SELECT * FROM "people" ORDER BY "id"`,
    ),
    oneWay: ['defaults are values', '3.0'],
  },
  {
    title: 'autoincrement',
    make: makeSql(
      `CREATE TABLE "counted" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "v" INTEGER)`,
      `INSERT INTO "counted" VALUES (NULL, 1), (NULL, 2), (NULL, 3)`,
      `DELETE FROM "counted" WHERE "id" = 3`,
    ),
    ask: runSql(`INSERT INTO "counted" VALUES (NULL, 4)`, `SELECT * FROM "counted"`),
  },
  {
    title: 'checks',
    make: makeSql(
      `CREATE TABLE "checked" ("id" INTEGER PRIMARY KEY, "v" INTEGER,
        CONSTRAINT "positive" CHECK ("v" > 0), CONSTRAINT "small" CHECK ("v" < 100))`,
      `INSERT INTO "checked" VALUES (1, 5)`,
    ),
    ask: runSql(
      `INSERT INTO "checked" VALUES (2, -1)`,
      `INSERT INTO "checked" VALUES (3, 100)`,
      `INSERT INTO "checked" VALUES (4, 99)`,
    ),
  },
  {
    title: 'unique constraints',
    make: makeSql(
      `CREATE TABLE "once" ("id" INTEGER PRIMARY KEY, "a" INTEGER, "b" STRING, CONSTRAINT "ab" UNIQUE ("a", "b"))`,
      `INSERT INTO "once" VALUES (1, 1, 'x'), (2, 1, 'y')`,
    ),
    ask: runSql(`INSERT INTO "once" VALUES (3, 1, 'y')`, `INSERT INTO "once" VALUES (4, 2, 'y')`),
  },
  {
    title: 'foreign keys, with the child made first by name',
    make: makeSql(
      `CREATE TABLE "parent" ("id" INTEGER PRIMARY KEY, "code" INTEGER UNIQUE)`,
      `CREATE TABLE "child" ("id" INTEGER PRIMARY KEY, "up" INTEGER,
        CONSTRAINT "to_parent" FOREIGN KEY ("up") REFERENCES "parent" ("code"))`,
      `INSERT INTO "parent" VALUES (1, 10), (2, 20)`,
      `INSERT INTO "child" VALUES (1, 10), (2, NULL)`,
    ),
    ask: runSql(
      `INSERT INTO "child" VALUES (3, 99)`,
      `INSERT INTO "child" VALUES (4, 20)`,
      `DELETE FROM "parent" WHERE "id" = 1`,
    ),
    oneWay: ['foreign keys bind Lua, too', '2.11'],
  },
  {
    title: 'a foreign key to the table itself, in a circle',
    // 2.6 refuses to let SQL close the circle
    make: `${makeSql(
      `CREATE TABLE "staff" ("id" INTEGER PRIMARY KEY, "boss" INTEGER,
        CONSTRAINT "has_boss" FOREIGN KEY ("boss") REFERENCES "staff" ("id"))`,
      `INSERT INTO "staff" VALUES (1, NULL), (2, 1)`,
    )}
    box.space.staff:update({1}, {{'=', 2, 2}})`,
    ask: runSql(`INSERT INTO "staff" VALUES (3, 99)`, `INSERT INTO "staff" VALUES (4, 1)`),
    oneWay: ['foreign keys bind Lua, too', '2.11'],
  },
  {
    title: 'a foreign key that deletes',
    make: makeSql(
      `CREATE TABLE "order" ("id" INTEGER PRIMARY KEY)`,
      `CREATE TABLE "line" ("id" INTEGER PRIMARY KEY, "of" INTEGER REFERENCES "order" ("id") ON DELETE CASCADE)`,
      `INSERT INTO "order" VALUES (1), (2)`,
      `INSERT INTO "line" VALUES (1, 1), (2, 2)`,
    ),
    ask: runSql(`DELETE FROM "order" WHERE "id" = 1`, `SELECT * FROM "line"`),
    needs: ['actions of foreign keys', '2.0', '2.11'],
  },
  {
    title: 'foreign keys of every kind',
    make: makeSql(
      `CREATE TABLE "up" ("id" INTEGER PRIMARY KEY, "a" INTEGER, "b" STRING, CONSTRAINT "ab" UNIQUE ("a", "b"))`,
      `CREATE TABLE "follows" ("id" INTEGER PRIMARY KEY, "x" INTEGER, "y" STRING, CONSTRAINT "both"
        FOREIGN KEY ("x", "y") REFERENCES "up" ("a", "b") MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL)`,
      `CREATE TABLE "waits" ("id" INTEGER PRIMARY KEY, "x" INTEGER, CONSTRAINT "late"
        FOREIGN KEY ("x") REFERENCES "up" ("id") DEFERRABLE INITIALLY DEFERRED)`,
      `CREATE TABLE "stays" ("id" INTEGER PRIMARY KEY, "x" INTEGER DEFAULT 2, CONSTRAINT "default"
        FOREIGN KEY ("x") REFERENCES "up" ("id") ON DELETE SET DEFAULT ON UPDATE RESTRICT)`,
      `INSERT INTO "up" VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c')`,
      `INSERT INTO "follows" VALUES (1, 10, 'a'), (2, 30, 'c')`,
      `INSERT INTO "waits" VALUES (1, 1)`,
      `INSERT INTO "stays" VALUES (1, 3)`,
    ),
    ask: runSql(
      `UPDATE "up" SET "a" = 11 WHERE "id" = 1`,
      `DELETE FROM "up" WHERE "id" = 3`,
      `INSERT INTO "waits" VALUES (2, 99)`,
      `START TRANSACTION`,
      `INSERT INTO "waits" VALUES (2, 4)`,
      `INSERT INTO "up" VALUES (4, 40, 'd')`,
      `COMMIT`,
      `SELECT * FROM "follows"`,
      `SELECT * FROM "waits"`,
      `SELECT * FROM "stays"`,
    ),
    needs: ['actions of foreign keys, and deferred ones', '2.0', '2.11'],
  },
  {
    title: 'constraints without a name, and those added later',
    make: makeSql(
      `CREATE TABLE "added" ("id" INTEGER PRIMARY KEY, "v" INTEGER CHECK ("v" > 1), "w" INTEGER REFERENCES "parent",
        "x" INTEGER UNIQUE, CHECK ("v" < "x"))`,
      `ALTER TABLE "added" ADD CONSTRAINT "later" CHECK ("x" < 100)`,
      `ALTER TABLE "added" ADD CONSTRAINT "to_itself" FOREIGN KEY ("w") REFERENCES "added" ("id")`,
      `INSERT INTO "added" VALUES (1, 2, NULL, 3)`,
    ),
    ask: runSql(
      `INSERT INTO "added" VALUES (2, 1, 1, 4)`,
      `INSERT INTO "added" VALUES (2, 5, 1, 4)`,
      `INSERT INTO "added" VALUES (2, 2, 99, 4)`,
      `INSERT INTO "added" VALUES (2, 2, 1, 3)`,
      `INSERT INTO "added" VALUES (2, 2, 1, 100)`,
      `INSERT INTO "added" VALUES (2, 2, 1, 99)`,
    ),
    oneWay: ['foreign keys bind Lua, too', '2.11'],
  },
  {
    title: 'a check that was turned off',
    make: `${makeSql(
      `CREATE TABLE "lenient" ("id" INTEGER PRIMARY KEY, CONSTRAINT "small" CHECK ("id" < 10))`,
    )}
      box.space.lenient.ck_constraint.small:enable(false)
      box.space.lenient:insert({100})`,
    ask: runSql(`INSERT INTO "lenient" VALUES (101)`, `SELECT * FROM "lenient"`),
    needs: ['checks that can be turned off', '2.0', '2.11'],
  },
  {
    title: 'autoincrement of a key of two columns',
    make: makeSql(
      `CREATE TABLE "pairs" ("a" STRING, "b" INTEGER AUTOINCREMENT, PRIMARY KEY ("a", "b"))`,
      `INSERT INTO "pairs" VALUES ('x', NULL), ('y', NULL)`,
    ),
    ask: runSql(`INSERT INTO "pairs" VALUES ('x', NULL)`, `SELECT * FROM "pairs"`),
  },
  {
    title: 'a table of vinyl with columns of all types',
    make: makeSql(
      `CREATE TABLE "wide" ("id" UNSIGNED PRIMARY KEY, "b" BOOLEAN DEFAULT true, "s" SCALAR, "vb" VARBINARY,
        "vc" VARCHAR(10), "n" NUMBER, "d" DOUBLE, "t" TEXT NOT NULL DEFAULT '') WITH ENGINE = 'vinyl'`,
      `CREATE UNIQUE INDEX "by_text" ON "wide" ("t", "vc")`,
      `INSERT INTO "wide" VALUES (1, false, 'x', X'00ff', 'v', 1.5e0, 2.0, 't')`,
    ),
    ask: runSql(
      `SELECT "id", "b", "s", HEX("vb"), "vc", "n", "d", "t" FROM "wide"`,
      `INSERT INTO "wide" ("id", "vc", "t") VALUES (2, 'v', 't')`,
      `SELECT "id" FROM "wide" WHERE "t" = 't'`,
    ),
    oneWay: ['defaults are values', '3.0'],
  },
  {
    title: 'a table with columns of newer types',
    make: makeSql(
      `CREATE TABLE "newer" ("id" INTEGER PRIMARY KEY, "m" MAP, "ar" ARRAY, "an" ANY, "dt" DATETIME, "iv" INTERVAL,
        "u" UUID, "de" DECIMAL)`,
      `INSERT INTO "newer" ("id", "de", "ar") VALUES (1, 1.5, [1, 'x'])`,
    ),
    ask: runSql(`SELECT "id", CAST("de" AS STRING), "ar" FROM "newer"`),
    needs: ['map, array and datetime in SQL', '2.11'],
  },
  {
    title: 'a default that is an expression',
    make: makeSql(
      `CREATE TABLE "counting" ("id" INTEGER PRIMARY KEY, "n" INTEGER DEFAULT (1 + 1))`,
      `INSERT INTO "counting" ("id") VALUES (1)`,
    ),
    ask: runSql(`INSERT INTO "counting" ("id") VALUES (2)`, `SELECT * FROM "counting"`),
    needs: ['expressions as defaults', '3.0'],
  },
  {
    title: 'views, of tables and of views',
    make: makeSql(
      `CREATE TABLE "author" ("id" INTEGER PRIMARY KEY, "name" STRING)`,
      `CREATE TABLE "book" ("id" INTEGER PRIMARY KEY, "by" INTEGER)`,
      `INSERT INTO "author" VALUES (1, 'Zoë'), (2, 'ann'), (3, 'Bea')`,
      `INSERT INTO "book" VALUES (10, 1), (20, 3)`,
      `CREATE VIEW "names" AS SELECT "name" FROM "author" WHERE "id" < 3`,
      `CREATE VIEW "joined" AS SELECT "a"."name" AS "name", "b"."id" AS "book"
        FROM "author" AS "a" JOIN "book" AS "b" ON "b"."by" = "a"."id"`,
      `CREATE VIEW "nested" AS SELECT * FROM "names" WHERE "name" <> 'ann'`,
    ),
    ask: runSql(
      `SELECT * FROM "names"`,
      `SELECT * FROM "joined"`,
      `SELECT * FROM "nested"`,
      `DROP TABLE "author"`,
    ),
  },
  {
    title: 'triggers',
    make: makeSql(
      `CREATE TABLE "watched" ("id" INTEGER PRIMARY KEY, "v" INTEGER)`,
      `CREATE TABLE "seen" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "what" INTEGER)`,
      `CREATE TRIGGER "watch" AFTER INSERT ON "watched" FOR EACH ROW
        BEGIN INSERT INTO "seen" VALUES (NULL, NEW."v"); END`,
      `INSERT INTO "watched" VALUES (1, 7)`,
    ),
    ask: runSql(`INSERT INTO "watched" VALUES (2, 8)`, `SELECT * FROM "seen"`),
  },
  {
    title: 'a table that has a view, a trigger and a check, and is synchronous',
    make: `${makeSql(
      `CREATE TABLE "busy" ("id" INTEGER PRIMARY KEY, "v" INTEGER, CONSTRAINT "small" CHECK ("v" < 10))`,
      `CREATE TABLE "heard" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "what" INTEGER)`,
      `CREATE VIEW "shown" AS SELECT "v" FROM "busy"`,
      `CREATE TRIGGER "hear" AFTER INSERT ON "busy" FOR EACH ROW
        BEGIN INSERT INTO "heard" VALUES (NULL, NEW."v"); END`,
      `INSERT INTO "busy" VALUES (1, 7)`,
    )}
      box.space._space:update({box.space.busy.id}, {{'=', 'flags.is_sync', true}})`,
    ask: `box.space._space:update({box.space.busy.id}, {{'=', 'flags.is_sync', false}})
      ${runSql(
        `INSERT INTO "busy" VALUES (2, 8)`,
        `INSERT INTO "busy" VALUES (3, 10)`,
        `SELECT * FROM "shown"`,
        `SELECT * FROM "heard"`,
        `DROP TABLE "busy"`,
      )}`,
  },
  {
    title: 'a table with a foreign key that has a view and a trigger',
    make: makeSql(
      `CREATE TABLE "source" ("id" INTEGER PRIMARY KEY)`,
      `CREATE TABLE "bound" ("id" INTEGER PRIMARY KEY, "to" INTEGER,
        CONSTRAINT "to_source" FOREIGN KEY ("to") REFERENCES "source" ("id"))`,
      `CREATE TABLE "noticed" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "what" INTEGER)`,
      `CREATE VIEW "bonds" AS SELECT "to" FROM "bound"`,
      `CREATE TRIGGER "notice" AFTER INSERT ON "bound" FOR EACH ROW
        BEGIN INSERT INTO "noticed" VALUES (NULL, NEW."to"); END`,
      `INSERT INTO "source" VALUES (7)`,
      `INSERT INTO "bound" VALUES (1, 7)`,
    ),
    ask: runSql(
      `INSERT INTO "bound" VALUES (2, 7)`,
      `INSERT INTO "bound" VALUES (3, 8)`,
      `SELECT * FROM "bonds"`,
      `SELECT * FROM "noticed"`,
      `DROP TABLE "bound"`,
    ),
    oneWay: ['foreign keys bind Lua, too', '2.11'],
  },
  {
    title: 'a table with a default that has a view and a trigger',
    make: makeSql(
      `CREATE TABLE "filled" ("id" INTEGER PRIMARY KEY, "v" INTEGER DEFAULT 7)`,
      `CREATE TABLE "told" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "what" INTEGER)`,
      `CREATE VIEW "sevens" AS SELECT "v" FROM "filled"`,
      `CREATE TRIGGER "tell" AFTER INSERT ON "filled" FOR EACH ROW
        BEGIN INSERT INTO "told" VALUES (NULL, NEW."id"); END`,
      `INSERT INTO "filled" ("id") VALUES (1)`,
    ),
    ask: runSql(
      `INSERT INTO "filled" ("id") VALUES (2)`,
      `SELECT * FROM "sevens"`,
      `SELECT * FROM "told"`,
      `DROP TABLE "filled"`,
    ),
    oneWay: ['defaults are values', '3.0'],
  },
  {
    title: 'defaults of every kind',
    make: makeSql(
      `CREATE TABLE "defaulted" ("id" INTEGER PRIMARY KEY, "quoted" STRING DEFAULT 'it''s', "minus" INTEGER DEFAULT -5,
        "flag" BOOLEAN DEFAULT true, "nothing" STRING DEFAULT NULL, "real" DOUBLE DEFAULT 1.5e0,
        "sum" INTEGER DEFAULT (1 + 2), "called" STRING DEFAULT (UPPER('x') || 'y'))`,
      `INSERT INTO "defaulted" ("id") VALUES (1)`,
    ),
    ask: runSql(`INSERT INTO "defaulted" ("id") VALUES (2)`, `SELECT * FROM "defaulted"`),
    oneWay: ['defaults are values', '3.0'],
  },
  {
    title: 'SQL without quotes, with words that became keywords',
    make: makeSql(
      `CREATE TABLE item (id INTEGER PRIMARY KEY, "UUID" STRING, key INTEGER)`,
      `CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, what INTEGER)`,
      `INSERT INTO item VALUES (1, 'u', 7), (2, 'v', 8)`,
      `CREATE VIEW item_keys AS SELECT uuid, key, COUNT(*) AS many FROM item GROUP BY uuid, key`,
      `CREATE TRIGGER item_log AFTER INSERT ON item FOR EACH ROW WHEN new.key > 8
        BEGIN INSERT INTO log VALUES (NULL, new.key); END`,
    ),
    ask: runSql(
      `SELECT * FROM "ITEM_KEYS"`,
      `INSERT INTO "ITEM" VALUES (3, 'w', 9), (4, 'x', 1)`,
      `SELECT * FROM "LOG"`,
    ),
    needs: ['identifiers in upper case', '2.0', '3.0'],
  },
  {
    title: 'a table with a name in upper case, unquoted',
    make: makeSql(
      `CREATE TABLE plain (id INTEGER PRIMARY KEY, v STRING)`,
      `INSERT INTO plain VALUES (1, 'x')`,
    ),
    ask: runSql(`SELECT v FROM plain`),
    oneWay: ['identifiers without quotes are as they are written', '3.0'],
  },
  {
    title: 'a new table beside them',
    make: '',
    ask: runSql(`CREATE TABLE "new" ("id" INTEGER PRIMARY KEY)`, `INSERT INTO "new" VALUES (1)`),
  },
];

describe('restore brings tables of SQL back', () => testCopies(FEATURES));
