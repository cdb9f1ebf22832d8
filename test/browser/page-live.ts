/** Header, chart, Now column, and what a page does whose gateway goes away. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SceneFile } from '../../visualizations/scene.ts';
import { polled } from '../support/polling.ts';
import { drainingStatus, NOW_MS, statusOf } from '../support/stand-in-gateway.ts';
import {
  type Bench,
  DESK,
  drawn,
  openInspector,
  passed,
  standStill,
  untilLive,
  untilText,
} from './inspector-page.ts';

const scene = JSON.parse(
  readFileSync(new URL('../../visualizations/generated/gateway.scene.json', import.meta.url), 'utf8'),
) as SceneFile;

const lineOf = (transition: string): string => {
  const line = scene.edges.find(({ transitions }) => transitions.includes(transition));
  if (line === undefined) throw new Error(`no line stands for ${transition}`);
  return line.id;
};

const DRAIN = 'running|stop.requested|1';
const DEADLINE = 'draining.waiting|drain.deadline|0';

export function pageLiveTests(bench: () => Bench): void {
  describe('the header of the page', () => {
    it('names the state, why it is there, and the process', async () => {
      await using inspector = await openInspector(bench(), DESK, async (gateway, page) => {
        gateway.status = drainingStatus(34_000);
        await standStill(gateway, page);
      });
      const { page } = inspector;
      await untilLive(page);
      expect(await page.locator('h1').innerText()).toBe('draining.waiting');
      expect(await page.locator('#why').innerText()).toBe('restart asked by telegram:12345');
      expect(await page.locator('#countdown').innerText()).toMatch(/^34 s\s+until turns are interrupted$/);
      expect(await page.locator('.facts').innerText()).toMatch(/pid\s+48211\s+epoch\s+42\s+up\s+3 d 4 h/);
      expect(await page.title()).toBe('draining.waiting · sluice');
    });

    it('announces the countdown at 30, 10 and 5 seconds only', async () => {
      await using inspector = await openInspector(bench(), DESK, async (gateway, page) => {
        // Nothing but the page's own time passes, and that only when it is told to.
        await page.clock.install({ time: NOW_MS - 3_600_000 });
        await page.clock.pauseAt(NOW_MS);
        gateway.status = drainingStatus(60_000);
      });
      const { page } = inspector;
      await polled(async () => {
        await page.clock.runFor(100);
        return (await page.locator('#countdown-left').innerText()) !== '';
      }, 'the countdown');
      const said: string[] = [];
      await page.exposeFunction('heard', (text: string) => said.push(text));
      await page.evaluate(
        `new MutationObserver(([{ target }]) => heard(target.textContent))
        .observe(document.getElementById('announcements'), { childList: true })`,
      );
      await page.clock.runFor(58_000);
      expect(said).toEqual([
        '30 seconds until turns are interrupted',
        '10 seconds until turns are interrupted',
        '5 seconds until turns are interrupted',
      ]);
    });

    it('says to a browser without access what to do, and nothing else', async () => {
      await using inspector = await openInspector(bench(), DESK, (gateway) => {
        gateway.isKnown = false;
      });
      const { page } = inspector;
      await untilText(page, '#why', 'Open the address that the gateway printed at its start.');
      expect(await page.locator('#link').innerText()).toBe('no access');
    });

    it('keeps the chosen theme over a reload', async () => {
      await using inspector = await openInspector(bench(), { ...DESK, colorScheme: 'light' });
      const { page } = inspector;
      await untilLive(page);
      const surface = () =>
        page.evaluate<string>(`getComputedStyle(document.querySelector('header')).backgroundColor`);
      expect(await surface()).toBe('rgb(255, 255, 255)');
      await page.getByRole('button', { name: 'Switch between light and dark' }).click();
      expect(await surface()).toBe('rgb(18, 21, 24)');
      await page.reload();
      await untilLive(page);
      expect(await surface()).toBe('rgb(18, 21, 24)');
    });
  });

  describe('the chart of the page', () => {
    it('marks the active state with its phase, and lights exactly the line just taken', async () => {
      await using inspector = await openInspector(bench(), DESK, standStill);
      const { gateway, page } = inspector;
      await untilLive(page);
      expect(await drawn(page)).toEqual({ active: ['running', 'running.healthy'], lit: [], past: [] });

      gateway.edge(DRAIN);
      gateway.snapshot(drainingStatus(34_000));
      await page.locator('[data-state="draining.waiting"].active').waitFor();
      expect(await drawn(page)).toEqual({
        active: ['draining', 'draining.waiting'],
        lit: [lineOf(DRAIN)],
        past: [lineOf(DRAIN)],
      });
      await untilText(page, '.note.live', '2 turns · 34 s');

      gateway.edge(DEADLINE);
      gateway.snapshot(drainingStatus(5000, { state: 'draining.interrupting' }));
      await page.locator('[data-state="draining.interrupting"].active').waitFor();
      const after = await drawn(page);
      expect(after.lit).toEqual([lineOf(DEADLINE)]);
      expect(new Set(after.past)).toEqual(new Set([lineOf(DRAIN), lineOf(DEADLINE)]));
      await untilText(page, '#line', 'drain.deadline [armed] → draining.interrupting');
    });

    it('lets the line that led to a healthy gateway go out after a moment', async () => {
      await using inspector = await openInspector(bench(), DESK, standStill);
      const { gateway, page } = inspector;
      await untilLive(page);
      gateway.edge('starting|started|1');
      const line = lineOf('starting|started|1');
      await page.locator(`[data-edge="${line}"].lit`).waitFor();
      await passed(page, 2500);
      await page.locator(`[data-edge="${line}"].past:not(.lit)`).waitFor();
      expect((await drawn(page)).lit).toEqual([]);
    });

    it('rings the glyph of a decided message and leaves the lines alone', async () => {
      await using inspector = await openInspector(bench(), DESK, (gateway) => {
        gateway.status = drainingStatus(34_000);
      });
      const { gateway, page } = inspector;
      await untilLive(page);
      gateway.inspect('event', { event: { type: 'message.turn', whenBusy: 'queue' }, admission: 'hold' });
      gateway.edge('draining|message.turn|0');
      await page.locator('[data-state="draining"] .hold .ring[visibility="visible"]').waitFor();
      expect(await page.locator('.ring[visibility="visible"]').count()).toBe(1);
      expect((await drawn(page)).lit).toEqual([]);
      await untilText(page, '#line', 'message.turn [keepsQueue] stays in draining');
    });

    it('explains a line under the pointer, and goes back to the last transition', async () => {
      await using inspector = await openInspector(bench());
      const { gateway, page } = inspector;
      await untilLive(page);
      gateway.edge('starting|started|1');
      await untilText(page, '#line', 'started → running.healthy');
      await page.locator(`[data-edge="${lineOf(DEADLINE)}"] text`).hover();
      await untilText(page, '#line', 'draining.waiting drain.deadline [armed] → draining.interrupting');
      await page.locator('h1').hover();
      await untilText(page, '#line', 'started → running.healthy');
    });

    it('counts what it cannot show above ten transitions a second, and what it was not sent', async () => {
      await using inspector = await openInspector(bench(), DESK, standStill);
      const { gateway, page } = inspector;
      await untilLive(page);
      for (let count = 0; count < 38; count += 1) gateway.edge('running.healthy|message.turn|0');
      await untilText(page, '#line .rest', '+37');
      expect(await page.locator('body').getAttribute('data-rate')).toBe('calm');
      await passed(page, 2000);
      await page.locator('body[data-rate="each"]').waitFor();

      gateway.inspect('dropped', { count: 200 });
      gateway.inspect('dropped', { count: 14 });
      await untilText(page, '#line .rest', '214 events not shown');
    });
  });

  describe('the Now column of the page', () => {
    it('puts the row of the state in words, and shows what is in flight with what ends it', async () => {
      await using inspector = await openInspector(bench(), DESK, (gateway) => {
        gateway.status = drainingStatus(34_000);
      });
      const { page } = inspector;
      await untilLive(page);
      const row = page.locator('.admission [aria-current="true"]');
      expect(await row.locator('th').innerText()).toBe('draining');
      expect(await row.locator('small').allInnerTexts()).toEqual([
        'dispatch',
        'dispatch',
        'refuse',
        'refuse',
        'hold',
      ]);
      expect(await page.locator('.work').first().innerText()).toMatch(
        /t_7f3 turn · default\s+2 m \d\d s\s+local:you\s+ends by \d\d:\d\d:\d\d/,
      );
      expect(await page.locator('#stages').innerText()).toMatch(/drain 60\s*kill 5\s*exit 10\s*spare 15/);
      expect(await page.locator('#held').innerText()).toBe('1 message waits for the restart.');
    });

    it('says what a restart would meet: nothing in flight, and a supervisor that kills too early', async () => {
      await using inspector = await openInspector(bench());
      const { gateway, page } = inspector;
      await untilLive(page);
      expect(await page.locator('#work').innerText()).toBe(
        'Nothing in flight. A restart now would be instant.',
      );
      expect(await page.locator('.spare').innerText()).toBe('spare 15');
      const deadlines = { drainMs: 60_000, killMs: 5000, exitMs: 10_000, supervisorMs: 30_000 };
      gateway.snapshot(statusOf({ deadlines }));
      await untilText(page, '.short', 'short 45');
    });
  });

  describe('a page whose gateway goes away', () => {
    it('keeps its picture and the text in the input, says since when, and takes up the next epoch', async () => {
      await using inspector = await openInspector(bench(), DESK, (gateway) => {
        gateway.status = drainingStatus(34_000);
      });
      const { gateway, page } = inspector;
      await untilLive(page);
      gateway.edge(DRAIN);
      await page.locator('.edge.lit').waitFor();
      await page.locator('#input').fill('half a thought');
      await gateway.vanish();

      await untilText(page, '#link', /^not connected for \d+ s, retrying$/);
      await untilText(page, '#why', /as of \d\d:\d\d:\d\d$/);
      expect(await page.locator('h1').innerText()).toBe('draining.waiting');
      expect((await drawn(page)).lit).toEqual([lineOf(DRAIN)]);
      await page.locator('#input').press('Enter');
      expect(await page.locator('#input').inputValue()).toBe('half a thought');
      expect(await page.locator('#hint').innerText()).toBe('Not connected. What you write stays here.');

      gateway.status = statusOf({ epoch: 43 });
      await gateway.listen();
      await untilText(page, '#epoch', '43');
      expect(await drawn(page)).toEqual({ active: ['running', 'running.healthy'], lit: [], past: [] });
      expect(await page.locator('#link').innerText()).toBe('live');
      expect(await page.locator('#input').inputValue()).toBe('half a thought');
    });

    it('stops its countdown while it is not connected', async () => {
      await using inspector = await openInspector(bench(), DESK, async (gateway, page) => {
        gateway.status = drainingStatus(34_000);
        await standStill(gateway, page);
      });
      const { gateway, page } = inspector;
      await untilLive(page);
      await gateway.vanish();
      await untilText(page, '#link', 'not connected for');
      await passed(page, 12_000);
      await untilText(page, '#link', 'not connected for 12 s, retrying');
      expect(await page.locator('#countdown-left').innerText()).toBe('34 s');
    });

    it('shows the exit code and its meaning when the gateway said that it leaves', async () => {
      await using inspector = await openInspector(bench(), DESK, (gateway) => {
        gateway.status = drainingStatus(34_000);
      });
      const { gateway, page } = inspector;
      await untilLive(page);
      gateway.edge('restarting.closing|intake.closed|0');
      gateway.inspect('gone', { code: 75, meaning: 'the supervisor starts it again', reexecute: false });
      await untilText(page, '#why', 'left with code 75: the supervisor starts it again');
      await gateway.vanish();
      await untilText(page, '#link', 'not connected for');
      expect(await page.locator('h1').innerText()).toBe('exited');
      expect(await page.locator('#countdown').isVisible()).toBe(false);
      expect(await drawn(page)).toMatchObject({
        active: ['exited'],
        lit: [lineOf('restarting.closing|intake.closed|0')],
      });
    });
  });
}
