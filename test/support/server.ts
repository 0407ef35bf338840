import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Duplex } from 'node:stream';

/** How a test server is made. */
export interface ServerOptions {
  /** Lua that makes the schema and the data, run once the server listens. */
  lua?: string;
  /** Options of `box.cfg`, over the defaults of the tests. */
  cfg?: Record<string, unknown>;
  /** The server's program; by default `$TARANTOOL_BIN`, else `tarantool`. */
  bin?: string;
  /** Listen on a unix socket instead of on TCP (a server before 2.10 cannot do both). */
  unixSocket?: boolean;
}

/** The user that every test server knows. */
export const USER = 'admin';
/** The password of {@link USER}. */
export const PASSWORD = 'secret';

const LOG_TAIL = 4000;

/**
 * What the server process runs: a loop that answers one JSON line with another over file
 * descriptor 3, so that neither the network nor what Lua prints is involved. When the channel
 * closes, the test process is gone: the server removes its folder and ends.
 */
const DRIVER = `
local ffi = require('ffi')
local fiber = require('fiber')
local socket = require('socket')
local json = require('json').new()

local CHANNEL = 3
local folder = arg[1]

ffi.cdef('void _exit(int status);')
json.cfg({encode_invalid_numbers = false})
if fiber.set_max_slice then -- 3.x ends fibers that do not yield for a second
    fiber.set_max_slice(3600)
end

local function send(line)
    local bytes, left = ffi.cast('const char *', line), #line
    while left > 0 do
        local written = tonumber(ffi.C.write(CHANNEL, bytes, left))
        if written < 0 then
            return
        end
        bytes, left = bytes + written, left - written
    end
end

local function reply(request)
    local ok, line = pcall(function()
        local chunk = assert(load(request.lua, '=eval'))
        return json.encode({id = request.id, result = chunk(unpack(request.args))})
    end)
    return ok and line or json.encode({id = request.id, error = tostring(line)})
end

local function requests()
    local size = 65536
    local buffer, pieces = ffi.new('char[?]', size), {}
    return function()
        while true do
            local line, rest = (pieces[#pieces] or ''):match('^(.-)\\n(.*)$')
            if line then
                pieces[#pieces] = line
                line, pieces = table.concat(pieces), {rest}
                return json.decode(line)
            end
            socket.iowait(CHANNEL, 'R')
            local read = tonumber(ffi.C.read(CHANNEL, buffer, size))
            if read <= 0 then
                return nil
            end
            table.insert(pieces, ffi.string(buffer, read))
        end
    end
end

for request in requests() do
    fiber.create(function() send(reply(request) .. '\\n') end)
end
pcall(require('fio').rmtree, folder)
ffi.C._exit(0)
`;

const CONFIGURE = `
local cfg = ...
if box.internal.feedback_daemon then
    cfg.feedback_enabled = false
end
box.cfg(cfg)
local function set_password()
    box.schema.user.passwd('${USER}', '${PASSWORD}')
end
if not box.info.ro then
    -- 3.x refuses to change the users of a schema that nobody has upgraded
    local as_upgrade = box.internal.run_schema_upgrade or function(change) change() end
    as_upgrade(set_password)
end
-- 1.10 does not tell: the port is that of the only socket that listens
local function listening()
    local ffi = require('ffi')
    -- getsockopt is declared by the server's own socket.lua
    ffi.cdef('int getsockname(int fd, unsigned char *address, uint64_t *size);')
    local SOL_SOCKET, SO_ACCEPTCONN = 1, 30
    local address, value, size = ffi.new('unsigned char[128]'), ffi.new('int[1]'), ffi.new('uint64_t[1]')
    for fd = 3, 255 do
        size[0] = 4
        if ffi.C.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, value, size) == 0 and value[0] == 1 then
            size[0] = 128
            ffi.C.getsockname(fd, address, size)
            return '127.0.0.1:' .. address[2] * 256 + address[3]
        end
    end
end
return {listen = box.info.listen or listening(), version = _TARANTOOL}
`;

const DEFAULTS = {
  wal_mode: 'write',
  memtx_memory: 256 * 1024 * 1024,
  vinyl_memory: 32 * 1024 * 1024,
  vinyl_cache: 8 * 1024 * 1024,
};

interface Reply {
  id: number;
  result?: unknown;
  error?: string;
}

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

const servers = new Set<TestServer>();
process.on('exit', () => {
  for (const server of servers) server.kill('SIGKILL');
  for (const server of servers) remove(server.dir);
});

/** A real Tarantool server of its own process and folder; made by {@link startServer}. */
export class TestServer {
  /** The folder of its data and its log. */
  readonly dir = mkdtempSync(join(tmpdir(), 'tntar-test-'));
  /** Where it listens, with `unixSocket`. */
  readonly socketPath: string | undefined;
  readonly host = '127.0.0.1';
  /** 0 with `unixSocket`; another one after a restart. */
  port = 0;
  /** `2.6.0` */
  version = '';

  #bin: string;
  readonly #listen: string;
  readonly #logFile = join(this.dir, 'tarantool.log');
  readonly #waiting = new Map<number, Waiting>();
  #cfg: Record<string, unknown>;
  #child: ChildProcess | undefined;
  #closed: Promise<void> = Promise.resolve();
  #requests = 0;

  private constructor(options: ServerOptions) {
    this.#bin = programOf(options.bin ?? process.env['TARANTOOL_BIN'] ?? 'tarantool');
    this.#cfg = { ...DEFAULTS, ...options.cfg };
    this.socketPath = options.unixSocket ? join(this.dir, 'tarantool.sock') : undefined;
    // the server finds a free port itself: nobody can take it in between
    this.#listen = this.socketPath ? `unix/:${this.socketPath}` : `${this.host}:0`;
    writeFileSync(join(this.dir, 'driver.lua'), DRIVER);
    servers.add(this);
  }

  /** What a client connects to, with user and password. */
  get uri(): string {
    return `${USER}:${PASSWORD}@${this.address}`;
  }

  /** What a client connects to, without user and password. */
  get address(): string {
    return this.socketPath ? `unix/:${this.socketPath}` : `${this.host}:${this.port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** See {@link startServer}. */
  static async start(options: ServerOptions): Promise<TestServer> {
    const server = new TestServer(options);
    try {
      await server.#launch();
      if (options.lua) await server.eval(options.lua);
      return server;
    } catch (error) {
      const log = server.#logTail();
      await server.stop();
      throw new Error(`no test server: ${(error as Error).message}\n${log}`, { cause: error });
    }
  }

  async #launch(): Promise<void> {
    const log = openSync(this.#logFile, 'a');
    const child = spawn(this.#bin, ['driver.lua', this.dir], {
      cwd: this.dir,
      env: environment(),
      stdio: ['ignore', log, log, 'pipe'],
    });
    closeSync(log);
    this.#child = child;
    let reason = '';
    child.once('error', (error) => {
      reason = error.message;
    });
    this.#closed = new Promise((close) => {
      child.once('close', (code, signal) => {
        this.#abandon(`the server ended: ${reason || signal || `exit code ${code}`}`);
        close();
      });
    });
    this.#receive(child.stdio[3] as Duplex);

    const cfg = { ...this.#cfg, listen: this.#listen };
    const { listen, version } = await this.eval<{ listen: string; version: string }>(
      CONFIGURE,
      cfg,
    );
    this.port = this.socketPath ? 0 : Number(listen.split(':').at(-1));
    this.version = version.split('-')[0] ?? version;
  }

  /**
   * Runs Lua inside of the server, past its network: a function body that gets `args` as `...`.
   * The first value it returns comes back through JSON: bytes that are not UTF-8, integers over
   * 2^53 and doubles of more than 14 digits must be made text by the Lua code, and an empty table
   * arrives as `[]`.
   */
  eval<T = unknown>(lua: string, ...args: unknown[]): Promise<T> {
    const id = ++this.#requests;
    return new Promise<T>((settle, reject) => {
      const child = this.#child;
      if (!child || child.exitCode !== null || child.signalCode !== null) {
        reject(new Error('the server does not run'));
        return;
      }
      this.#waiting.set(id, { resolve: settle as Waiting['resolve'], reject });
      (child.stdio[3] as Duplex).write(`${JSON.stringify({ id, lua, args })}\n`);
    });
  }

  /** Sends a signal and does not wait; `SIGSTOP` makes a server that hangs. */
  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Ends the server, waits until it is gone, and removes its folder. */
  async stop(): Promise<void> {
    await this.#end('SIGKILL');
    remove(this.dir);
    servers.delete(this);
  }

  /**
   * Ends the server and starts it from its files again, with `cfg` over what it had.
   *
   * @param bin - the program that goes on; by default the same
   */
  async restart(cfg: Record<string, unknown> = {}, bin = this.#bin): Promise<void> {
    await this.#end('SIGTERM');
    this.#bin = programOf(bin);
    this.#cfg = { ...this.#cfg, ...cfg };
    await this.#launch();
  }

  /** All that the server logged and printed. */
  log(): Promise<string> {
    return readFile(this.#logFile, 'utf8');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.kill(signal);
    await this.#closed;
  }

  #receive(channel: Duplex): void {
    let partial = '';
    channel.setEncoding('utf8').on('data', (chunk: string) => {
      const [end = '', ...lines] = chunk.split('\n');
      partial += end;
      for (const line of lines) {
        this.#settle(JSON.parse(partial));
        partial = line;
      }
    });
    // a broken channel is the end of the process, which is told elsewhere
    channel.on('error', () => {});
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.error === undefined) waiting?.resolve(reply.result);
    else waiting?.reject(new Error(reply.error));
  }

  #abandon(why: string): void {
    const error = new Error(this.version ? `${why}\n${this.#logTail()}` : why);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #logTail(): string {
    return readFileSync(this.#logFile, 'utf8').slice(-LOG_TAIL);
  }
}

/** Starts a server that listens, with `admin:secret` as the only login beside the guest. */
export function startServer(options: ServerOptions = {}): Promise<TestServer> {
  return TestServer.start(options);
}

/** The server has a working directory of its own. */
function programOf(bin: string): string {
  return bin.includes('/') ? resolve(bin) : bin;
}

/** Newer servers take `TT_*` variables for options of `box.cfg`. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('TT_'));
  return Object.fromEntries(own);
}

/** A server that was just killed may still be writing its last file. */
function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
