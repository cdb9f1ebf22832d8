/**
 * A turn that the end of a life cuts off: what it had said is told, and its message goes on by itself, when a person says
 * so, or not, as the configuration and what is known of the turn say. Exactly one answer comes of it.
 */
import { describe, expect, onTestFinished, test } from 'vitest';
import { standInAgent, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';
import { OpenAiStandIn } from '../support/openai-stand-in.ts';
import { polled } from '../support/polling.ts';
import { RunningCli } from '../support/running-cli.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';

const ACCESS = 'access: { owners: ["standin:ann"], users: ["standin:bob"] }';

const agent = (more = '') => `agent: { type: command, command: ["${standInAgent}"]${more} }`;
const HARMLESS = agent(', effects: none');

/** A folder in which a turn can wait for `one`, and lives in it with this configuration, one after the other. */
function lives(config: string) {
  const folder = new TestFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  folder.writeConfig(testConfig(config));
  folder.fifo('one');
  const live = async (options: { early?: boolean } = {}): Promise<TestGateway> => {
    const gateway = await TestGateway.start({ folder, ...options });
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    return gateway;
  };
  const rows = (sql: string) => storeRows(folder.home, sql);
  return { folder, live, rows };
}

/** The same with people on a chat platform. */
async function chatLives(config: string) {
  const server = await StandInServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const given = lives(`${server.config}\n${ACCESS}\n${config}`);
  const live = async (options: { early?: boolean } = {}): Promise<TestGateway> => {
    const gateway = await startWithStandIn(server, {
      folder: given.folder,
      config: `${ACCESS}\n${config}`,
      ...options,
    });
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    return gateway;
  };
  return { ...given, server, live };
}

/** Waits until what a running turn has streamed is on disk. */
const streamed = (rows: (sql: string) => unknown[]) =>
  polled(() => rows("SELECT id FROM turns WHERE streamed <> '' AND ended_at IS NULL").length > 0, 'progress');

/** `sluice send` that waits for its answer. */
const sending = ({ folder }: TestGateway, text = 'wait one', id = 'one') =>
  new RunningCli(['send', text, '--id', id, '--conversation', id, '--home', folder.home], folder.path);

const textsTo = (server: StandInServer, name: string) =>
  server.sent.filter(({ conversation }) => conversation === `standin:${name}`).map(({ text }) => text);

describe('after kill -9 mid-turn', () => {
  test('a turn that can have changed nothing is answered again by itself, and its person hears what it had said', async () => {
    const { server, folder, live, rows } = await chatLives(HARMLESS);
    const first = await live();
    await server.deliver({ id: '1', from: 'ann', text: 'wait one' });
    await streamed(rows);
    await first.kill9();
    const second = await live();
    await second.inFlight('turns', 1);
    await folder.release('one');
    await server.reached(({ text }) => text.includes('finished one'));
    expect(textsTo(server, 'ann')).toEqual([
      'started one\n\n\nThe gateway went down while this was being answered. It is being answered again, from the beginning.',
      'started one\nfinished one\n',
    ]);
    expect(rows('SELECT outcome, attempt, reason FROM turns ORDER BY seq')).toEqual([
      { outcome: 'interrupted', attempt: 1, reason: 'gateway-died' },
      { outcome: 'answered', attempt: 2, reason: null },
    ]);
    await second.stop();
  });

  test('one that may have changed something waits for /resume, which has it answered exactly once', async () => {
    const { server, folder, live, rows } = await chatLives(agent());
    const first = await live();
    await server.deliver({ id: '1', from: 'ann', text: 'wait one' });
    await streamed(rows);
    await first.kill9();
    const second = await live();
    await server.reached(({ text }) =>
      /^started one\n[\s\S]*Send \/resume to have it answered after all\.$/.test(text),
    );
    expect(await second.status()).toMatchObject({ awaitingResume: 1, held: 0, inFlight: { turns: [] } });

    // It is still waiting after another death, and nobody is told again.
    await polled(() => rows("SELECT id FROM outbox WHERE state <> 'delivered'").length === 0, 'the marks');
    await second.kill9();
    const third = await live();
    expect(await third.status()).toMatchObject({ awaitingResume: 1, inFlight: { turns: [] } });
    await server.deliver({ id: '2', from: 'ann', text: '/resume' });
    await third.inFlight('turns', 1);
    await server.deliver({ id: '2', from: 'ann', text: '/resume' });
    await folder.release('one');
    await server.reached(({ text }) => text.includes('finished one'));
    await server.deliver({ id: '3', from: 'ann', text: '/resume' });
    await server.reached(({ text }) => text.startsWith('Nothing of this conversation waits'));
    expect(textsTo(server, 'ann')).toEqual([
      expect.stringMatching(/^started one\n\n\nThe gateway went down/),
      'Being answered now: 1 message of this conversation that waited for /resume.',
      'started one\nfinished one\n',
      'Nothing of this conversation waits to be resumed.',
    ]);
    expect(
      rows('SELECT platform_message_id AS id, outcome, merged_into IS NULL AS alone FROM inbox ORDER BY seq'),
    ).toEqual([
      { id: '1', outcome: 'answered', alone: 1 },
      { id: '2', outcome: 'merged', alone: 0 },
      { id: '3', outcome: 'done', alone: 1 },
    ]);
    await third.stop();
  });

  test('with `resume: always` one that may have changed something goes on by itself, too', async () => {
    const { folder, live, rows } = lives(`${agent()}\nturns: { resume: always }`);
    const first = await live();
    await first.post('wait one', { id: 'one' });
    await first.inFlight('turns', 1);
    await first.kill9();
    const second = await live();
    await second.inFlight('turns', 1);
    await folder.release('one');
    expect(await second.outcome('one')).toMatchObject({
      outcome: 'answered',
      replies: ['started one\nfinished one\n'],
    });
    expect(rows('SELECT count(*) AS n FROM turns')).toEqual([{ n: 2 }]);
    await second.stop();
  });

  test('with `resume: never` it is interrupted, and the reply has what it had said', async () => {
    const { live, rows } = lives(`${HARMLESS}\nturns: { resume: never }`);
    const first = await live();
    await first.post('wait one', { id: 'one' });
    await streamed(rows);
    await first.kill9();
    const second = await live();
    expect(await second.outcome('one')).toMatchObject({
      outcome: 'interrupted',
      replies: [
        'started one\n\n\nThe gateway went down while this was being answered. Send it again if it is still wanted.',
      ],
    });
    expect((await second.send('/resume')).json).toMatchObject({ outcomeReason: 'nothing-to-resume' });
    await second.stop();
  });

  test('a model behind an HTTP API is asked again by itself: it can have changed nothing', async () => {
    const model = await OpenAiStandIn.start();
    onTestFinished(() => model[Symbol.asyncDispose]());
    const { live } = lives(`agent: { type: openai, base_url: "${model.baseUrl}", model: m }`);
    model.answer = () => {};
    const first = await live();
    await first.post('hello', { id: 'one' });
    (await model.question(0)).say('half an ans');
    await first.kill9();
    const second = await live();
    (await model.question(1)).say('whole').end();
    expect(await second.outcome('one')).toMatchObject({ outcome: 'answered', replies: ['whole'] });
    await second.stop();
  });

  test('a new message that arrives together with the resume comes after it', async () => {
    const { server, folder, live, rows } = await chatLives(HARMLESS);
    const first = await live();
    await first.post('wait one', { id: 'one', conversation: 'c' });
    await first.inFlight('turns', 1);
    await first.kill9();
    server.hold('connect');
    const second = await live({ early: true });
    const posted = await polled(
      () => second.post('hello', { id: 'new', conversation: 'c' }).catch(() => undefined),
      'the control socket',
    );
    expect(posted).toMatchObject({ status: 202, json: { admission: 'hold' } });
    server.release('connect');
    await second.ready();
    await second.inFlight('turns', 1);
    expect((await second.post('hello again', { id: 'newer', conversation: 'c' })).status).toBe(202);
    await folder.release('one');
    expect(await second.outcome('newer')).toMatchObject({ replies: ['echo: hello again\n'] });
    const turns = rows(
      'SELECT platform_message_id AS id FROM turns JOIN turn_messages ON turn_id = turns.id JOIN inbox ON message_id = inbox.id ORDER BY turns.seq',
    );
    expect(turns.map(({ id }) => id)).toEqual(['one', 'one', 'new', 'newer']);
    await second.stop();
  });
});

test('a start knows from what was written of each turn (accepted, started, progress, settled), and does not guess', async () => {
  const { server, folder, live, rows } = await chatLives(agent(', effects: none, max_turns: 1'));
  const first = await live();
  await server.deliver({ id: 'settled', from: 'ann', text: 'long ago' });
  await server.reached(({ text }) => text === 'echo: long ago\n');
  await server.deliver({ id: 'started', from: 'ann', text: 'wait one' });
  await streamed(rows);
  await server.deliver({ id: 'accepted', from: 'bob', text: 'just now' });
  expect(rows('SELECT platform_message_id AS id, phase FROM inbox ORDER BY seq')).toEqual([
    { id: 'settled', phase: 'settled' },
    { id: 'started', phase: 'started' },
    { id: 'accepted', phase: 'waiting' },
  ]);
  await first.kill9();
  const second = await live();
  await second.inFlight('turns', 1);
  await folder.release('one');
  await server.reached(({ text }) => text === 'echo: just now\n');
  expect(textsTo(server, 'ann')).toEqual([
    'echo: long ago\n',
    expect.stringMatching(/^started one\n\n\nThe gateway went down/),
    'started one\nfinished one\n',
  ]);
  // Its turn had not begun: nothing went wrong for whoever wrote it.
  expect(textsTo(server, 'bob')).toEqual(['echo: just now\n']);
  await second.stop();
});

describe('a restart whose deadline passes', () => {
  const AT_ONCE = 'restart_drain_timeout: 0';

  test('keeps a turn that can have changed nothing for the next life; HTTP hears 202 and `sluice send` the answer', async () => {
    const { folder, live } = lives(agent(`, effects: none, ${AT_ONCE}`));
    const gateway = await live();
    // Its own: whoever already waits on one FIFO is let go together with all others who do.
    folder.fifo('two');
    const http = gateway.send('wait one', { id: 'http', conversation: 'http' });
    await using cli = sending(gateway, 'wait two', 'cli');
    await cli.prints('started two');
    await gateway.inFlight('turns', 2);
    gateway.signal('SIGUSR1');
    expect(await http).toMatchObject({
      status: 202,
      json: {
        admission: 'hold',
        text: expect.stringMatching(/^Interrupted: .*answered again, from the beginning/),
      },
    });
    await gateway.ready(2);
    await gateway.inFlight('turns', 2);
    await folder.release('one');
    expect(await gateway.outcome('http')).toMatchObject({
      outcome: 'answered',
      replies: ['started one\nfinished one\n'],
    });
    await folder.release('two');
    const { code, stdout, stderr } = await cli.result();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^started two\n[\s\S]*Interrupted: [\s\S]*started two\nfinished two\n$/);
    await gateway.stop();
  });

  test('asks about one that may have changed something: `sluice send` prints that and fails', async () => {
    const { live } = lives(agent(`, ${AT_ONCE}`));
    const gateway = await live();
    await using cli = sending(gateway);
    await cli.prints('started one');
    gateway.signal('SIGUSR1');
    const { code, stdout, stderr } = await cli.result();
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/^started one\n\n?Interrupted: [^\n]*Send \/resume when it is back[^\n]*\n$/);
    await gateway.ready(2);
    // Asked for again, it is said again, and waits for nothing.
    expect(await gateway.cli('send', 'wait one', '--id', 'one', '--json')).toMatchObject({
      code: 1,
      json: { duplicate: true, outcome: null, text: expect.stringContaining('Send /resume when it is back') },
    });
    expect(await gateway.send('wait one', { id: 'one' })).toMatchObject({
      status: 202,
      json: { text: expect.stringContaining('Send /resume when it is back') },
    });
    await gateway.stop();
  });
});

describe('`sluice send` that waits over a kill -9', () => {
  test('is told by the next life that a word is asked for, and fails', async () => {
    const { live } = lives(agent());
    const first = await live();
    await using cli = sending(first);
    await cli.prints('started one');
    await first.kill9();
    const second = await live();
    const { code, stdout, stderr } = await cli.result();
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/^started one\n[\s\S]*Send \/resume to have it answered after all\.\n$/);
    await second.stop();
  });

  test('prints the answer once, and nothing in between of what came while it was not there', async () => {
    const { folder, live } = lives(HARMLESS);
    const first = await live();
    const running = first.cli('send', 'wait one', '--conversation', 'a');
    await first.inFlight('turns', 1);
    await first.kill9();
    const second = await live();
    await second.inFlight('turns', 1);
    await folder.release('one');
    const { code, stdout } = await running;
    expect(code).toBe(0);
    // What had been said before the kill is how the whole answer begins.
    expect(stdout).toBe('started one\nfinished one\n');
    await second.stop();
  });
});
