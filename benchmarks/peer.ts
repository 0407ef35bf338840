import type { TestServer } from '../test/support/server.js';
import type { Usage } from './measure.js';

/**
 * Runs a function of the Lua module in the server, and measures the time there.
 *
 * @param peer - path of the module's `init.lua`
 * @param call - the call in Lua, in which `folder` is the path of the folder
 * @example
 * await runPeer(server, 'dump/init.lua', 'dump(folder)', '/tmp/backup');
 */
export async function runPeer(
  server: TestServer,
  peer: string,
  call: string,
  folder: string,
): Promise<Usage> {
  const seconds = await server.eval<number>(
    `local module, folder = dofile(...), select(2, ...)
     local started = require('clock').monotonic()
     assert(module.${call})
     return require('clock').monotonic() - started`,
    peer,
    folder,
  );
  return { seconds, cpuSeconds: Number.NaN, peakMiB: Number.NaN, stdout: '' };
}
