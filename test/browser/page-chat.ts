/** The chat: what is sent, decided, answered, held and sent again. */
import { describe, expect, it } from 'vitest';
import { drainingStatus, type Reply, statusOf } from '../support/stand-in-gateway.ts';
import { type Bench, DESK, openInspector, untilLive, untilText } from './inspector-page.ts';

const admission = (kind: string, decided: string, more: Readonly<Record<string, unknown>> = {}) => ({
  messageId: 'm_1',
  kind,
  admission: decided,
  reason: null,
  text: null,
  duplicate: false,
  recorded: true,
  ...more,
});

const settled = (outcome: string, ...replies: string[]) => ({
  outcome,
  outcomeReason: null,
  replies,
  recorded: true,
  exitCode: null,
});

const REFUSAL = 'Not taken: the gateway is restarting.';
const KEPT = 'Kept: it is answered as soon as the gateway takes turns again.';

export function pageChatTests(bench: () => Bench): void {
  describe('the chat of the page', () => {
    it('sends by keyboard alone, and shows what was decided and what came of it', async () => {
      await using inspector = await openInspector(bench());
      const { gateway, page } = inspector;
      gateway.onMessage = (_posted, reply) => {
        reply.event('admission', admission('exec', 'dispatch'));
        reply.event('reply', { text: 'GPU  util\n0     12%' });
        reply.event('settled', settled('ran', 'GPU  util\n0     12%'));
        reply.end();
      };
      await untilLive(page);
      await page.keyboard.press('/');
      await page.keyboard.type('/gpu');
      await page.keyboard.press('Enter');
      await untilText(page, '.decision', /^exec · ran in \d+/);
      expect(await page.locator('.decision .glyph.dispatch').count()).toBe(1);
      expect(await page.locator('pre.said').innerText()).toBe('GPU  util\n0     12%');
      expect(await page.locator('.replies .who b').innerText()).toBe('gpu');
      expect(gateway.posted).toMatchObject([{ text: '/gpu', conversation: 'local:you' }]);
      expect(await page.locator('#input').inputValue()).toBe('');
    });

    it('shows a refusal as a cross with words, and its reasons on demand', async () => {
      await using inspector = await openInspector(bench(), DESK, (gateway) => {
        gateway.status = drainingStatus(34_000);
      });
      const { gateway, page } = inspector;
      gateway.onMessage = (_posted, reply) => {
        reply.event('admission', admission('turn', 'refuse', { reason: 'state', text: REFUSAL }));
        reply.event('settled', settled('refused', REFUSAL));
        reply.end();
      };
      await untilLive(page);
      expect(await page.locator('#hint').innerText()).toBe('A message now is refused. Commands run.');
      await page.locator('#input').fill('and also check the learning rate');
      await page.locator('#input').press('Enter');
      const decision = page.getByRole('button', { name: 'turn · refused · draining.waiting' });
      await decision.waitFor();
      expect(await decision.locator('.glyph.refuse').count()).toBe(1);
      expect(await page.locator('.because').isVisible()).toBe(false);
      await decision.press('Enter');
      expect(await page.locator('.because').innerText()).toMatch(/state\s+draining\.waiting\s+rule\s+state/);
      expect(await page.locator('.replies .who b').allInnerTexts()).toEqual(['sluice']);
      expect(await page.locator('.replies .said').allInnerTexts()).toEqual([REFUSAL]);
    });

    it('lets a reply grow, and puts the finished one in its place', async () => {
      await using inspector = await openInspector(bench());
      const { gateway, page } = inspector;
      const asked = Promise.withResolvers<Reply>();
      gateway.onMessage = (_posted, reply) => asked.resolve(reply);
      await untilLive(page);
      await page.locator('#input').fill('hello');
      await page.locator('#input').press('Enter');
      await untilText(page, '.decision', 'sending');
      const reply = await asked.promise;
      reply.event('admission', admission('turn', 'dispatch'));
      reply.event('delta', { text: 'Good ' });
      reply.event('delta', { text: 'morn' });
      await untilText(page, '.growing .streaming', 'Good morn');
      reply.event('reply', { text: 'Good morning.' });
      reply.event('settled', settled('answered', 'Good morning.'));
      reply.end();
      await untilText(page, '.replies .said', 'Good morning.');
      expect(await page.locator('.streaming').count()).toBe(0);
      await untilText(page, '.decision', /^turn · answered in/);
    });

    it('keeps a held message, and posts it again with the same id when the gateway is back', async () => {
      await using inspector = await openInspector(bench(), DESK, (gateway) => {
        gateway.status = drainingStatus(34_000);
      });
      const { gateway, page } = inspector;
      gateway.onMessage = (_posted, reply) => {
        reply.event('admission', admission('turn', 'hold', { text: KEPT }));
      };
      await untilLive(page);
      await page.locator('#input').fill('deploy notes');
      await page.locator('#input').press('Enter');
      await untilText(page, '.decision', 'turn · held · draining.waiting');
      expect(await page.locator('.decision .glyph.hold').count()).toBe(1);

      await gateway.vanish();
      await page.locator('body[data-link="lost"]').waitFor();
      gateway.onMessage = (_posted, reply) => {
        reply.event('admission', admission('turn', 'hold', { text: KEPT }));
        reply.event('settled', settled('answered', KEPT, 'Here are the notes.'));
        reply.end();
      };
      gateway.status = statusOf({ epoch: 43 });
      await gateway.listen();
      await untilText(page, '.decision', /^turn · answered in/);
      expect(await page.locator('.replies .said').allInnerTexts()).toEqual([KEPT, 'Here are the notes.']);
      const ids = gateway.posted.map(({ id }) => id);
      expect(ids).toHaveLength(2);
      expect(new Set(ids).size).toBe(1);
    });

    it('says what to do about a message that the gateway did not take at all', async () => {
      await using inspector = await openInspector(bench());
      const { gateway, page } = inspector;
      gateway.onMessage = (_posted, reply) => {
        reply.fail(503, {
          code: 'STORE_UNAVAILABLE',
          message: 'The disk is full.',
          hint: 'Free disk space.',
        });
      };
      await untilLive(page);
      await page.locator('#input').fill('hello');
      await page.locator('#input').press('Enter');
      await untilText(page, '.decision', 'not taken · STORE_UNAVAILABLE');
      expect(await page.locator('.replies .said').innerText()).toBe('The disk is full. Free disk space.');
    });

    it('runs a command although more turns are open than a browser has connections', async () => {
      await using inspector = await openInspector(bench());
      const { gateway, page } = inspector;
      gateway.onMessage = ({ text }, reply) => {
        if (text !== '/gpu') return reply.event('admission', admission('turn', 'dispatch'));
        reply.event('admission', admission('exec', 'dispatch'));
        reply.event('settled', settled('ran'));
        reply.end();
      };
      await untilLive(page);
      for (let count = 1; count <= 8; count += 1) {
        await page.locator('#input').fill(`question ${count}`);
        await page.locator('#input').press('Enter');
        await page
          .locator('.decision', { hasText: 'turn · dispatched' })
          .nth(count - 1)
          .waitFor();
      }
      await page.locator('#input').fill('/gpu');
      await page.locator('#input').press('Enter');
      await untilText(page, '.decision', /^exec · ran in/);
    });

    it('shows what it is told as text, never as markup', async () => {
      await using inspector = await openInspector(bench());
      const { gateway, page } = inspector;
      gateway.onMessage = (_posted, reply) => {
        reply.event('admission', admission('turn', 'dispatch'));
        reply.event('settled', settled('answered', '<b id="planted">bold</b>'));
        reply.end();
      };
      await untilLive(page);
      await page.locator('#input').fill('<i id="own">hello</i>');
      await page.locator('#input').press('Enter');
      await untilText(page, '.replies .said', '<b id="planted">bold</b>');
      expect(await page.locator('#planted, #own').count()).toBe(0);
    });
  });
}
