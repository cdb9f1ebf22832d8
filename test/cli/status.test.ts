/** `sluice status` for a person: what a gateway that answers says of itself, in a few lines. */
import { expect, test } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { status } from '../../src/cli/status.ts';
import type { StatusReport } from '../../src/gateway/status-report.ts';
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
