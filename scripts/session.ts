/**
 * The session in the README, really run: start, message, exec, a long turn, a restart during it, an exec command
 * and a refused turn while it drains, the finished reply, the new epoch. `npm run docs:session` writes it and a
 * picture of the page in that moment; `--check` runs it again and compares, times, ids and ports masked.
 *
 * The gateway runs as `npm start` runs it, by its very arguments, on a terminal, in a folder that is laid out as a
 * checkout. Of what a person there sees only the lines of npm and of the log are left out, and the token.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const MAIN = join(root, 'dist/main.js');
const README = join(root, 'README.md');
const PICTURE = join(root, 'docs/images/draining.png');
const [BEGIN, END] = ['<!-- session: written by npm run docs:session -->', '<!-- end of session -->'];

/** How long any step may take. */
const STEP_MS_MAX = 30_000;

/** The long turn: long enough for everything that happens during it. */
const LONG_TURN = 'wait 6';

interface Run {
  readonly output: () => string;
  readonly exited: Promise<number | null>;
  /** Resolves once the output holds the text. */
  shows(text: string): Promise<void>;
}

/** A command of ours in this folder, as it is in a pipe. */
const run = (folder: string, args: readonly string[]) => spawned(folder, [process.execPath, MAIN, ...args]);

/** The gateway on a terminal of its own; whoever made that dies with it. */
function runOnTerminal(folder: string, args: readonly string[]) {
  const words = [process.execPath, MAIN, ...args];
  const line = words.map((word) => `'${word}'`).join(' ');
  const script =
    process.platform === 'darwin' ? ['-q', '/dev/null', ...words] : ['-qec', `exec ${line}`, '/dev/null'];
  return spawned(folder, ['script', ...script]);
}

function spawned(folder: string, [program = '', ...args]: readonly string[]): Run & { child: ChildProcess } {
  const child = spawn(program, args, {
    cwd: folder,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const look of waiting) look();
    });
  }
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    child,
    exited,
    output: () => output,
    shows: (text) =>
      new Promise((resolve, reject) => {
        const limit = setTimeout(() => reject(new Error(`"${text}" did not come:\n${output}`)), STEP_MS_MAX);
        const look = () => {
          if (!output.includes(text)) return;
          clearTimeout(limit);
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

/** What a terminal was sent, without the lines of the log, each of which begins with its time. */
const withoutLog = (shown: string): string =>
  shown.replaceAll('\r\n', '\n').replace(/^\[\d\d:\d\d:\d\d\.\d+\] .*\n/gm, '');

/** What follows the bundle in `npm start`. */
function startArguments(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  const [, args] = scripts.start.split('node dist/main.js ');
  if (args === undefined) throw new Error(`npm start runs something else: ${scripts.start}`);
  return args.split(' ');
}

const environment = (): NodeJS.ProcessEnv => {
  const { SLUICE_HOME: _home, SLUICE_CONFIG: _config, ...env } = process.env;
  return { ...env, NO_COLOR: '1' };
};

/** Runs the session; gives the transcript, as a person would see it in two terminals. */
async function session(picture: string | undefined): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-session-'));
  const config = readFileSync(join(root, 'config/quickstart.yaml'), 'utf8').replace(
    '127.0.0.1:7171',
    '127.0.0.1:0',
  );
  mkdirSync(join(folder, 'config'));
  writeFileSync(join(folder, 'config/quickstart.yaml'), config);
  copyFileSync(join(root, 'config/quickstart-agent.mjs'), join(folder, 'config/quickstart-agent.mjs'));
  const gateway = runOnTerminal(folder, startArguments());
  try {
    await gateway.shows('(a second one hurries)');
    return await story(folder, withoutLog(gateway.output()), picture);
  } finally {
    // Its terminal goes with it, which ends a gateway that is still there.
    gateway.child.kill('SIGKILL');
    await gateway.exited;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function story(folder: string, banner: string, picture: string | undefined): Promise<string> {
  const lines = ['$ npm start    # what npm and the log say is left out', banner.trimEnd(), ''];
  const sluice = (...args: readonly string[]) => run(folder, [...args, '--home', './.sluice']);
  const shown = (args: readonly string[]) => `$ npx sluice ${args.map(quoted).join(' ')} --home ./.sluice`;
  const step = async (...args: readonly string[]) => {
    const started = sluice(...args);
    const code = await started.exited;
    lines.push(shown(args), started.output().trimEnd(), ...(code === 0 ? [] : [`(exit ${code})`]), '');
  };
  await step('send', 'hello');
  await step('exec', 'hello', 'Ada');
  await using page = picture === undefined ? undefined : await openPage(folder);
  await page?.say('hello');
  const long = sluice('send', LONG_TURN);
  await long.shows('The demo agent works');
  const restart = sluice('restart');
  await restart.shows('waits for');
  lines.push(`${shown(['send', LONG_TURN])}    # in one terminal: a turn that takes its time`, '');
  lines.push(`${shown(['restart'])}          # in another, meanwhile`, restart.output().trimEnd(), '');
  await step('exec', 'hello', 'Grace');
  await step('send', 'and another question');
  if (page !== undefined && picture !== undefined) {
    await page.say('/hello Grace');
    await page.say('and another question');
    await page.take(picture);
  }
  await Promise.all([long.exited, restart.exited]);
  // Its progress may have told of /hello as well, when it looked in the middle of it.
  const ended = /^Restarted:.*/m.exec(restart.output())?.[0] ?? restart.output();
  lines.push(
    '                                    # the turn was not cut: its whole answer is in the first terminal',
  );
  lines.push(
    long.output().trimEnd(),
    '',
    '                                    # and only now `sluice restart` returns',
  );
  lines.push(ended, '');
  await step('send', 'who are you');
  await step('stop');
  return lines.join('\n').trimEnd();
}

/** The page in a browser, with a person at it. */
async function openPage(folder: string) {
  const { launchBrowser } = await import('../test/support/browser.ts');
  const status = run(folder, ['status', '--json', '--home', './.sluice']);
  await status.exited;
  const { http } = JSON.parse(status.output());
  const token = readFileSync(join(folder, '.sluice/token'), 'utf8').trim();
  const { browser, [Symbol.asyncDispose]: dispose } = await launchBrowser();
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark' });
  await page.goto(`${http}/?token=${token}`);
  let said = 0;
  return {
    /** Sends a message and waits until its outcome is shown. */
    async say(text: string) {
      await page.getByRole('textbox').fill(text);
      await page.keyboard.press('Enter');
      said += 1;
      await page
        .locator('.decision', { hasText: /answered|ran|refused/ })
        .nth(said - 1)
        .waitFor();
    },
    async take(path: string) {
      await page.getByRole('heading', { name: 'draining.waiting' }).waitFor();
      await page.screenshot({ path });
    },
    [Symbol.asyncDispose]: dispose,
  };
}

const quoted = (word: string): string => (/^[\w./-]+$/.test(word) ? word : `"${word}"`);

/** What differs from run to run: pids, ids, seconds. */
const masked = (text: string): string =>
  text
    .replace(/\b([mtco]_)[a-z0-9]+/g, '$1…')
    .replace(/pid \d+/g, 'pid …')
    .replace(/\b\d+ s (left|at most)/g, '… s $1')
    .replace(/in about \d+ s/g, 'in about … s');

/** The session as it stands in the README: at the port of `npm start`, and without the token. */
const presented = (text: string): string =>
  text.replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:7171').replace(/\?token=[0-9a-f]+/g, '?token=…');

const readme = readFileSync(README, 'utf8');
const before = readme.slice(0, readme.indexOf(BEGIN) + BEGIN.length);
const after = readme.slice(readme.indexOf(END));
if (!readme.includes(BEGIN) || !readme.includes(END))
  throw new Error(`README.md lacks "${BEGIN}" or "${END}"`);

if (process.argv.includes('--check')) {
  const written = readme
    .slice(before.length, readme.indexOf(END))
    .replace(/^```.*$/gm, '')
    .trim();
  const fresh = presented(await session(undefined));
  if (masked(written) !== masked(fresh)) {
    console.error(
      `README.md shows another session than the one that was just run; npm run docs:session\n\n${fresh}`,
    );
    process.exit(1);
  }
  console.log('the session in README.md is as it was just run');
} else {
  const fresh = presented(await session(PICTURE));
  writeFileSync(README, `${before}\n\`\`\`console\n${fresh}\n\`\`\`\n${after}`);
  console.log(fresh);
}
