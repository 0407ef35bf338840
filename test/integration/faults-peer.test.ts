import { equal, match, ok } from 'node:assert/strict';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { blobs } from '../cli/blobs.js';
import { failsWith } from '../cli/outcome.js';
import { withServer } from '../cli/with-server.js';
import { type Result, tntar } from '../support/cli.js';
import { tntarMeasured } from '../support/peak.js';
import { startPeer, startProxy } from '../support/proxy.js';
import { PASSWORD, USER } from '../support/server.js';

const TIMEOUT_MS = 5000;
/** What no peer may make a process take more of. */
const MOST_MIB = 256;

/** What a server of this version says first: two lines of 64 bytes. */
function greeting(version: string): string {
  const line = `Tarantool ${version} (Binary) 7170b4af-c72c-4f07-8729-08fc678543a1`;
  const salt = 'QK2HoFZGXTXBq2vFj7soCsHqTo6PGTF575ssUBAJLAI=';
  return `${line.padEnd(63)}\n${salt.padEnd(63)}\n`;
}

/** A packet that claims so many bytes; 0xce starts a uint32. */
function claim(bytes: number): Buffer {
  const prefix = Buffer.of(0xce, 0, 0, 0, 0);
  prefix.writeUInt32BE(bytes, 1);
  return prefix;
}

const dump = (address: string, ...options: string[]): Promise<Result> => {
  const args = ['dump', '-q', address, '--connect-timeout', '1', '--timeout', '1', ...options];
  return tntar(args, { timeoutMs: TIMEOUT_MS });
};

describe('a peer that tntar cannot use', () => {
  /** Dumps from something that says this, and waits. */
  const dumpFrom = async (said: string | Buffer, ...options: string[]): Promise<Result> => {
    const peer = await startPeer((socket) => socket.write(said));
    const result = await dump(peer.address, ...options);
    await peer.stop();
    return result;
  };

  describe('is refused with the first words that it sent', () => {
    const peers: [title: string, said: string | Buffer, message: RegExp][] = [
      ['an ssh server', 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n', /\(got "SSH-2\.0-OpenSSH/],
      ['an HTTP proxy', 'HTTP/1.1 400 Bad Request\r\n\r\n', /\(got "HTTP\/1\.1 400/],
      ['noise', Buffer.from('00ff80c1'.repeat(64), 'hex'), /\(got "/],
      ['a version in words', greeting('two.six'), /\(got "Tarantool two\.six/],
    ];
    for (const [title, said, message] of peers) {
      it(title, async () => {
        const result = await dumpFrom(said);
        failsWith(result, 1, /is not a supported Tarantool \(got /);
        match(result.stderr, message);
      });
    }

    it('a Tarantool that is too old to be read', async () => {
      const result = await dumpFrom(greeting('1.9.2'));
      failsWith(
        result,
        1,
        /runs Tarantool 1\.9\.2, which is too old to be read\nhint: tntar reads 1\.10/,
      );
    });

    it('the console of a real Tarantool', async () => {
      const result = await withServer({}, async (server) => {
        const port = await server.eval<number>(`
          local listener = require('console').listen('127.0.0.1:0')
          return listener:name().port
        `);
        return dump(`127.0.0.1:${port}`);
      });
      failsWith(result, 1, /is not a supported Tarantool \(got "Tarantool [\d.]+.*Lua console/);
      match(result.stderr, /\nhint: .*console/);
    });
  });

  it('is refused by a restore in the same way as by a dump', async () => {
    const peers: [said: string, code: number, message: RegExp][] = [
      ['SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n', 1, /is not a supported Tarantool \(got "SSH/],
      [greeting('1.10.15'), 4, /runs Tarantool 1\.10\.15, which is too old to restore into/],
      ['', 5, /did not complete the login within 1 s/],
    ];
    for (const [said, code, message] of peers) {
      const peer = await startPeer((socket) => socket.write(said));
      const args = ['restore', '-q', peer.address, '--connect-timeout', '1'];
      failsWith(await tntar(args, { timeoutMs: TIMEOUT_MS }), code, message);
      await peer.stop();
    }
  });

  it('with a newer major version is dumped with a warning', async () => {
    await withServer({ lua: blobs(1) }, async (server) => {
      const peer = await startPeer((client) => {
        const through = connect(server.port, server.host);
        // the greeting comes first, and by itself
        through.once('data', (said: Buffer) => {
          client.write(said.toString('latin1').replace(/^Tarantool \d+/, 'Tarantool 9'), 'latin1');
          through.pipe(client);
        });
        client.pipe(through);
      });
      const { code, stdout, stderr } = await tntar([
        'dump',
        '-q',
        `${USER}:${PASSWORD}@${peer.address}`,
      ]);
      await peer.stop();
      equal(code, 0, stderr);
      match(stderr, /^tntar: warning: Tarantool 9\.\S+ is newer than every version [^\n]+\n$/);
      equal((await tntar(['verify'], { input: stdout })).code, 0);
    });
  });

  describe('is abandoned within --connect-timeout', () => {
    it('an HTTP server', async () => {
      const server = createServer((_request, response) => response.end('hello'));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const result = await dump(`127.0.0.1:${(server.address() as AddressInfo).port}`);
      failsWith(result, 5, /did not complete the login within 1 s/);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });

    it('a listener that says nothing', async () => {
      failsWith(await dumpFrom(''), 5, /did not complete the login within 1 s/);
    });

    it('a greeting without an end', async () => {
      failsWith(
        await dumpFrom(greeting('2.6.0').slice(0, 127)),
        5,
        /did not complete the login within 1 s/,
      );
    });

    it('a server that does not answer the login', async () => {
      const peer = await startPeer((socket) => socket.write(greeting('2.6.0')));
      const result = await dump(`me:secret@${peer.address}`);
      failsWith(result, 5, /did not complete the login within 1 s/);
      await peer.stop();
    });
  });

  it('that closes the connection at once is refused', async () => {
    const peer = await startPeer((socket) => socket.end());
    failsWith(await dump(peer.address), 5, /closed the connection/);
    await peer.stop();
  });

  describe('that breaks the protocol is a failure', () => {
    const replies: [title: string, reply: Buffer, message: RegExp][] = [
      ['a reply of 4 GiB', claim(0xffffffff), /4294967295 bytes is over the limit/],
      ['a reply of 1 GiB', claim(0x40000000), /1073741824 bytes is over the limit/],
      ['a reply that is text', Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), /protocol error/],
      ['a reply without a header', Buffer.of(0xce, 0, 0, 0, 1, 0xc0), /protocol error/],
      ['an empty reply', claim(0), /protocol error/],
      ['a header that is cut', Buffer.of(0xce, 0, 0, 0, 3, 0x82, 0, 0xce), /protocol error/],
    ];
    for (const [title, reply, message] of replies) {
      for (const source of ['snapshot', 'select']) {
        it(`${title}, to a ${source}`, async () => {
          let asked = 0;
          const peer = await startPeer((socket) => {
            socket.write(greeting('2.6.0'));
            socket.on('data', () => {
              asked++;
              socket.write(reply);
            });
          });
          const result = await dump(peer.address, '--source', source);
          await peer.stop();
          ok(asked > 0);
          // at once, not when no more bytes come
          failsWith(result, 1, message);
        });
      }
    }
  });

  it('that claims ever larger packets takes no memory for them', async () => {
    // 0xce is the code of a length, and a length of more than 3 GB
    const claims = Buffer.alloc(10_000, 0xce);
    await withServer({ lua: blobs(12) }, async (server) => {
      const proxy = await startProxy(server, { after: 6_000_000, fault: claims });
      const address = `${USER}:${PASSWORD}@${proxy.address}`;
      const args = ['dump', '-q', address, '--source', 'snapshot', '--timeout', '1'];
      const { code, stderr, peakMiB } = await tntarMeasured(args);
      await proxy.stop();
      equal(code, 1, stderr);
      match(
        stderr,
        /a packet of 3469659854 bytes is over the limit.*, behind \d+ rows of space 'blobs'/,
      );
      ok(peakMiB < MOST_MIB, `${peakMiB} MiB`);
    });
    const zeros = Buffer.alloc(0x02000000);
    for (const [bytes, body, message] of [
      [0xffffffff, Buffer.alloc(0), /4294967295 bytes is over the limit/],
      [0x08000000, Buffer.alloc(0), /134217728 bytes is over the limit/],
      [zeros.length, Buffer.alloc(0), /no byte came for 1 s/],
      [zeros.length, zeros, /a packet without a header/],
    ] as const) {
      const peer = await startPeer((socket) => {
        socket.write(greeting('2.6.0'));
        socket.once('data', () => socket.write(Buffer.concat([claim(bytes), body])));
      });
      const args = ['dump', '-q', peer.address, '--timeout', '1'];
      const { code, stderr, peakMiB } = await tntarMeasured(args);
      await peer.stop();
      equal(code, 1, stderr);
      match(stderr, message);
      ok(peakMiB < MOST_MIB, `${peakMiB} MiB`);
    }
  });
});
