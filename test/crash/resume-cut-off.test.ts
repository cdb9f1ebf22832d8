/** A `/resume` whose gateway is killed around the commit in which it takes effect: what became of it is told as it is. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { standInAgent, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';
import type { BundledGateway } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';
import { ORDERS, type Orders } from './inside/orders.ts';
import { bundledGateway } from './run.ts';

let built: BundledGateway;

beforeAll(async () => {
  built = await bundledGateway();
});

afterAll(() => built[Symbol.dispose]());

test.for([
  [
    'before',
    'The gateway went down before /resume was done: what it was for still waits here. Send /resume again.',
    'awaiting-resume',
  ],
  [
    'after',
    'The gateway went down just after /resume had taken up what waited here. It is answered all the same; nothing is to be sent again.',
    'started',
  ],
] as const)('killed %s it has taken effect', async ([when, told, phase]) => {
  const server = await StandInServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const folder = new TestFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  folder.fifo('one');
  const agent = `agent: { type: command, command: ["${standInAgent}"] }`;
  folder.writeConfig(testConfig(`${agent}\n${server.config}\naccess: { users: ["standin:ann"] }`));
  const live = async (die?: Orders['die']): Promise<TestGateway> => {
    const orders: Orders = { trace: `${folder.path}/trace`, ...(die === undefined ? {} : { die }) };
    const env = { [ORDERS]: JSON.stringify(orders) };
    const gateway = await TestGateway.start({ folder, entry: built.entry, env });
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    return gateway;
  };
  const first = await live();
  await server.deliver({ id: '1', from: 'ann', text: 'wait one' });
  await first.inFlight('turns', 1);
  await first.kill9();
  const second = await live({ point: `${when} commit hold`, hit: 1 });
  await server.reached(({ text }) => text.includes('Send /resume to have it answered'));
  void server.deliver({ id: '2', from: 'ann', text: '/resume' });
  expect(await second.exited).toMatchObject({ signal: 'SIGKILL' });
  const third = await live();
  await server.reached(({ text }) => text === told);
  if (phase === 'started') await third.turnsBegun(1);
  expect(storeRows(folder.home, 'SELECT phase, outcome FROM inbox ORDER BY seq')).toEqual([
    { phase, outcome: null },
    { phase: 'settled', outcome: 'interrupted' },
  ]);
  folder.letGo('one');
  await third.stop();
});
