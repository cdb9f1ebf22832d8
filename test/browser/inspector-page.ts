/**
 * The built inspector page before a stand-in gateway, in a real browser. Whatever a test does, the page must not
 * break its content policy nor throw: `openInspector` collects both, and its disposal fails when there are any.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { buildPage } from '../../scripts/build-page.ts';
import { launchBrowser } from '../support/browser.ts';
import { NOW_MS, StandInGateway } from '../support/stand-in-gateway.ts';

export const DESK = { viewport: { width: 1440, height: 900 } } as const;
export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true } as const;

/** Longer than anything here takes, also on a busy machine. */
const WAIT_MS = 30_000;

/** The browser and the built page, for all tests of a file. */
export interface Bench extends AsyncDisposable {
  readonly browser: Browser;
  readonly pageDir: string;
}

export async function createBench(): Promise<Bench> {
  await using undo = new AsyncDisposableStack();
  const pageDir = await mkdtemp(join(tmpdir(), 'sluice-page-'));
  undo.defer(() => rm(pageDir, { recursive: true, force: true }));
  const [{ browser }] = await Promise.all([launchBrowser().then((it) => undo.use(it)), buildPage(pageDir)]);
  const acquired = undo.move();
  return { browser, pageDir, [Symbol.asyncDispose]: () => acquired.disposeAsync() };
}

/** A gateway of its own and a page before it. */
export interface Inspector extends AsyncDisposable {
  readonly gateway: StandInGateway;
  readonly page: Page;
}

/** `prepare` sets what the gateway says before the page is opened, and may install a clock. */
export async function openInspector(
  { browser, pageDir }: Bench,
  options: BrowserContextOptions = DESK,
  prepare: (gateway: StandInGateway, page: Page) => void | Promise<void> = () => {},
): Promise<Inspector> {
  await using undo = new AsyncDisposableStack();
  const gateway = undo.use(new StandInGateway(pageDir));
  await gateway.listen();
  const context = await browser.newContext(options);
  undo.defer(() => context.close());
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  await page.exposeFunction('reportViolation', (what: string) => faults.push(what));
  await page.addInitScript(
    `document.addEventListener('securitypolicyviolation', (event) =>
      reportViolation(event.violatedDirective + ' ' + event.blockedURI))`,
  );
  await prepare(gateway, page);
  await page.goto(gateway.url);
  const acquired = undo.move();
  const close = async () => {
    await acquired.disposeAsync();
    if (faults.length > 0) throw new Error(`the page is at fault: ${faults.join('; ')}`);
  };
  return { gateway, page, [Symbol.asyncDispose]: close };
}

/** For a page on which it stays as late as on its gateway, until a test says otherwise; its timers run. */
export async function standStill(_gateway: StandInGateway, page: Page): Promise<void> {
  await page.clock.setFixedTime(NOW_MS);
}

/** Makes it so much later on a page that stands still, counted from where it stood at first. */
export const passed = (page: Page, ms: number): Promise<void> => page.clock.setFixedTime(NOW_MS + ms);

/** Waits until the page is connected and has drawn the first snapshot. */
export async function untilLive(page: Page): Promise<void> {
  await page.locator('body[data-link="live"]').waitFor();
  await page.locator('.node.active').first().waitFor({ state: 'attached' });
}

/** Waits until an element says exactly this. */
export async function untilText(page: Page, selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).first().waitFor();
}

/** What the drawing shows: the active states and the lit line. */
export async function drawn(page: Page): Promise<{ active: string[]; lit: string[]; past: string[] }> {
  const ids = (selector: string, name: string): Promise<string[]> =>
    page
      .locator(selector)
      .evaluateAll((elements, of) => elements.map((element) => element.getAttribute(of)), name);
  return {
    active: await ids('.node.active', 'data-state'),
    lit: await ids('.edge.lit', 'data-edge'),
    past: await ids('.edge.past', 'data-edge'),
  };
}
