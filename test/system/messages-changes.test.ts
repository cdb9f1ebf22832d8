/**
 * What a person changes about what has come: replies that could not be delivered, messages that wait to be answered; by a
 * gateway that runs, and in a home whose gateway is gone.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { storeRows } from '../support/home-files.ts';
import {
  alone,
  folderHere,
  gatewayHere,
  listed,
  onPlatform,
  outcomes,
  withPlatform,
} from '../support/ledger.ts';
import { polled } from '../support/polling.ts';
import { StoreLock } from '../support/store-lock.ts';

describe('a reply that could not be delivered', () => {
  test('is found, sent after all by the gateway that runs, and then there is nothing to retry', async () => {
    const { server, gateway } = await withPlatform();
    server.behave({ how: 'gone' });
    expect(await server.deliver({ id: '1', from: 'ann', text: '/up' })).toBe('acknowledged');
    const undelivered = () => listed(gateway.cli('messages', 'list', '--undelivered', '--json'));
    const [dead] = await polled(async () => {
      const found = await undelivered();
      return found.length > 0 ? found : undefined;
    }, 'a dead letter');
    expect(dead).toMatchObject({
      platformMessageId: '1',
      outcome: 'ran',
      replies: [{ state: 'dead', attempts: 1 }],
    });
    const table = await gateway.cli('messages', 'list', '--undelivered');
    expect(table.stdout).toMatch(/\n {2}reply o_\w+ is dead after 1 attempt: \S/);
    const shown = await gateway.cli('messages', 'show', dead.id);
    expect(shown.stdout).toMatch(/\nreply o_\w+: dead: /);
    expect(shown.stderr).toContain(`sluice messages retry ${dead.id}`);

    server.behave(undefined);
    const retried = await gateway.cli('messages', 'retry', dead.id, '--json');
    expect(retried).toMatchObject({ code: 0, json: { messageId: dead.id, replies: [dead.replies[0].id] } });
    await server.reached(({ text }) => text === 'up');
    await polled(async () => (await undelivered()).length === 0, 'the letter to be delivered');
    expect(await gateway.cli('messages', 'retry', dead.id, '--json')).toMatchObject({
      ...{
        code: 3,
        json: { error: { code: 'NOTHING_TO_DO', message: expect.stringContaining('delivered') } },
      },
    });
    expect(server.sent.map(({ text }) => text)).toEqual(['up']);
  });

  test('is given up with its reason while it waits', async () => {
    const { server, gateway } = await withPlatform();
    server.behave({ how: 'fail' });
    expect(await server.deliver({ id: '1', from: 'ann', text: '/up' })).toBe('acknowledged');
    await server.until(() => server.asked.length > 0, 'an attempt');
    const given = await gateway.cli('messages', 'discard', '1', '--reason', 'wrong chat');
    expect(given).toMatchObject({ code: 0, stdout: expect.stringContaining('not sent any more') });
    const { json } = await gateway.cli('messages', 'show', '1', '--json');
    expect(json.replies).toMatchObject([{ state: 'dead', error: 'discarded by local:owner: wrong chat' }]);
    expect(await gateway.cli('messages', 'discard', '1')).toMatchObject({ code: 3, stdout: '' });
    server.behave(undefined);
    await gateway.cli('messages', 'retry', '1');
    await server.reached(({ text }) => text === 'up');
  });

  test('is sent by the next start where it was asked for in a home whose gateway was killed', async () => {
    const folder = folderHere();
    const { server, gateway } = await withPlatform(folder);
    server.behave({ how: 'gone' });
    await server.deliver({ id: '1', from: 'ann', text: '/up' });
    await polled(
      async () => storeRows(folder.home, "SELECT 1 FROM outbox WHERE state = 'dead'").length === 1,
      'it',
    );
    await gateway.kill9();

    expect(outcomes(await listed(alone(folder, 'messages', 'list', '--undelivered', '--json')))).toEqual([
      ['1', 'ran'],
    ]);
    const retried = await alone(folder, 'messages', 'retry', '1');
    expect(retried).toMatchObject({ code: 0, stdout: '1 reply is sent again by the next start.\n' });
    expect(retried.stderr).toContain('no gateway is running: written to the store');
    expect(await alone(folder, 'messages', 'retry', '1')).toMatchObject({ code: 3 });
    expect(storeRows(folder.home, "SELECT cause FROM lives WHERE kind = 'cli'")).toMatchObject([
      { cause: 'done' },
    ]);

    server.behave(undefined);
    const next = await onPlatform(server, folder);
    await server.reached(({ text }) => text === 'up');
    await next.stop();
  });
});

describe('a message that waits to be answered', () => {
  test('is given up during a drain: whoever waits is told, and nobody answers it', async () => {
    const { server, gateway } = await withPlatform();
    await gateway.cli('drain');
    await server.deliver({ id: '1', from: 'ann', text: 'what  changed?', whenBusy: 'queue' });
    const waits = gateway.cli('send', 'keep this', '--queue', '--id', 'mine', '--json');
    await gateway.statusWhere(({ held }) => held === 2);
    const [mine, anns] = await listed(gateway.cli('messages', 'list', '--state', 'open', '--json'));
    expect([mine.platformMessageId, anns.platformMessageId]).toEqual(['mine', '1']);

    const given = await gateway.cli('messages', 'discard', anns.id, '--reason', 'said elsewhere', '--json');
    expect(given).toMatchObject({ code: 0, json: { messageId: anns.id, outcome: 'discarded' } });
    const told = await server.reached(({ text }) => text.startsWith('Not answered'));
    // What has become of it since does not hide why it had been held, nor who took it in.
    const { json: way } = await gateway.cli('messages', 'show', anns.id, '--json');
    expect(way).toMatchObject({
      reason: 'by local:owner: said elsewhere',
      why: {
        ...{ admission: 'hold', rule: 'state', state: 'draining.drained', actor: 'local:owner' },
        ...{ cause: 'drain', askedAt: expect.any(Number) },
      },
    });
    expect(told.text).toBe(
      'Not answered: "what changed?" was discarded by local:owner (said elsewhere). Send it again if it is still wanted.',
    );
    expect(await gateway.cli('messages', 'discard', 'mine')).toMatchObject({ code: 0 });
    expect(await waits).toMatchObject({ json: { outcome: 'discarded' } });
    expect((await gateway.status()).held).toBe(0);
    expect(await gateway.cli('messages', 'discard', 'mine')).toMatchObject({ code: 3 });

    await gateway.cli('drain', '--cancel');
    expect((await gateway.send('still here')).json.outcome).toBe('answered');
    const all = await listed(gateway.cli('messages', 'list', '--outcome', 'discarded', '--json'));
    expect(all.map(({ reason, phase }) => [reason, phase])).toEqual([
      ['by local:owner', 'settled'],
      ['by local:owner: said elsewhere', 'settled'],
    ]);
    expect(storeRows(gateway.folder.home, 'SELECT count(*) AS turns FROM turns')).toEqual([{ turns: 1 }]);
  });

  test('is given up in a home without a gateway, and the next start tells its sender', async () => {
    const folder = folderHere();
    const { server, gateway } = await withPlatform(folder);
    await gateway.cli('drain');
    await server.deliver({ id: '1', from: 'ann', text: 'hello', whenBusy: 'queue' });
    await gateway.kill9();
    const given = await alone(folder, 'messages', 'discard', '1', '--json');
    expect(given).toMatchObject({ code: 0, json: { outcome: 'discarded' } });
    const next = await onPlatform(server, folder);
    await server.reached(({ text }) => text.startsWith('Not answered: "hello"'));
    expect((await next.send('/up')).json.outcome).toBe('ran');
    expect(storeRows(folder.home, 'SELECT 1 FROM turns')).toEqual([]);
    await next.stop();
  });

  test('after a death is listed as awaiting a word, is given up or answered by it, and the word is merged', async () => {
    const folder = folderHere();
    const first = await gatewayHere({ folder });
    for (const name of ['one', 'two']) {
      folder.fifo(name);
      await first.post(`wait ${name}`, { id: name, conversation: name });
      await first.inFlight('turns', name === 'one' ? 1 : 2);
    }
    await first.kill9();
    const next = await gatewayHere({ folder });
    expect(await next.status()).toMatchObject({ awaitingResume: 2, held: 0, waiting: 0 });
    const open = await listed(next.cli('messages', 'list', '--state', 'open', '--json'));
    expect(open.map(({ phase, reason }) => [phase, reason])).toEqual([
      ['awaiting-resume', 'resume'],
      ['awaiting-resume', 'resume'],
    ]);
    expect((await next.cli('status')).stdout).toContain('awaiting 2 /resume: ');
    const shown = await next.cli('messages', 'show', 'one');
    expect(shown.stdout).toContain(
      'open, awaiting-resume: its turn was cut off before it had ended (resume)',
    );
    expect(shown.stdout).toMatch(/turn t_\w+, attempt 1, .* in life 1: interrupted: the gateway went down/);
    expect(shown.stderr).toContain('answered after all by: /resume in its conversation');

    expect(await next.cli('messages', 'discard', 'one')).toMatchObject({ code: 0 });
    expect((await next.status()).awaitingResume).toBe(1);
    expect((await next.send('/resume', { conversation: 'one' })).json.outcome).toBe('done');
    const word = next.send('/resume', { id: 'word', conversation: 'two' });
    await folder.release('two');
    expect((await word).json.outcome).toBe('merged');
    await next.outcome('two');
    const { json: two } = await next.cli('messages', 'show', 'two', '--json');
    expect(two).toMatchObject({
      outcome: 'answered',
      turns: [{ outcome: 'interrupted' }, { attempt: 2, life: 2 }],
    });
    const { json: merged } = await next.cli('messages', 'show', 'word', '--json');
    expect(merged).toMatchObject({ outcome: 'merged', mergedInto: two.id });
    await next.stop();
  });

  test('for a free place is a command that expires when it has grown old by the next start', async () => {
    const folder = folderHere();
    const first = await gatewayHere({
      folder,
      config: 'quick_commands: { slow: { type: exec, command: "cat slow" } }',
    });
    folder.fifo('slow');
    void first.post('/slow', { id: 'runs' });
    await first.inFlight('commands', 1);
    await first.post('/slow', { id: 'waits' });
    await first.kill9();
    const db = new DatabaseSync(join(folder.home, 'sluice.db'));
    db.exec('UPDATE inbox SET received_at = received_at - 120000');
    db.close();
    const next = await gatewayHere({ folder });
    const all = await listed(next.cli('messages', 'list', '--json'));
    expect(outcomes(all)).toEqual([
      ['waits', 'expired'],
      ['runs', 'interrupted'],
    ]);
    expect((await next.cli('messages', 'show', 'waits')).stdout).toContain(
      '\nexpired: it had become too old (too-old)\n',
    );
    await next.stop();
  });

  test('behind another of its conversation is given up before its turn has begun, and the others go on', async () => {
    const gateway = await gatewayHere();
    const { folder } = gateway;
    folder.fifo('one');
    const first = gateway.send('wait one', { id: 'first' });
    await gateway.inFlight('turns', 1);
    const behind = gateway.cli('send', 'behind', '--id', 'behind', '--json');
    await gateway.statusWhere(({ waiting }) => waiting === 1);
    const after = gateway.send('after it', { id: 'after' });
    await gateway.statusWhere(({ waiting }) => waiting === 2);
    const given = await gateway.cli('messages', 'discard', 'behind', '--reason', 'no need', '--json');
    expect(given).toMatchObject({ code: 0, json: { outcome: 'discarded' } });
    expect(await behind).toMatchObject({ code: 1, json: { outcome: 'discarded' } });
    expect(await gateway.status()).toMatchObject({ waiting: 1 });
    await folder.release('one');
    expect((await first).json.outcome).toBe('answered');
    expect((await after).json.outcome).toBe('answered');
    expect(await gateway.stop()).toMatchObject({ code: 0 });
  });

  test('is recovered, and cannot be given up, where it was worked on when its gateway was killed', async () => {
    const gateway = await gatewayHere();
    const { folder } = gateway;
    folder.fifo('one');
    await gateway.post('wait one', { id: 'begun' });
    await gateway.inFlight('turns', 1);
    await gateway.post('behind', { id: 'behind' });
    await gateway.statusWhere(({ waiting }) => waiting === 1);
    await gateway.kill9();
    const refused = await alone(folder, 'messages', 'discard', 'begun');
    expect(refused).toMatchObject({ code: 3, stdout: '' });
    expect(refused.stderr).toContain(
      'nothing to discard: it was being worked on when its gateway went down: the next start recovers it',
    );
    expect(await alone(folder, 'messages', 'discard', 'behind')).toMatchObject({ code: 0 });
    const next = await gatewayHere({ folder });
    expect(await next.status()).toMatchObject({ awaitingResume: 1, held: 0 });
    await next.stop();
  });

  test('is left alone once it is being worked on', async () => {
    const gateway = await gatewayHere();
    gateway.folder.fifo('one');
    const turn = gateway.send('wait one', { id: 'busy' });
    await gateway.inFlight('turns', 1);
    const { code, stderr } = await gateway.cli('messages', 'discard', 'busy');
    expect(code).toBe(3);
    const hint =
      /nothing to discard: it is being worked on: `sluice (exec --cancel \w+)` ends what runs/.exec(stderr);
    expect(await gateway.cli(...(hint?.[1] ?? '').split(' '))).toMatchObject({ code: 0 });
    expect((await turn).json.outcome).toBe('interrupted');
  });
});

describe('what cannot be changed', () => {
  test('while another program has the store locked is left as it is: a message is answered, a reply sent', async () => {
    const folder = folderHere();
    const { server, gateway } = await withPlatform(folder);
    await gateway.cli('drain');
    await server.deliver({ id: '1', from: 'ann', text: 'hello', whenBusy: 'queue' });
    {
      using _lock = new StoreLock(folder.home);
      const refused = await gateway.cli('messages', 'discard', '1', '--json');
      expect(refused).toMatchObject({ code: 3, json: { error: { code: 'STORE_UNAVAILABLE' } } });
      expect(await gateway.status()).toMatchObject({ held: 1 });
      await gateway.kill9();
    }
    const next = await onPlatform(server, folder);
    await server.reached(({ text }) => text.includes('hello'));
    expect(await listed(next.cli('messages', 'list', '--outcome', 'answered', '--json'))).toHaveLength(1);
  });

  test('because the gateway is stopped is not changed when it goes on', async () => {
    const { server, gateway } = await withPlatform();
    await gateway.cli('drain');
    await server.deliver({ id: '1', from: 'ann', text: 'hello', whenBusy: 'queue' });
    gateway.signal('SIGSTOP');
    const silent = await gateway.cli('messages', 'discard', '1');
    expect(silent).toMatchObject({ code: 1, stdout: '' });
    expect(silent.stderr).toContain('nothing is changed, unless it had begun by then');
    expect(silent.stderr).toContain('messages show 1');
    gateway.signal('SIGCONT');
    await gateway.cli('drain', '--cancel');
    await server.reached(({ text }) => text.includes('hello'));
  });

  test('because its id says nothing is refused in words', async () => {
    const gateway = await gatewayHere();
    for (const verb of ['show', 'retry', 'discard']) {
      const refused = await gateway.cli('messages', verb, '');
      expect(refused, verb).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('give an id'),
      });
      const unknown = await gateway.cli('messages', verb, 'nope');
      expect(unknown, verb).toMatchObject({ code: 1, stderr: expect.stringContaining('shows the newest') });
    }
  });
});
