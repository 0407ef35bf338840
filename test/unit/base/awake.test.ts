import { deepEqual, equal, ok } from 'node:assert/strict';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAwake, whileAwake } from '../../../lib/base/awake.js';
import { suspend } from '../../support/suspend.js';
import { FakeServer, type Peer } from '../iproto/fake-server.js';

describe('the time in which the process runs', () => {
  it('is as long as the clock says while the process is not suspended', async () => {
    let ran = 0;
    const started = performance.now();
    // ticks of 100 ms, which a busy machine keeps too
    const stop = whileAwake(2000, (ms) => {
      ran += ms;
    });
    await sleep(600);
    stop();
    const passed = performance.now() - started;
    ok(ran > passed / 2 && ran <= passed, `${ran} of ${passed} ms`);
  });

  it('leaves out the time in which the process was suspended', async () => {
    let ran = 0;
    const stop = whileAwake(100, (ms) => {
      ran += ms;
    });
    await sleep(20);
    suspend(1000);
    await sleep(20);
    stop();
    ok(ran < 500, `${ran} ms`);
  });

  it('stops when it is told to, also between a tick and its call', async () => {
    const calls: string[] = [];
    const stop = whileAwake(5, () => calls.push('first'));
    whileAwake(5, () => calls.push('second'))();
    suspend(20);
    setImmediate(stop);
    await sleep(0);
    stop();
    const { length } = calls;
    await sleep(30);
    deepEqual([calls.length, calls.includes('second')], [length, false]);
  });

  it('ends a wait, once, when it is long enough', async () => {
    let calls = 0;
    const started = performance.now();
    await new Promise<void>((resolve) => {
      afterAwake(50, () => {
        calls++;
        resolve();
      });
    });
    ok(performance.now() - started >= 50);
    await sleep(60);
    equal(calls, 1);
  });

  it('does not end a wait that was canceled', async () => {
    let calls = 0;
    afterAwake(10, () => calls++)();
    await sleep(50);
    equal(calls, 0);
  });

  it('delivers data that arrived during a suspension before it ends a wait', async () => {
    let accept = (_peer: Peer): void => {};
    const accepted = new Promise<Peer>((resolve) => {
      accept = resolve;
    });
    const fake = await FakeServer.listen((peer) => accept(peer));
    const socket = connect(fake.endpoint);
    const heard: string[] = [];
    try {
      const peer = await accepted;
      await new Promise<void>((resolve) => {
        socket.on('data', () => heard.push('bytes'));
        afterAwake(1, () => {
          heard.push('timeout');
          resolve();
        });
        peer.send(Buffer.from('sent before the suspension'));
        suspend(100);
      });
      deepEqual(heard, ['bytes', 'timeout']);
    } finally {
      socket.destroy();
      await fake.close();
    }
  });
});
