/**
 * What is promised of exec quick commands, on a running gateway: output of any kind, wrong commands, words that become
 * items of a list, many at once, and trees that outlive their gateway.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { survivors } from '../process/survivors.ts';
import { cleanEnvironment, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { childrenOf, storeRows } from '../support/home-files.ts';
import { polled } from '../support/polling.ts';
import { StoreLock } from '../support/store-lock.ts';

const KB = 1024;

/** Long enough for a flood to come to more than memory may grow by, also on a busy machine. */
const FLOOD_S = 8;

const config = `quick_commands:
  both: { type: exec, command: "head -c 200000 /dev/zero | tr '\\\\0' o; head -c 200000 /dev/zero | tr '\\\\0' e >&2; exit 3" }
  flood: { type: exec, command: "yes", timeout: ${FLOOD_S}, grace: 1 }
  binary: { type: exec, command: "printf 'a\\\\000b\\\\377\\\\303c\\\\n'; head -c 20000 /dev/urandom; echo; echo end" }
  escapes: { type: exec, command: "printf '\\\\033[31mred\\\\033[0m \\\\033]0;title\\\\007plain\\\\r\\\\n10%%\\\\r20%%\\\\n'" }
  hostile: { type: exec, command: "yes \\"$(printf '\\\\033]')\\" | tr -d '\\\\n' | head -c 65000" }
  segv: { type: exec, command: "echo before; kill -SEGV $$" }
  nowhere: { type: exec, command: [no-such-program-at-all] }
  shell-nowhere: { type: exec, command: no-such-program-at-all }
  plain-file: { type: exec, command: [./plain-file] }
  no-folder: { type: exec, command: "true", cwd: ./gone }
  leaves: { type: exec, command: "sleep 600 & echo started", grace: 0.2 }
  service: { type: exec, command: "setsid sleep 600 </dev/null >/dev/null 2>&1 & echo started" }
  count: { type: exec, command: "echo $$ >> counted", concurrency: 64 }
  list:
    type: exec
    command: [printf, "%s|", "$FIRST", "--", "$REST"]
    args: { FIRST: { default: none }, REST: { rest: true } }
  first: { type: alias, target: second }
  second: { type: alias, target: "/list one" }`;

let gateway: TestGateway;
let folder: TestFolder;

beforeAll(async () => {
  folder = new TestFolder();
  writeFileSync(join(folder.path, 'plain-file'), 'text');
  chmodSync(join(folder.path, 'plain-file'), 0o644);
  gateway = await TestGateway.start({ folder, config });
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const run = async (text: string, more: Readonly<Record<string, unknown>> = {}) =>
  (await gateway.send(text, more)).json;

/** The newest run of a command, as the store has it. */
const rowOf = (name: string) =>
  storeRows(
    folder.home,
    `SELECT outcome, exit_code AS code, signal, duration_ms AS ms, output FROM commands WHERE name = '${name}' ORDER BY id DESC LIMIT 1`,
  )[0] as { outcome: string; code: number | null; signal: string | null; ms: number; output: string };

describe('output', () => {
  test('of both streams is kept within 64 KB, head and tail of each, and all of that is in the store', async () => {
    const { outcome, messageId, replies } = await run('/both');
    expect(outcome).toBe('failed');
    const text: string = replies[0];
    expect(text).toMatch(
      /^o+\n\[… 167232 bytes cut …\]\no+\ne+\n\[… 167232 bytes cut …\]\ne+\n\[334464 bytes cut from the middle\]\n\/both failed: exit code 3 after \d+\.\d s\.$/,
    );
    expect(Buffer.byteLength(text)).toBeLessThan(64 * KB + 300);
    const row = rowOf('both');
    expect(row).toMatchObject({ outcome: 'failed', code: 3, signal: null });
    expect(text.startsWith(`${row.output}\n`)).toBe(true);
    expect(row.ms).toBeGreaterThan(0);
    const shown = (await gateway.cli('logs', '--message', messageId, '--json')).json;
    expect(shown.replies).toMatchObject([{ text }]);
  });

  test('that never ends is cut off by the timeout, and costs the gateway no memory', async () => {
    const before = residentBytes(gateway.pid);
    let most = 0;
    const answer = run('/flood');
    const watched = polled(async () => {
      most = Math.max(most, residentBytes(gateway.pid));
      return (await Promise.race([answer, undefined])) !== undefined;
    }, 'the end of the flood');
    const { outcomeReason, replies } = await answer;
    await watched;
    expect(outcomeReason).toBe('timeout');
    expect(replies[0]).toMatch(/^(y\n)+\n?\[… \d+ bytes cut …\]\n/);
    const [, cut] = /\[(\d+) bytes cut from the middle\]/.exec(replies[0]) ?? [];
    // Far more was written than the memory grew: what is read and not yet collected is in it, what is kept is 64 KB.
    expect(Number(cut)).toBeGreaterThan(200_000_000);
    expect(most - before).toBeLessThan(150_000_000);
    expect(Buffer.byteLength(replies[0])).toBeLessThan(64 * KB + 300);
  });

  test('that is no text becomes text: invalid bytes are replaced, escapes and controls are gone', async () => {
    const [binary] = (await run('/binary')).replies;
    expect(binary).toMatch(/^ab\ufffd\ufffdc\n[\s\S]*\nend$/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point
    expect(binary).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    expect((await run('/escapes')).replies).toEqual(['red plain\n10%\n20%']);
    expect(rowOf('escapes').output).toBe('red plain\n10%\n20%');
  });

  test('that looks like the beginning of thousands of escapes does not hold up the gateway', async () => {
    const answer = run('/hostile');
    const startedMs = performance.now();
    const settledMs = answer.then(() => performance.now() - startedMs);
    let longestMs = 0;
    await polled(async () => {
      const askedMs = performance.now();
      await gateway.status();
      longestMs = Math.max(longestMs, performance.now() - askedMs);
      return (await Promise.race([answer, undefined])) !== undefined;
    }, 'the end of the command');
    expect((await answer).outcome).toBe('ran');
    expect(await settledMs).toBeGreaterThan(0);
    expect(longestMs).toBeLessThan(1_000);
  });
});

describe('a command that cannot do it', () => {
  const replies: readonly [string, string, string | RegExp][] = [
    ['/segv', 'SIGSEGV', /^before\n\/segv ended by SIGSEGV after \d+\.\d s\.$/],
    [
      '/nowhere',
      'ENOENT',
      '/nowhere could not be started: no-such-program-at-all was not found on PATH. Check quick_commands.nowhere.',
    ],
    [
      '/shell-nowhere',
      'exit-code-127',
      /not found\n\/shell-nowhere failed: exit code 127 after \d+\.\d s\.$/,
    ],
    [
      '/plain-file',
      'EACCES',
      /^\/plain-file could not be started: .*\/plain-file may not be executed by this user\. Check quick_commands\.plain-file\.$/,
    ],
    [
      '/no-folder',
      'ENOENT',
      /^\/no-folder could not be started: The working directory .*\/gone does not exist\. Check quick_commands\.no-folder\.$/,
    ],
  ];
  test.each(replies)('%s is told why: %s', async (text, reason, reply) => {
    const json = await run(text);
    expect(json).toMatchObject({ outcome: 'failed', outcomeReason: reason, recorded: true });
    expect(json.replies).toEqual([typeof reply === 'string' ? reply : expect.stringMatching(reply)]);
  });
});

describe('what outlives a command that ended well', () => {
  test('is ended when it holds the output, and the reply says so', async () => {
    const { outcome, messageId, replies } = await run('/leaves');
    expect(outcome).toBe('ran');
    expect(replies).toEqual([
      'started\n/leaves left a process that held its output: ended. To keep it, send its output elsewhere (>/dev/null 2>&1).',
    ]);
    expect(survivors(messageId.replace('m_', 'c_'))).toEqual([]);
  });

  test('is left alone when it let go of the output, also by the start after a kill -9', async () => {
    const { messageId, replies } = await run('/service');
    expect(replies).toEqual(['started']);
    const [pid = 0] = survivors(messageId.replace('m_', 'c_'));
    expect(pid).toBeGreaterThan(0);
    try {
      await gateway.kill9();
      gateway = await TestGateway.start({ folder });
      expect(survivors(messageId.replace('m_', 'c_'))).toEqual([pid]);
    } finally {
      process.kill(pid, 'SIGKILL');
    }
  });
});

test('words become items of a list: defaults, the rest word by word, and no option before the end of options', async () => {
  expect((await run('/list')).replies).toEqual(['none|--|']);
  expect((await run('/list a "b c" -d $HOME')).replies).toEqual(['a|--|b c|-d|$HOME|']);
  expect((await run('/first "x y"')).replies).toEqual(['one|--|x y|']);
  expect(await run('/list -n')).toMatchObject({
    outcome: 'refused',
    reason: 'arguments',
    replies: [
      'Not run: FIRST must not begin with "-", which would make "-n" an option. Usage: /list [FIRST] [REST…]',
    ],
  });
});

test('a thousand at once run once each, and nothing is left of them', async () => {
  // Where more knock at once than may wait at the door, the system sends some away, and they have said nothing yet.
  const knocking = (n: number) =>
    polled(
      () =>
        run('/count', { id: `thousand-${n}`, conversation: `c-${n % 40}` }).catch((error) => {
          if (error.code !== 'EAGAIN') throw error;
        }),
      `the answer to number ${n}`,
    );
  const answers = await Promise.all(Array.from({ length: 1000 }, (_, n) => knocking(n)));
  expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(['ran']));
  const pids = readFileSync(join(folder.path, 'counted'), 'utf8').trim().split('\n');
  expect(pids).toHaveLength(1000);
  expect(
    storeRows(folder.home, "SELECT count(*) AS n FROM commands WHERE name = 'count' AND outcome = 'ran'"),
  ).toEqual([{ n: 1000 }]);
  expect(childrenOf(gateway.pid)).toEqual([]);
  expect((await gateway.status()).inFlight.commands).toEqual([]);
});

describe('a tree whose gateway was killed without a word is ended by the next start', () => {
  const HANG = testConfig(
    'quick_commands:\n  hang: { type: exec, command: "trap \'\' TERM; setsid sleep 600 & sleep 600; sleep 600", timeout: 1h }',
  );

  /** The pids of the hanging command of this folder, once all three are there; whoever is left is ended with the test. */
  async function hanging(own: TestFolder): Promise<() => number[]> {
    const found = () => writers(own.home);
    onTestFinished(() => {
      for (const pid of found()) process.kill(pid, 'SIGKILL');
    });
    await polled(() => found().length >= 3, 'its processes');
    return found;
  }

  test('also when no store knows of it', async () => {
    using own = new TestFolder();
    own.writeConfig(HANG);
    await using first = await TestGateway.start({ folder: own });
    let left: () => number[];
    {
      using _lock = new StoreLock(own.home);
      await first.post('/hang');
      left = await hanging(own);
      await first.kill9();
    }
    expect(storeRows(own.home, 'SELECT id FROM commands')).toEqual([]);
    expect(left()).toHaveLength(3);
    await using second = await TestGateway.start({ folder: own });
    expect(left()).toEqual([]);
    await second.stop();
  });

  test('also when it was run by sluice exec without a gateway', async () => {
    using own = new TestFolder();
    own.writeConfig(HANG);
    const entry = process.env.SLUICE_TEST_ENTRY ?? join(import.meta.dirname, '../../src/main.ts');
    const args = [entry, 'exec', 'hang', '--home', own.home, '--config', own.configPath];
    const cli = spawn(process.execPath, args, { cwd: own.path, env: cleanEnvironment(), stdio: 'ignore' });
    const left = await hanging(own);
    cli.kill('SIGKILL');
    await once(cli, 'exit');
    expect(left()).toHaveLength(3);
    await using next = await TestGateway.start({ folder: own });
    expect(left()).toEqual([]);
    await next.stop();
  });
});

/** The living processes that carry a work's marker and this home. */
function writers(home: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      const environ = pid > 0 ? environmentOf(pid) : '';
      return environ.includes('SLUICE_WORK_ID=') && environ.includes(`SLUICE_HOME=${home}\0`);
    });
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}

function residentBytes(pid: number): number {
  const [, kb = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kb) * KB;
}
