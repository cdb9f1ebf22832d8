/**
 * The ledger as it is read from outside: what `sluice messages` lists and shows beside a gateway that runs, one that hangs
 * and none at all; and the same over HTTP.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { httpRequest } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';
import { alone, folderHere, gatewayHere, listed, outcomes } from '../support/ledger.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

describe('the list of messages', () => {
  test('has each with its one outcome, newest first, in the shape that scripts rely on', async () => {
    const gateway = await gatewayHere();
    const { folder } = gateway;
    await gateway.send('hello', { id: 'answered' });
    await gateway.send('/up', { id: 'ran' });
    await gateway.send('/status', { id: 'done' });
    await gateway.send('/fails', { id: 'failed' });
    folder.fifo('one');
    const cut = gateway.send('wait one', { id: 'interrupted' });
    await gateway.inFlight('turns', 1);
    await gateway.cli('drain');
    await gateway.send('not now', { id: 'refused' });
    await gateway.send('later', { id: 'held', whenBusy: 'queue' });

    const { stdout, stderr, code, json } = await gateway.cli('messages', 'list', '--json');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`${JSON.stringify(json, null, 2)}\n`);
    expect(outcomes(json.messages)).toEqual([
      ['held', null],
      ['refused', 'refused'],
      ['interrupted', null],
      ['failed', 'failed'],
      ['done', 'done'],
      ['ran', 'ran'],
      ['answered', 'answered'],
    ]);
    const [held, refused] = json.messages;
    expect(held).toMatchObject({
      state: 'open',
      phase: 'held',
      admission: 'hold',
      reason: 'state',
      replies: [],
    });
    expect(refused).toEqual({
      ...{ id: expect.stringMatching(/^m_/), platform: 'local', platformMessageId: 'refused' },
      ...{
        conversation: 'local:default',
        sender: 'local:owner',
        kind: 'turn',
        text: 'not now',
        textCut: false,
      },
      ...{ receivedAt: expect.any(Number), settledAt: expect.any(Number), epoch: 1, admission: 'refuse' },
      ...{ state: 'settled', phase: 'settled', outcome: 'refused', reason: 'state', recorded: true },
      replies: [
        {
          ...{ id: expect.stringMatching(/^o_/), state: 'delivered', attempts: 0, possibleDuplicate: false },
          ...{ nextAt: null, error: null },
        },
      ],
    });

    const list = (...flags: string[]) => listed(gateway.cli('messages', 'list', '--json', ...flags));
    expect(outcomes(await list('--limit', '2'))).toEqual([
      ['held', null],
      ['refused', 'refused'],
    ]);
    expect(outcomes(await list('--outcome', 'failed'))).toEqual([['failed', 'failed']]);
    expect(outcomes(await list('--state', 'open'))).toEqual([
      ['held', null],
      ['interrupted', null],
    ]);
    expect(await list('--outcome', 'failed', '--state', 'open')).toEqual([]);
    expect(await list('--undelivered')).toEqual([]);
    expect(await gateway.cli('messages', 'list', '--outcome', 'expired')).toMatchObject({
      ...{ code: 0, stdout: '', stderr: 'no message is like that\n' },
    });
    for (const wrong of [
      ['--limit', '0'],
      ['--limit', '1001'],
      ['--outcome', 'lost'],
      ['--state', 'shut'],
    ]) {
      expect(await gateway.cli('messages', 'list', ...wrong)).toMatchObject({ code: 2, stdout: '' });
    }

    expect((await gateway.send('/interrupt')).json.outcome).toBe('done');
    await cut;
    expect(outcomes(await list('--outcome', 'interrupted'))).toEqual([['interrupted', 'interrupted']]);
  });

  test('is a table of one line each in a pipe, and lets itself be cut off there', async () => {
    const gateway = await gatewayHere();
    for (const n of [1, 2, 3]) await gateway.send(`number ${n}\n\u001b[31mred\u001b[0m`, { id: `n${n}` });
    const { stdout } = await gateway.cli('messages', 'list');
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['TIME', 'ID', 'KIND', 'OUTCOME', 'CONVERSATION', 'TEXT'],
      ...[3, 2, 1].map((n) => [
        expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
        expect.stringMatching(/^m_\w+$/),
        ...['turn', 'answered', 'local:default', `number ${n} red`],
      ]),
    ]);

    const words = [process.execPath, MAIN, 'messages', 'list', '--home', gateway.folder.home];
    const child = spawn('bash', ['-c', `set -o pipefail; ${words.join(' ')} | head -1`]);
    let told = '';
    child.stdout.on('data', (text) => (told += text));
    child.stderr.on('data', (text) => (told += text));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, told]).toEqual([0, `${lines[0]}\n`]);
  });
});

describe('one message', () => {
  test('is shown whole by whatever id the gateway has shown of it, or the beginning of one', async () => {
    const gateway = await gatewayHere();
    await gateway.send('hello\nthere', { id: 'job-17' });
    await gateway.send('/fails', { id: 'job-2' });
    const show = (id: string) => gateway.cli('messages', 'show', id, '--json');
    const { json: way } = await show('job-17');
    expect(way).toMatchObject({
      ...{ platformMessageId: 'job-17', text: 'hello\nthere', state: 'settled', outcome: 'answered' },
      turns: [{ attempt: 1, agent: 'default', life: 1, outcome: 'answered', streamed: 'echo: hello\n' }],
      replies: [{ state: 'delivered', text: 'echo: hello\n' }],
    });
    const { json: failed } = await show('job-2');
    expect(failed).toMatchObject({
      ...{ kind: 'exec', outcome: 'failed', reason: 'exit-code-3' },
      commands: [{ name: 'fails', exitCode: 3, output: expect.stringContaining('broken') }],
    });
    // Of `{}`, which is what a command without arguments has.
    const argsHash = '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a';
    expect(failed.commands[0]).toMatchObject({ argsHash, durationMs: expect.any(Number) });
    expect((await gateway.request('GET', `/v1/messages/${failed.id}`)).json).toEqual(failed);
    const ids = [way.id, way.id.slice(0, -1), way.turns[0].id, way.replies[0].id, 'job-1'];
    for (const id of ids) expect((await show(id)).json, id).toMatchObject({ id: way.id });
    expect((await show(failed.commands[0].id)).json).toMatchObject({ id: failed.id });
    expect((await gateway.cli('logs', '--message', 'job-1', '--json')).json).toMatchObject({ id: way.id });

    const { stdout } = await gateway.cli('messages', 'show', 'job-2');
    expect(stdout).toMatch(/^m_\w+ {2}exec from local:owner in local:default\nknown to local as job-2\n/);
    expect(stdout).toContain('\nfailed: it ended with exit code 3 (exit-code-3)\n');
    expect(stdout).toMatch(/\ncommand c_\w+, \/fails by local:owner in life 1: failed, exit code 3\n/);
    expect(stdout).toMatch(
      new RegExp(`, took \\d+ ms\n {2}arguments sha256 ${argsHash}\n {2}printed\n {4}broken\n`),
    );

    const several = await gateway.cli('messages', 'show', 'job-');
    expect(several).toMatchObject({ code: 1, stdout: '' });
    expect(several.stderr).toContain('"job-" is the beginning of several ids: job-17, job-2');
    const typo = await gateway.cli(
      'messages',
      'show',
      `${way.id.slice(0, -2)}${way.id.at(-1)}${way.id.at(-2)}`,
    );
    expect(typo.code).toBe(1);
    expect(typo.stderr).toContain(`did you mean ${way.id}`);
    const none = await gateway.cli('messages', 'show', 'nothing like it', '--json');
    expect(none).toMatchObject({ code: 1, json: { error: { code: 'NOT_FOUND' } } });
  });
});

describe('a gateway that hangs', () => {
  test('keeps nobody from reading the ledger, and nothing is changed behind its back', async () => {
    const gateway = await gatewayHere();
    await gateway.cli('drain');
    await gateway.post('later', { id: 'held', whenBusy: 'queue' });
    gateway.signal('SIGSTOP');
    expect(outcomes(await listed(gateway.cli('messages', 'list', '--json')))).toEqual([['held', null]]);
    expect(await gateway.cli('messages', 'show', 'held', '--json')).toMatchObject({
      ...{ code: 0, stderr: '', json: { phase: 'held' } },
    });
    const given = await gateway.cli('messages', 'discard', 'held', '--json');
    expect(given).toMatchObject({ code: 1, json: { error: { code: 'NO_ANSWER' } } });
    expect(storeRows(gateway.folder.home, 'SELECT phase FROM inbox')).toEqual([{ phase: 'held' }]);
    gateway.signal('SIGCONT');
  });
});

describe('a home where nothing ever ran', () => {
  test('is said to be one, and stays as it was', async () => {
    const folder = folderHere();
    for (const words of [['list'], ['show', 'x'], ['retry', 'x'], ['discard', 'x'], ['backup', 'x.db']]) {
      const told = await alone(folder, 'messages', ...words, '--json');
      expect(told, words[0]).toMatchObject({ code: 1, json: { error: { code: 'STORE_SCHEMA_OTHER' } } });
    }
    expect(existsSync(folder.home)).toBe(false);
    expect(existsSync(join(folder.path, 'x.db'))).toBe(false);
  });
});

describe('over HTTP', () => {
  test('the ledger needs the token, and answers as its commands do', async () => {
    const gateway = await gatewayHere();
    const { url, token } = await gateway.http();
    const { hostname: host, port } = new URL(url);
    const where = { host, port: Number(port) };
    const ask = (method: string, path: string, body?: unknown) =>
      httpRequest({ ...where, headers: { authorization: `Bearer ${token}` } }, method, path, body);
    for (const [method, path] of [
      ['GET', '/v1/messages'],
      ['GET', '/v1/messages/x'],
      ['POST', '/v1/messages/x/retry'],
      ['POST', '/v1/messages/x/discard'],
    ] as const) {
      expect((await httpRequest(where, method, path)).status, path).toBe(401);
    }
    await gateway.cli('drain');
    await gateway.send('not now', { id: 'refused' });
    await gateway.send('later', { id: 'held', whenBusy: 'queue' });
    const list = async (query: string) => outcomes((await ask('GET', `/v1/messages?${query}`)).json.messages);
    expect(await list('')).toEqual([
      ['held', null],
      ['refused', 'refused'],
    ]);
    expect(await list('outcome=refused&limit=1')).toEqual([['refused', 'refused']]);
    expect(await list('state=open')).toEqual([['held', null]]);
    expect(await list('undelivered=true')).toEqual([]);
    for (const wrong of ['limit=0', 'limit=many', 'outcome=lost', 'state=shut', 'since=1']) {
      const reply = await ask('GET', `/v1/messages?${wrong}`);
      expect([reply.status, reply.json.error.code], wrong).toEqual([400, 'MESSAGE_INVALID']);
    }

    expect(await ask('GET', '/v1/messages/hel')).toMatchObject({ status: 200, json: { phase: 'held' } });
    const missing = { status: 404, json: { error: { code: 'NOT_FOUND' } } };
    expect(await ask('GET', '/v1/messages/nothing')).toMatchObject(missing);
    expect(await ask('POST', '/v1/messages/nothing/retry')).toMatchObject(missing);
    const nothing = { status: 409, json: { error: { code: 'NOTHING_TO_DO' } } };
    expect(await ask('POST', '/v1/messages/refused/retry')).toMatchObject(nothing);
    expect((await ask('POST', '/v1/messages/held/discard', { because: 'x' })).status).toBe(400);
    expect(await ask('POST', '/v1/messages/held/discard')).toMatchObject({
      ...{ status: 200, json: { outcome: 'discarded', text: expect.stringContaining('is discarded') } },
    });
    expect(await ask('POST', '/v1/messages/held/discard', { reason: 'again' })).toMatchObject(nothing);
    expect(await ask('GET', '/v1/messages/held/discard')).toMatchObject({ status: 405 });
  });
});
