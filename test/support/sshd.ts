import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { commandFolder } from './cli.js';

const SSHD = '/usr/sbin/sshd';

/** A real sshd that lets in the user of the test, with keys of its own. */
export interface TestSshd {
  /** What to call ssh with; the host is known as `db1`. */
  readonly ssh: string;
  /** What sshd logged. */
  log(): string;
  stop(): Promise<void>;
}

/** @returns why no sshd can be started here; undefined where it can */
export function sshdIsMissing(): string | undefined {
  return existsSync(SSHD) ? undefined : `${SSHD} is not installed (Debian: openssh-server)`;
}

/**
 * Starts an sshd on a free port, with its own host key, and one key that may log in. The remote
 * shell finds `tntar` on its PATH.
 *
 * The port is taken here, and each connection is given to an sshd of its own (`sshd -i`, as by inetd):
 * no other process can take the port in between.
 */
export async function startSshd(): Promise<TestSshd> {
  const folder = mkdtempSync(join(tmpdir(), 'tntar-sshd-'));
  const file = (name: string): string => join(folder, name);
  for (const key of ['host_key', 'user_key']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(key)]);
  }
  copyFileSync(file('user_key.pub'), file('authorized_keys'));
  const path = [commandFolder(), process.env['PATH']].join(delimiter);
  writeFileSync(
    file('sshd_config'),
    [
      `HostKey ${file('host_key')}`,
      `AuthorizedKeysFile ${file('authorized_keys')}`,
      'AuthenticationMethods publickey',
      'PermitRootLogin prohibit-password',
      'StrictModes no',
      'UsePAM no',
      // A home without dotfiles: what a shell of this machine starts with is no part of the test.
      `SetEnv PATH="${path}" HOME="${folder}"`,
      '',
    ].join('\n'),
  );

  const children = new Set<ReturnType<typeof spawn>>();
  const listener = createServer({ pauseOnConnect: true }, (socket) => {
    const args = ['-i', '-f', file('sshd_config'), '-E', file('log')];
    const child = spawn(SSHD, args, { stdio: [socket, socket, 'ignore'] });
    children.add(child);
    child.once('close', () => children.delete(child));
    child.once('spawn', () => socket.destroy()); // it is the child's now
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = listener.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  const hostKey = readFileSync(file('host_key.pub'), 'utf8');
  writeFileSync(file('known_hosts'), `[127.0.0.1]:${port} ${hostKey}`);
  writeFileSync(
    file('ssh_config'),
    [
      'Host db1',
      '  HostName 127.0.0.1',
      `  Port ${port}`,
      `  User ${userInfo().username}`,
      `  IdentityFile ${file('user_key')}`,
      '  IdentitiesOnly yes',
      `  UserKnownHostsFile ${file('known_hosts')}`,
      '  StrictHostKeyChecking yes',
      '  BatchMode yes',
      '',
    ].join('\n'),
  );
  return {
    ssh: `ssh -F '${file('ssh_config')}'`,
    log: () => (existsSync(file('log')) ? readFileSync(file('log'), 'utf8') : ''),
    async stop() {
      for (const child of children) child.kill();
      await new Promise((resolve) => listener.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
