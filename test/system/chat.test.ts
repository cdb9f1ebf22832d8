/** `sluice chat` with a real gateway: through a pipe, and in a real terminal, also while the gateway restarts. */
import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChatTerminal } from '../support/chat-terminal.ts';
import { TestFolder, TestGateway } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';

const MAIN = process.env.SLUICE_TEST_ENTRY ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const QUICK = `display: { busy_input_mode: queue }
quick_commands:
  up: { type: exec, command: "echo up" }
  upload: { type: exec, command: "echo uploading; sleep 60; true", description: "takes long" }
  wide: { type: exec, command: "printf 'e\\\\033[2Jnd 日本語日本語日本語日本語日本語日本語日本語'" }`;

const FAMILY = '👨‍👩‍👧';

interface Piped {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a chat whose input is a pipe. */
function piped(home: string, input: string, ...args: string[]): Promise<Piped> {
  const child = spawn(process.execPath, [MAIN, 'chat', '--home', home, ...args], {
    env: { PATH: process.env.PATH },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

describe('through a pipe', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start({ config: QUICK });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  test('each line is a message, in order, and it leaves with 0 after the last answer', async () => {
    const { home } = gateway.folder;
    expect(await piped(home, 'hi\r\n\n/up\ngröße 日本')).toEqual({
      code: 0,
      stdout: 'echo: hi\nup\necho: größe 日本\n',
      stderr: '',
    });
    expect(await piped(home, '')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('one that failed or was refused shows in how it leaves, and the next one is sent all the same', async () => {
    const { home } = gateway.folder;
    const failed = await piped(home, 'fail no luck\nhi\n');
    expect(failed).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^No answer: .*no luck.*\necho: hi\n$/),
    });
    const refused = await piped(home, `${'x'.repeat(300_000)}\nhi\n`);
    expect(refused).toMatchObject({ code: 3, stdout: expect.stringMatching(/^.+\necho: hi\n$/) });
  });

  test('--json prints one document with all of it', async () => {
    const { stdout } = await piped(gateway.folder.home, 'hi\n/up\n', '--json', '--conversation', 'a/b: ü');
    expect(JSON.parse(stdout)).toMatchObject({
      leftOut: 0,
      messages: [
        { sent: 'hi', kind: 'turn', outcome: 'answered', replies: ['echo: hi\n'] },
        { sent: '/up', kind: 'exec', outcome: 'ran', replies: ['up'] },
      ],
    });
    expect(
      storeRows(gateway.folder.home, 'SELECT conversation FROM inbox ORDER BY seq DESC LIMIT 1'),
    ).toEqual([{ conversation: 'local:a/b%3A ü' }]);
  });

  test('without a gateway it says so and leaves with 4', async () => {
    using folder = new TestFolder();
    for (const input of ['hi\n', '']) {
      expect(await piped(folder.home, input)).toMatchObject({
        code: 4,
        stdout: '',
        stderr: expect.stringMatching(/no gateway is running/),
      });
    }
    const { code, stdout } = await piped(folder.home, '', '--json');
    expect({ code, error: JSON.parse(stdout).error.code }).toEqual({ code: 4, error: 'NO_GATEWAY' });
  });

  test('a message that is held is answered after the restart', async () => {
    gateway.folder.fifo('one');
    const turn = gateway.send('wait one', { conversation: 'other' });
    await gateway.inFlight('turns', 1);
    await gateway.request('POST', '/v1/lifecycle', { intent: 'restart' });
    await gateway.entered('draining.waiting');
    const chat = piped(gateway.folder.home, 'hi again\n');
    await gateway.statusWhere(({ held }) => held === 1);
    await gateway.folder.release('one');
    await turn;
    expect(await chat).toEqual({
      code: 0,
      stdout: 'echo: hi again\n',
      stderr: 'Kept: the gateway is restarting. It is answered as soon as it is back.\n',
    });
  });
});

describe('in a terminal', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start({ config: QUICK });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());
  let conversations = 0;
  /** Each in a conversation of its own, unless it is named. */
  const open = (more: Partial<ConstructorParameters<typeof ChatTerminal>[0]> = {}) => {
    conversations += 1;
    const args = ['--conversation', `${conversations}`];
    return ChatTerminal.open({ home: gateway.folder.home, args, ...more });
  };

  test('an answer streams in above the status line and what is being written', async () => {
    gateway.folder.fifo('stream');
    await using chat = await open();
    await chat.sees(/ 0 in flight · 0 held · Alt-Enter or Ctrl-J: new line$/);
    chat.send('wait stream');
    await chat.sees(/1 in flight .* answering/);
    await chat.sees(/^started stream$/);
    chat.press('next');
    await chat.sees(/^> next$/);
    expect(chat.lines).toEqual([
      '> wait stream',
      'started stream',
      expect.stringMatching(/^running\.healthy · 1 in flight · 0 held · answering$/),
      '> next',
    ]);
    await gateway.folder.release('stream');
    await chat.sees(/^finished stream$/);
    await chat.sees(/ 0 in flight · 0 held$/);
    expect(chat.lines.slice(0, 3)).toEqual(['> wait stream', 'started stream', 'finished stream']);
    expect(chat.raw).not.toContain('\x1b[2m');
    chat.press('ctrl-u', 'ctrl-d');
    expect(await chat.exited).toBe(0);
    expect(chat.raw.endsWith('\x1b[?2004l')).toBe(true);
    expect(chat.lines).toEqual(['> wait stream', 'started stream', 'finished stream']);
  });

  test('on 40 columns nothing passes the edge, wide characters and foreign sequences included', async () => {
    await using chat = await open({ columns: 40, rows: 10, env: { NO_COLOR: '' } });
    expect(chat.raw).toContain('\x1b[2m');
    chat.send('/wide');
    await chat.sees(/^日本語$/);
    const text = '日本語'.repeat(7);
    expect(chat.lines.join('').replaceAll(' ', '')).toContain(`end${text}`);
    chat.press('日本語日本語日本語日本語日本語日本語日本語');
    await chat.sees(/^ {2}日本語$/);
    expect(chat.lines.at(-2)).toBe(`> ${'日本語'.repeat(6)}`);
  });

  test('Tab completes commands, and shows them where there are several', async () => {
    await using chat = await open();
    chat.press('/st', 'tab');
    await chat.sees(/^ {2}\/stop \[now\] {2}stop when/);
    expect(chat.lines.slice(0, 2)).toEqual([
      '  /status  what the gateway is doing',
      '  /stop [now]  stop when the work is done, or now',
    ]);
    chat.press('ctrl-u', '/upl', 'tab');
    await chat.sees(/^> \/upload$/);
    chat.press('ctrl-u', '/w', 'tab', 'enter');
    await chat.sees(/^end /);
  });

  test('a paste and Alt-Enter make lines of one message, which is in the history of the next chat', async () => {
    await using chat = await open();
    chat.press('paste-start', 'one\rtwo', 'paste-end', 'alt-enter', 'three', 'ctrl-j', 'four', 'enter');
    await chat.sees(/^echo: one$/);
    expect(chat.lines.slice(0, 4)).toEqual(['> one', '  two', '  three', '  four']);
    const sql = "SELECT text FROM inbox WHERE text LIKE 'one%'";
    expect(storeRows(gateway.folder.home, sql)).toEqual([{ text: 'one\ntwo\nthree\nfour' }]);
    const history = join(gateway.folder.home, 'chat-history');
    expect(readFileSync(history, 'utf8')).toContain('"one\\ntwo\\nthree\\nfour"\n');
    expect(statSync(history).mode & 0o777).toBe(0o600);
    await using next = await open();
    next.press('up');
    await next.sees(/^ {2}four$/);
  });

  test('what others write in the conversation is shown with its answer', async () => {
    await using chat = await open({ args: ['--conversation', 'shared/Büro'] });
    await gateway.send('from elsewhere', { conversation: 'shared/Büro' });
    await gateway.send('not here');
    await chat.sees(/^echo: from elsewhere$/);
    expect(chat.lines.slice(0, 2)).toEqual(['local:owner: from elsewhere', 'echo: from elsewhere']);
    expect(chat.raw).not.toContain('not here');
  });

  test('what is written in wide characters is edited as a person counts them, and the cursor stands where it shows', async () => {
    await using chat = await open({ columns: 40 });
    const shows = (line: string, column: number) =>
      chat.until((lines) => lines.at(-1) === line && chat.cursor.column === column, `${line} with ${column}`);
    chat.press('日本語', 'left');
    await shows('> 日本語', 6);
    chat.press('x', 'left', 'backspace');
    await shows('> 日x語', 4);
    chat.press('ctrl-u', FAMILY, 'e\u0301', 'ctrl-e');
    await shows(`> ${FAMILY}e\u0301x語`, 8);
    chat.press('backspace', 'left', 'left', 'backspace');
    await shows('> e\u0301x', 2);
    chat.press('enter');
    await chat.sees(/^echo: e\u0301x$/);
  });

  test('made narrower and wider while a message is written and an answer comes, it shows both once', async () => {
    gateway.folder.fifo('resized');
    await using chat = await open({ columns: 60 });
    chat.send('wait resized');
    await chat.sees(/1 in flight .* answering/);
    await chat.sees(/^started resized$/);
    chat.press('a draft that is longer than forty columns are');
    await chat.sees(/^> a draft that is longer than forty columns are$/);
    await chat.resize(30, 10);
    await chat.sees(/^ {3}forty columns are$/);
    expect(chat.lines).toEqual([
      '> wait resized',
      'started resized',
      expect.stringMatching(/^running\.healthy · 1 in.*…$/),
      '> a draft that is longer than',
      '   forty columns are',
    ]);
    expect(chat.cursor).toEqual({ row: 4, column: 20 });
    await gateway.folder.release('resized');
    await chat.sees(/^finished resized$/);
    await chat.sees(/ · 0 in/);
    await chat.resize(70, 24);
    await chat.sees(/^> a draft that is longer than forty columns are$/);
    await chat.sees(/0 held$/);
    expect(chat.lines).toEqual([
      '> wait resized',
      'started resized',
      'finished resized',
      'running.healthy · 0 in flight · 0 held',
      '> a draft that is longer than forty columns are',
    ]);
  });

  test('Ctrl-C clears what is being written; with nothing written and nothing at work it leaves', async () => {
    await using chat = await open();
    chat.press('half', 'ctrl-c');
    await chat.until((lines) => lines.at(-1) === '>', 'an empty draft');
    chat.press('x', 'ctrl-c');
    await chat.until((lines) => lines.at(-1) === '>', 'an empty draft');
    chat.press('ctrl-c');
    expect(await chat.exited).toBe(0);
    expect(chat.lines).toEqual([]);
  });

  test('Ctrl-C right behind a message interrupts its turn, which has said nothing yet', async () => {
    await using silent = await TestGateway.start({
      config: 'agent: { type: command, command: "cat quiet; echo said" }',
    });
    silent.folder.fifo('quiet');
    await using chat = await ChatTerminal.open({ home: silent.folder.home });
    chat.press('hello', 'enter', 'ctrl-c');
    await chat.sees(/^Interrupted: /);
    expect(chat.lines.slice(0, 2)).toEqual(['> hello', 'interrupting; Ctrl-C again leaves']);
    chat.send('again');
    await chat.sees(/answering$/);
    chat.press('the correction', 'ctrl-c');
    await chat.until(
      (lines) => lines.filter((line) => /^Interrupted: /.test(line)).length === 2,
      'the second',
    );
    expect(chat.lines.at(-1)).toBe('> the correction');
  });

  test('Ctrl-C while it connects leaves', async () => {
    await using frozen = await TestGateway.start({ config: QUICK });
    frozen.signal('SIGSTOP');
    await using chat = new ChatTerminal({ home: frozen.folder.home });
    await chat.sees(/^connecting$/);
    chat.press('ctrl-c');
    expect(await chat.exited).toBe(0);
  });

  test('Ctrl-C while an answer streams interrupts the turn, the second one leaves', async () => {
    gateway.folder.fifo('never');
    await using chat = await open();
    chat.send('wait never');
    await chat.sees(/^started never$/);
    chat.press('ctrl-c');
    await chat.sees(/^Interrupted: /);
    expect(chat.lines).toContain('interrupting; Ctrl-C again leaves');
    chat.press('ctrl-c');
    expect(await chat.exited).toBe(0);
    const [row] = storeRows(gateway.folder.home, "SELECT outcome FROM inbox WHERE text = 'wait never'");
    expect(row).toEqual({ outcome: 'interrupted' });
  });

  test('Ctrl-C twice at once leaves while an answer streams, and the turn is interrupted all the same', async () => {
    gateway.folder.fifo('twice');
    await using chat = await open();
    chat.send('wait twice');
    await chat.sees(/^started twice$/);
    chat.press('ctrl-c', 'ctrl-c');
    expect(await chat.exited).toBe(0);
    await gateway.inFlight('turns', 0);
  });

  test('Ctrl-C while a command runs ends it', async () => {
    await using chat = await open();
    chat.send('/upload');
    await chat.sees(/1 in flight/);
    // By now it has said something.
    await gateway.commandsBegun(1);
    chat.press('ctrl-c');
    await chat.sees(/^\/upload was ended after /);
    expect(chat.lines).toContain('uploading');
  });

  test('without a gateway it says so and leaves with 4; a terminal that cannot be drawn on takes lines', async () => {
    using folder = new TestFolder();
    await using nobody = new ChatTerminal({ home: folder.home });
    expect(await nobody.exited).toBe(4);
    expect(nobody.lines.join('\n')).toMatch(/no gateway is running/);
    await using dumb = new ChatTerminal({ home: gateway.folder.home, env: { TERM: 'dumb' } });
    dumb.press('hi\n', 'ctrl-d');
    expect(await dumb.exited).toBe(0);
    expect(dumb.raw).toContain('echo: hi');
    expect(dumb.raw).not.toContain('\x1b');
  });
});

describe('while the gateway restarts', () => {
  test('a held message is answered by the next life, and the chat says once that it is there', async () => {
    await using gateway = await TestGateway.start({ config: QUICK });
    gateway.folder.fifo('one');
    await using chat = await ChatTerminal.open({ home: gateway.folder.home });
    chat.send('wait one');
    await chat.sees(/^started one$/);
    await gateway.request('POST', '/v1/lifecycle', { intent: 'restart' });
    await chat.sees(/^draining\.waiting/);
    chat.send('and this');
    await chat.sees(/^Kept: |^kept/i);
    await chat.sees(/^draining\.waiting · 1 in flight · 1 held · answering$/);
    await gateway.folder.release('one');
    await chat.sees(/^echo: and this$/);
    await chat.sees(/^running\.healthy/);
    const said = chat.lines.filter((line) => /^(started|finished|echo|connected)/.test(line));
    expect(said.toSorted()).toEqual([
      'connected again, epoch 2',
      'echo: and this',
      'finished one',
      'started one',
    ]);
  });

  test('a gateway that was killed is waited for; what the next one says of the turn is shown, once', async () => {
    using folder = new TestFolder();
    await using chat = await (async () => {
      await using gateway = await TestGateway.start({ config: QUICK, folder });
      folder.fifo('lost');
      const opened = await ChatTerminal.open({ home: folder.home });
      opened.send('wait lost');
      await opened.sees(/^started lost$/);
      await gateway.kill9();
      return opened;
    })();
    await chat.sees(/^the gateway is away, reconnecting$/);
    const meanwhile = ['first meanwhile', 'second meanwhile', '/up', 'third meanwhile'];
    for (const text of meanwhile) chat.send(text);
    chat.press('a draft', 'ctrl-c');
    await chat.until((lines) => lines.at(-1) === '>', 'an empty draft');
    chat.press('x', 'backspace', 'ctrl-c');
    await chat.sees(/^the gateway is away; Ctrl-C again leaves without waiting for it$/);
    await using next = await TestGateway.start({ folder });
    await chat.sees(/^echo: third meanwhile$/);
    await chat.sees(/^connected again, epoch 2$/);
    const told = chat.lines.filter((line) => /went down|echo: |^up$/.test(line));
    expect(told.toSorted()).toEqual([
      expect.stringMatching(/^The gateway went down while this was being answered/),
      'echo: first meanwhile',
      'echo: second meanwhile',
      'echo: third meanwhile',
      'up',
    ]);
    expect(storeRows(folder.home, 'SELECT text FROM inbox ORDER BY seq')).toEqual(
      ['wait lost', ...meanwhile].map((text) => ({ text })),
    );
    await next.stop();
  });

  test('Ctrl-C leaves while it reconnects and nothing waits to be sent', async () => {
    await using gateway = await TestGateway.start({ config: QUICK });
    await using chat = await ChatTerminal.open({ home: gateway.folder.home });
    await gateway.kill9();
    await chat.sees(/^the gateway is away, reconnecting$/);
    chat.press('ctrl-c');
    expect(await chat.exited).toBe(0);
  });
});
