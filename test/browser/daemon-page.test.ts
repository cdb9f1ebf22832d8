import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, type TestBrowser } from '../support/browser.ts';
import { freePort } from '../support/free-port.ts';
import { cleanEnvironment } from '../support/gateway.ts';
import { DESK, untilLive, untilText } from './inspector-page.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Daemon extends AsyncDisposable {
  readonly dir: string;
  readonly url: string;
}

/** A real gateway in a home of its own; its agent waits for a file where the message says "wait". */
async function startDaemon(): Promise<Daemon> {
  await using undo = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'sluice-daemon-page-'));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  // It stays the same over a restart, so that the page finds the gateway again.
  const port = await freePort();
  await writeFile(join(dir, 'agent.sh'), AGENT);
  await writeFile(join(dir, 'sluice.yaml'), configuration(port));
  const child = spawn(
    process.execPath,
    [
      process.env.SLUICE_TEST_ENTRY ?? join(ROOT, 'src/main.ts'),
      'run',
      '--home',
      dir,
      '--config',
      join(dir, 'sluice.yaml'),
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: cleanEnvironment({ SLUICE_SUPERVISOR: 'none' }),
    },
  );
  undo.defer(() => stop(child));
  await untilWelcomed(child);
  const token = (await readFile(join(dir, 'token'), 'utf8')).trim();
  const acquired = undo.move();
  const url = `http://127.0.0.1:${port}/?token=${token}`;
  return { dir, url, [Symbol.asyncDispose]: () => acquired.disposeAsync() };
}

const AGENT = `read -r message
case "$message" in wait*) printf 'thinking '; until [ -e go ]; do sleep 0.05; done;; esac
printf 'you said %s' "$message"
`;

const configuration = (port: number): string => `listen: { http: "127.0.0.1:${port}" }
agent: { type: command, command: "sh ./agent.sh" }
display: { busy_input_mode: queue }
quick_commands:
  gpu: { type: exec, command: "echo 12%" }
  g: { type: alias, target: "/gpu" }
`;

/** Its welcome ends with how to stop it. What it prints later is read, too, so that its pipe never fills. */
async function untilWelcomed(child: ChildProcess): Promise<void> {
  if (child.stdout === null) throw new Error('the daemon has no output');
  const lines = createInterface({ input: child.stdout });
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      if (/^ {2}stop /.test(line)) resolve();
    });
    child.once('exit', (code) => reject(new Error(`the daemon left with code ${code} before it was up`)));
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const left = once(child, 'exit');
  child.kill('SIGINT');
  await left;
}

const say = async (page: Page, text: string): Promise<void> => {
  await page.locator('#input').fill(text);
  await page.locator('#input').press('Enter');
};

const decisionOn = (page: Page, text: string) =>
  page.locator('.exchange', { has: page.getByText(text, { exact: true }) }).locator('.decision');

describe('the page of a running gateway', () => {
  let chromium: TestBrowser;
  beforeAll(async () => {
    expect(existsSync(join(ROOT, 'dist/inspector/page.js')), 'run `npm run build` first').toBe(true);
    chromium = await launchBrowser();
  });
  afterAll(() => chromium[Symbol.asyncDispose]());

  it('shows a restart from its request to the next epoch, and answers afterwards what it held', async () => {
    await using daemon = await startDaemon();
    const context = await chromium.browser.newContext(DESK);
    context.setDefaultTimeout(30_000);
    const page = await context.newPage();
    await page.goto(daemon.url);
    await untilLive(page);
    expect(new URL(page.url()).search).toBe('');
    expect(await page.locator('h1').innerText()).toBe('running.healthy');

    await say(page, 'wait for it');
    await untilText(page, '.growing .said', 'thinking');
    await untilText(page, '#work', 'turn · default');
    await page.locator('[data-state="running.healthy"] .ring[visibility="visible"]').waitFor();

    await say(page, '/restart');
    await untilText(page, 'h1', 'draining.waiting');
    await page.locator('.edge.lit', { hasText: 'stop · restart · drain' }).waitFor();
    await untilText(page, '#why', 'restart asked by local:owner');
    await page.locator('#countdown').waitFor();

    await say(page, '/gpu');
    await decisionOn(page, '/gpu').filter({ hasText: 'exec · ran' }).waitFor();
    await say(page, '/g');
    await decisionOn(page, '/g').filter({ hasText: 'alias · refused · draining.waiting' }).waitFor();
    await say(page, 'and this');
    await decisionOn(page, 'and this').filter({ hasText: 'turn · held · draining.waiting' }).waitFor();

    await writeFile(join(daemon.dir, 'go'), '');
    await decisionOn(page, 'wait for it').filter({ hasText: 'turn · answered' }).waitFor();
    await untilText(page, '#epoch', '2');
    await untilText(page, 'h1', 'running.healthy');
    await decisionOn(page, 'and this').filter({ hasText: 'turn · answered' }).waitFor();
    await untilText(page, '.replies .said', 'you said and this');
    await context.close();
  });
});
