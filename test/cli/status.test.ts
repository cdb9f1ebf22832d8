/** `sluice status` for a person: what a gateway says of itself, in a few lines, or its files where it does not answer. */
import { utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { status } from '../../src/cli/status.ts';
import { homePaths } from '../../src/config/paths.ts';
import { SluiceError } from '../../src/errors.ts';
import type { StatusReport } from '../../src/gateway/status-report.ts';
import { processIdentity } from '../../src/process/identity.ts';
import { TestFolder } from '../support/gateway.ts';
import { startCore } from '../support/gateway-core.ts';

type Platforms = StatusReport['platforms'];

/** What is printed of a gateway with these platforms. */
async function printed(platforms: Platforms): Promise<string[]> {
  const { gateway } = await startCore();
  const said: string[] = [];
  const json = { ...gateway.status, platforms };
  const context = {
    ...{ version: json.version, json: false },
    control: { request: async () => ({ status: 200, json }) },
    output: { print: (text: string) => said.push(text), columns: undefined },
  } as unknown as Context;
  expect(await status(context, {})).toBe(0);
  return said.flatMap((text) => text.split('\n')).filter((line) => line.startsWith('platform'));
}

test('each platform without a link is shown with since when, one that hangs at its first attempt, too', async () => {
  const lastEventAt = Date.now() - 90_000;
  const lines = await printed([
    { name: 'local', state: 'connecting', reason: null, lastEventAt },
    { name: 'well', state: 'connected', reason: null, lastEventAt },
    { name: 'hangs', state: 'connecting', reason: null, lastEventAt },
    { name: 'lost', state: 'backing-off', reason: 'the line was cut', lastEventAt },
  ]);
  expect(lines).toEqual([
    expect.stringMatching(/^platform hangs is connecting, 9\d s$/),
    expect.stringMatching(/^platform lost is backing-off, 9\d s: the line was cut$/),
  ]);
});

describe('a gateway that lives and does not answer', () => {
  /** What is told of one in this state, with a heartbeat so long ago. */
  async function told(state: string, heartbeatAgeS: number) {
    using folder = new TestFolder();
    const paths = homePaths(folder.path, {});
    const owner = { ...processIdentity(), epoch: 3, argv: [], config: null, socket: paths.socket };
    writeFileSync(paths.pid, JSON.stringify(owner));
    writeFileSync(paths.status, JSON.stringify({ ...owner, state }));
    const beatAt = Date.now() / 1000 - heartbeatAgeS;
    utimesSync(paths.status, beatAt, beatAt);
    const said = { printed: '', noted: '' };
    const context = {
      ...{ paths, json: false },
      control: { request: async () => Promise.reject(new SluiceError('NO_GATEWAY', 'nobody is there')) },
      output: {
        print: (text: string) => (said.printed += text),
        note: (text: string) => (said.noted += text),
        columns: undefined,
      },
    } as unknown as Context;
    expect(await status(context, {})).toBe(1);
    return said;
  }

  test('because it is leaving is said to leave, and not to be killed', async () => {
    expect(await told('stopped.closing', 0)).toEqual({
      printed: `leaving: pid ${process.pid}, epoch 3, last state stopped.closing`,
      noted: 'It answers nothing more, and is gone within seconds.',
    });
  });

  test.each([
    ['running.healthy', 0],
    ['stopped.closing', 30],
  ])('in %s since %d s is to be killed if it does not come back', async (state, ageS) => {
    const { printed, noted } = await told(state, ageS);
    expect(printed).toBe(`not answering for ${ageS} s: pid ${process.pid}, epoch 3, last state ${state}`);
    expect(noted).toContain(`kill -9 ${process.pid}`);
  });
});
