/** The page without sight, without a pointer, without motion, and on a phone. */
import { readFileSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { SceneFile } from '../../visualizations/scene.ts';
import { drainingStatus } from '../support/stand-in-gateway.ts';
import {
  type Bench,
  DESK,
  type Inspector,
  openInspector,
  PHONE,
  passed,
  standStill,
  untilLive,
  untilText,
} from './inspector-page.ts';

/** A page with something in every part: a drain, a lit line, a refused message with its reasons open. */
async function openBusyPage(bench: Bench, options: Parameters<typeof openInspector>[1]): Promise<Inspector> {
  const inspector = await openInspector(bench, options, async (gateway, page) => {
    // What is judged is a picture, and not what becomes of it while it is looked at.
    await standStill(gateway, page);
    gateway.status = drainingStatus(34_000, { warnings: ['The last good configuration is used.'] });
    gateway.onMessage = (_posted, reply) => {
      reply.event('admission', {
        messageId: 'm_1',
        kind: 'turn',
        admission: 'refuse',
        reason: 'state',
        text: 'Not taken: the gateway is restarting.',
        duplicate: false,
        recorded: true,
      });
      reply.event('settled', {
        outcome: 'refused',
        outcomeReason: null,
        replies: [],
        recorded: true,
        exitCode: null,
      });
      reply.end();
    };
  });
  const { gateway, page } = inspector;
  await untilLive(page);
  gateway.edge('running|stop.requested|1');
  await page.locator('.edge.lit').first().waitFor({ state: 'attached' });
  await page.locator('#input').fill('and also check the learning rate');
  await page.locator('#input').press('Enter');
  await page.getByRole('button', { name: 'turn · refused' }).click();
  return inspector;
}

/**
 * Rule, and the markup it found fault with; in one part of the page, or in all of it. Light and dark differ in their
 * colours alone, and only light is asked about the rest.
 */
async function findings(page: Page, part = 'html', scheme: 'light' | 'dark' = 'light'): Promise<string[]> {
  const axe = new AxeBuilder({ page }).include(part);
  if (scheme === 'dark') axe.withRules(['color-contrast']);
  const { violations } = await axe.analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

export function pageAccessTests(bench: () => Bench): void {
  describe('the page for people who do not see it, or use no pointer', () => {
    it.each(['light', 'dark'] as const)('has no finding of axe on a desk in %s', async (colorScheme) => {
      await using inspector = await openBusyPage(bench(), { ...DESK, colorScheme, reducedMotion: 'reduce' });
      const { page } = inspector;
      expect(await findings(page, 'html', colorScheme)).toEqual([]);
      await page.getByRole('button', { name: 'Table' }).click();
      expect(await findings(page, '#chart', colorScheme)).toEqual([]);
    });

    it.each(['light', 'dark'] as const)(
      'has no finding of axe in any view of a phone in %s',
      async (colorScheme) => {
        await using inspector = await openBusyPage(bench(), {
          ...PHONE,
          colorScheme,
          reducedMotion: 'reduce',
        });
        const { page } = inspector;
        expect(await findings(page, 'html', colorScheme)).toEqual([]);
        for (const [view, part] of [
          ['Chart', '#chart'],
          ['Work', '#now'],
        ] as const) {
          await page.getByRole('tab', { name: view }).click();
          expect(await findings(page, part, colorScheme), view).toEqual([]);
        }
        // The whole time of the drain is used.
        await passed(page, 34_000);
        await untilText(page, '#countdown-left', /^0 s$/);
        expect(await findings(page, '#now', colorScheme)).toEqual([]);
      },
    );

    it('walks the chart by keyboard: states with arrows, their transitions with Enter', async () => {
      await using inspector = await openBusyPage(bench(), DESK);
      const { page } = inspector;
      await page.keyboard.press('Escape');
      await page.keyboard.press('g');
      const focused = () => page.evaluate<string>(`document.activeElement.getAttribute('aria-label')`);
      expect(await focused()).toBe(
        'draining.waiting, active, admits control dispatch, exec dispatch, alias refuse, turn refuse, queue hold',
      );
      await page.keyboard.press('ArrowRight');
      expect(await focused()).toMatch(/^draining\.interrupting, admits/);
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('ArrowUp');
      expect(await focused()).toMatch(/^running\.healthy, admits/);
      await page.keyboard.press('Enter');
      expect(await page.locator('[data-state="running.healthy"]').getAttribute('aria-pressed')).toBe('true');
      await page.keyboard.press('Enter');
      expect(await focused()).toBe('raised: degraded.raised, from running.healthy to running.degraded');
      await untilText(page, '#line', 'degraded.raised → running.degraded');
      await page.keyboard.press('Escape');
      expect(await focused()).toMatch(/^running\.healthy/);
      await page.keyboard.press('Escape');
      expect(await page.locator('[aria-pressed="true"]').count()).toBe(0);
    });

    it('takes no letter for a command while a person writes', async () => {
      await using inspector = await openInspector(bench());
      const { page } = inspector;
      await untilLive(page);
      await page.keyboard.press('/');
      await page.keyboard.type('get it? /t');
      expect(await page.locator('#input').inputValue()).toBe('get it? /t');
      expect(await page.locator('html').getAttribute('data-theme')).toBeNull();
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      expect(await page.getByRole('dialog', { name: 'Keys' }).isVisible()).toBe(true);
      expect(await findings(page, '#keys')).toEqual([]);
      await page.keyboard.press('Escape');
      expect(await page.getByRole('dialog').count()).toBe(0);
    });

    it('has every transition of the machine in a table, the last one marked', async () => {
      await using inspector = await openBusyPage(bench(), DESK);
      const { page } = inspector;
      const scene = JSON.parse(
        readFileSync(new URL('../../visualizations/generated/gateway.scene.json', import.meta.url), 'utf8'),
      ) as SceneFile;
      expect(await page.locator('#transitions tbody tr').count()).toBe(scene.transitions.length);
      const last = await page.locator('#transitions [aria-current="true"] td').allInnerTexts();
      expect(last.slice(0, 4)).toEqual(['running', 'stop.requested', '', 'draining.waiting']);
    });

    it('moves nothing where a person asked for no motion', async () => {
      await using inspector = await openInspector(bench(), { ...DESK, reducedMotion: 'reduce' });
      const { page } = inspector;
      await untilLive(page);
      const moving = await page.evaluate<string[]>(
        `[...document.querySelectorAll('*')].filter((element) => {
        const { transitionDuration, animationName } = getComputedStyle(element);
        return transitionDuration !== '0s' || animationName !== 'none';
      }).map((element) => element.outerHTML)`,
      );
      expect(moving).toEqual([]);
    });

    it('fits a phone: one part at a time, the own chart, a tap explains a line', async () => {
      await using inspector = await openBusyPage(bench(), PHONE);
      const { page } = inspector;
      expect(await page.locator('#chart').isVisible()).toBe(false);
      expect(await page.locator('#admits li').allInnerTexts()).toEqual([
        'control',
        'exec',
        'alias',
        'turn',
        'queue',
      ]);
      await page.getByRole('tab', { name: 'Chart' }).click();
      expect(await page.locator('#chat').isVisible()).toBe(false);
      expect(await page.locator('#canvas svg.narrow').isVisible()).toBe(true);
      await page.locator('.edge', { hasText: 'hurry' }).first().locator('text').tap();
      await untilText(page, '#line', 'stop.requested [hurried] → draining.interrupting');
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      expect(overflow).toBeLessThanOrEqual(0);
    });
  });
}
