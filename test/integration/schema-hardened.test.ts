import { deepEqual, equal, match } from 'node:assert/strict';
import { archive, jsonEntry, manifest, sealed } from '../support/archive-builder.js';
import { startServer, type TestServer } from '../support/server.js';
import { dump, restore, SOURCES, tryRestore, withTarget } from './fidelity/roundtrip.js';

type Grant = [grantor: number, grantee: number, type: string, id: number | string, bits: number];

const grantsOf = (server: TestServer): Promise<Grant[]> =>
  server.eval('return box.space._priv:select()');
const keyOf = ([, grantee, type, id]: Grant): string => `${grantee} ${type} ${id}`;

/** What somebody does to the grants that a server ships. */
const HARDENED: Record<string, string> = {
  'all that can be taken away is': `
    for _, grant in box.space._priv:pairs() do
        if grant.grantee ~= 1 then box.space._priv:delete({grant.grantee, grant[3], grant[4]}) end
    end`,
  'each gives less, or something else': `
    local others = {[1] = 2, [2] = 128, [3] = 1, [4] = 32, [24] = 16}
    for _, grant in box.space._priv:pairs() do
        if grant.grantee ~= 1 then
            local bits = others[grant[5]] or 7 + 32
            box.space._priv:update({grant.grantee, grant[3], grant[4]}, {{'=', 5, bits}})
        end
    end`,
  'each gives more': `
    for _, grant in box.space._priv:pairs() do
        if grant[5] < 2^31 then
            box.space._priv:update({grant.grantee, grant[3], grant[4]}, {{'|', 5, 128}})
        end
    end`,
  'the function LUA is dropped': `box.schema.func.drop('LUA')`,
};

describe('the grants that a server ships', () => {
  const fresh: { source: Grant[]; target: Grant[] } = { source: [], target: [] };
  before(async () => {
    const source = await startServer();
    fresh.source = await grantsOf(source).finally(() => source.stop());
    fresh.target = await withTarget(grantsOf);
  });

  for (const [title, lua] of Object.entries(HARDENED)) {
    for (const source of SOURCES) {
      it(`are the same as on the source if ${title}, read by ${source}`, async () => {
        const server = await startServer({ lua });
        let backup: Buffer;
        let expected: Grant[];
        try {
          backup = await dump(server, '--source', source);
          expected = await grantsOf(server);
        } finally {
          await server.stop();
        }
        await withTarget(async (target) => {
          await restore(target, backup);
          const actual = await grantsOf(target);
          const own = new Set(fresh.target.map(keyOf));
          const shared = new Set(fresh.source.map(keyOf).filter((key) => own.has(key)));
          const isShared = (grant: Grant): boolean => shared.has(keyOf(grant));
          deepEqual(actual.filter(isShared), expected.filter(isShared));
          if (server.version === target.version) deepEqual(actual, expected);
        });
      });
    }
  }
});

describe('an archive that revokes what no server grants by itself', () => {
  for (const grantee of [1, 32]) {
    it(`is refused before anything is written, for the user ${grantee}`, async () => {
      const revoked = [
        { grantee: 2, objectType: 'space', objectId: 281 },
        { grantee, objectType: 'universe', objectId: 0 },
      ];
      const crafted = archive(
        sealed([jsonEntry('manifest.json', manifest({ spaces: [], revoked }))]),
      );
      await withTarget(
        async (target) => {
          const before = await grantsOf(target);
          for (const args of [['--dry-run'], []]) {
            const { code, stderr } = await tryRestore(target, crafted, args);
            equal(code, 3, stderr);
            match(stderr, new RegExp(`user ${grantee}, but no server grants that by default`));
            deepEqual(await grantsOf(target), before);
          }
        },
        { lua: `box.schema.user.create('ann', {password = 'a'})` },
      );
    });
  }
});
