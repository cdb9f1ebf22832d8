/** Agents are other people's programs: whatever one does, its turn gets one honest outcome and the next one runs. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EventClient } from '../support/event-client.ts';
import { TestFolder, TestGateway } from '../support/gateway.ts';
import { childrenOf, storeRows } from '../support/home-files.ts';
import { polled } from '../support/polling.ts';
import { RunningCli } from '../support/running-cli.ts';

/** Programs that misbehave, each in its own way. */
const AGENTS: Readonly<Record<string, string>> = {
  missing: '["./nowhere.sh"]',
  'not-executable': '["./data.txt"]',
  crashes: '"kill -SEGV $$"',
  killed: '"kill -KILL $$"',
  fails: '"echo half an answer; echo first line >&2; echo the last line >&2; exit 3"',
  'fails-oddly': `"printf 'bad \\\\033[31m\\\\007\\\\377 %0300d' 0 >&2; exit 4"`,
  endless: '"echo so far; exec sleep 600"',
  deaf: '"trap : TERM; echo so far; while :; do sleep 600; done"',
  floods: '"head -c 100000000 /dev/zero | tr \'\\\\0\' x"',
  'stdin-closed': '"exec <&-; echo never read it"',
  silent: '"true"',
  blank: '"echo; echo"',
  binary: `"printf 'a\\\\377b\\\\303'"`,
  'leaves-behind': '"sleep 600 & echo done"',
  counts: '"read -r text; echo $text"',
};

/** The timeout is what ends these; the others end by themselves, and must not meet it. */
const TIMEOUT_S: Readonly<Record<string, number>> = { endless: 2, deaf: 2 };

const config = `agents:
${Object.entries(AGENTS)
  .map(
    ([name, command]) =>
      `  ${name}: { type: command, command: ${command}, turn_timeout: ${TIMEOUT_S[name] ?? 60} }`,
  )
  .join('\n')}
  narrow: { type: command, command: ["cat", "-", "gate"], max_turns: 1 }`;

let gateway: TestGateway;
let socket: { socketPath: string };
let folder: TestFolder;

beforeAll(async () => {
  folder = new TestFolder();
  writeFileSync(join(folder.path, 'data.txt'), 'no program');
  chmodSync(join(folder.path, 'data.txt'), 0o644);
  gateway = await TestGateway.start({ folder, config });
  socket = { socketPath: join(folder.home, 'control.sock') };
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const ask = async (agent: string, text = 'hello') =>
  (await gateway.send(text, { agent, conversation: agent })).json;

describe('an agent that', () => {
  const failures: readonly [string, RegExp][] = [
    [
      'missing',
      /^No answer: the agent missing could not be started \(\S*nowhere\.sh does not exist\)\. Correct agents\.missing\.command\.$/,
    ],
    ['not-executable', /^No answer: the agent not-executable could not be started \(.*may not be executed/],
    ['crashes', /^No answer: the agent crashes ended with SIGSEGV\. Send it again/],
    ['killed', /^No answer: the agent killed ended with SIGKILL\. Send it again/],
    ['silent', /^No answer: the agent gave no answer\. Send it again/],
    ['blank', /^No answer: the agent gave no answer\. Send it again/],
  ];
  test.each(failures)('is %s fails its turn with the cause and a next step', async (agent, reply) => {
    expect(await ask(agent)).toMatchObject({
      admission: 'dispatch',
      outcome: 'failed',
      replies: [expect.stringMatching(reply)],
    });
  });

  test('exits with 3 keeps what it had said, and its last words on stderr are the cause', async () => {
    expect(await ask('fails')).toMatchObject({
      outcome: 'failed',
      replies: [
        'half an answer\n',
        'No answer: the agent fails ended with exit code 3: the last line. Send it again, or look at the agent itself.',
      ],
    });
    const [reply] = (await ask('fails-oddly')).replies;
    expect(reply).toMatch(/^No answer: the agent fails-oddly ended with exit code 4: bad {2}\[31m/);
    expect(reply).not.toMatch(/\p{Cc}/u);
    expect(reply.length).toBeLessThan(350);
  });

  test('never ends is ended at its timeout with all its tree, and what it said is kept', async () => {
    const names = ['endless', 'deaf'];
    for (const [at, answer] of (await Promise.all(names.map((name) => ask(name)))).entries()) {
      const name = names[at];
      expect(answer).toMatchObject({
        outcome: 'failed',
        outcomeReason: 'timeout',
        replies: [
          'so far\n',
          expect.stringMatching(
            new RegExp(
              `^No answer: the agent ${name} took longer than 2 s, and said nothing in the last [12] s\\. .* agents\\.${name}\\.turn_timeout\\.$`,
            ),
          ),
        ],
      });
    }
    expect(childrenOf(gateway.pid)).toEqual([]);
  });

  test('prints 100 MB is cut, said so, and costs no memory to speak of', async () => {
    const { outcome, replies } = await ask('floods');
    expect(outcome).toBe('answered');
    expect(replies[0].length).toBeLessThan(1_000_100);
    expect(replies[0]).toMatch(/^x+\n\[cut: the answer was longer\]$/);
  });

  test('closes its stdin early, or prints bytes that are no text, is taken as it is', async () => {
    expect(await ask('stdin-closed', 'x'.repeat(200_000))).toMatchObject({ replies: ['never read it\n'] });
    expect(await ask('binary')).toMatchObject({ outcome: 'answered', replies: ['a\uFFFDb\uFFFD'] });
  });

  test('leaves a process behind that holds its output is answered all the same', async () => {
    expect(await ask('leaves-behind')).toMatchObject({ outcome: 'answered', replies: ['done\n'] });
    expect(childrenOf(gateway.pid)).toEqual([]);
  });

  test('does not exist by that name is refused with the near one', async () => {
    expect(await ask('silnet')).toMatchObject({
      admission: 'refuse',
      reason: 'arguments',
      replies: ['There is no agent named silnet. Did you mean silent? /agent lists them.'],
    });
  });
});

describe('turns', () => {
  test('ten quick messages of one conversation are answered one by one, in order', async () => {
    using chart = await EventClient.open(socket, '/v1/inspect');
    await chart.next((one) => one.event === 'snapshot');
    const texts = Array.from({ length: 10 }, (_, n) => `number ${n}`);
    // Each behind the decision about the one before: which of two connections is heard first, nobody can say.
    for (const text of texts) await gateway.post(text, { conversation: 'quick', id: text });
    const answers = await Promise.all(texts.map((text) => gateway.outcome(text)));
    expect(answers.map(({ replies }) => replies)).toEqual(texts.map((text) => [`echo: ${text}\n`]));
    expect(new Set(answers.map(({ messageId }) => messageId)).size).toBe(10);
    const turns = storeRows(
      folder.home,
      `SELECT inbox.text FROM turns JOIN turn_messages ON turn_id = turns.id JOIN inbox ON message_id = inbox.id
        WHERE turns.conversation = 'local:quick' ORDER BY turns.seq`,
    );
    expect(turns.map(({ text }) => text)).toEqual(texts);
    // Whoever asks for the outcome of an id is counted as well, in another conversation, until the id is known.
    const isHere = ({ conversation }: { conversation: string }) => conversation === 'local:quick';
    const atOnce = chart.events.flatMap(
      ({ data }) => data.status?.inFlight.turns.filter(isHere).length ?? [],
    );
    expect(Math.max(...atOnce)).toBe(1);
  });

  test('two conversations are answered side by side', async () => {
    for (const name of ['left', 'right']) folder.fifo(name);
    const left = gateway.send('wait left', { conversation: 'a' });
    const right = gateway.send('wait right', { conversation: 'b' });
    await gateway.inFlight('turns', 2);
    await folder.release('right');
    expect((await right).json.replies).toEqual(['started right\nfinished right\n']);
    await folder.release('left');
    expect((await left).json.replies).toEqual(['started left\nfinished left\n']);
  });

  test("an agent's max_turns and the gateway's are both kept, and what waited runs afterwards", async () => {
    folder.fifo('gate');
    const narrow = [1, 2].map((n) => gateway.send(`n${n}`, { agent: 'narrow', conversation: `narrow-${n}` }));
    await gateway.inFlight('turns', 1);
    folder.fifo('many');
    const many = Array.from({ length: 8 }, (_, n) =>
      gateway.send('wait many', { conversation: `many-${n}` }),
    );
    await gateway.inFlight('turns', 8);
    const { inFlight } = await gateway.status();
    expect(inFlight.turns.filter(({ agent }: { agent: string }) => agent === 'narrow')).toHaveLength(1);
    // Each release lets go everyone who has opened the FIFO by then.
    await Promise.all([letGoUntil('gate', Promise.all(narrow)), letGoUntil('many', Promise.all(many))]);
    expect((await Promise.all(narrow)).map(({ json }) => json.replies)).toEqual([['n1'], ['n2']]);
    expect((await Promise.all(many)).map(({ json }) => json.outcome)).toEqual(Array(8).fill('answered'));
  });

  test('what an agent says is streamed before its turn ends, and the events tell its whole way', async () => {
    folder.fifo('stream');
    using sender = await EventClient.open(socket, '/v1/messages', {
      text: 'wait stream',
      conversation: 'streamed',
    });
    await sender.next((one) => one.event === 'delta');
    expect(sender.events.map(({ event }) => event)).toEqual(['admission', 'delta']);
    expect(sender.events[1]?.data).toEqual({ text: 'started stream\n' });
    await folder.release('stream');
    await sender.ended;
    expect(sender.events.map(({ event }) => event)).toEqual([
      'admission',
      'delta',
      'delta',
      'reply',
      'settled',
    ]);
    expect(sender.events[3]?.data).toEqual({ text: 'started stream\nfinished stream\n' });
    expect(sender.events[4]?.data).toMatchObject({ outcome: 'answered', recorded: true });
  });

  test('the same id sent again while its turn runs follows the first one, and after it has its outcome', async () => {
    folder.fifo('twice');
    const first = gateway.send('wait twice', { id: 'twice', conversation: 'twice' });
    await gateway.inFlight('turns', 1);
    using again = await EventClient.open(socket, '/v1/messages', { text: 'wait twice', id: 'twice' });
    expect((await again.next((one) => one.event === 'admission')).data).toMatchObject({ duplicate: true });
    await folder.release('twice');
    await again.ended;
    const replies = ['started twice\nfinished twice\n'];
    expect(again.events.at(-1)?.data).toMatchObject({ outcome: 'answered', replies });
    expect((await first).json).toMatchObject({ outcome: 'answered', duplicate: false, replies });
    const later = await gateway.send('something else', { id: 'twice' });
    expect(later.json).toMatchObject({ outcome: 'answered', duplicate: true, replies });
  });

  test('whoever asks again for a turn that runs reads all of its answer as it comes, and each part once', async () => {
    folder.fifo('caught');
    const first = { text: 'wait caught', id: 'caught', conversation: 'caught' };
    using sender = await EventClient.open(socket, '/v1/messages', first);
    await sender.next((one) => one.event === 'delta');
    const words = ['send', 'wait caught', '--id', 'caught', '--home', folder.home];
    await using again = new RunningCli(words, folder.path);
    // Said before it asked, and shown to it before the turn says anything else.
    await again.prints('started caught\n');
    await folder.release('caught');
    const whole = 'started caught\nfinished caught\n';
    expect(await again.result()).toMatchObject({ code: 0, stdout: whole });
    await sender.ended;
    expect(sender.events.at(-1)?.data).toMatchObject({ replies: [whole] });
  });

  test('/interrupt ends the turn of its conversation alone, /cancel any turn by its id', async () => {
    for (const name of ['mine', 'other']) folder.fifo(name);
    const mine = gateway.send('wait mine', { conversation: 'mine' });
    await gateway.inFlight('turns', 1);
    const other = gateway.send('wait other', { conversation: 'other' });
    await gateway.turnsBegun(2);
    const { replies } = (await gateway.send('/ps')).json;
    expect(replies[0]).toMatch(
      /^t_\w+ turn of default in local:mine, \d+ s\nt_\w+ turn of default in local:other/,
    );
    expect((await gateway.send('/interrupt', { conversation: 'mine' })).json.replies).toEqual([
      'Interrupting.',
    ]);
    expect((await mine).json).toMatchObject({
      outcome: 'interrupted',
      replies: [
        'started mine\n',
        'Interrupted: local:owner asked for it. Send it again if it is still wanted.',
      ],
    });
    const { inFlight } = await gateway.status();
    expect(inFlight.turns).toMatchObject([{ conversation: 'local:other' }]);
    const [{ id }] = inFlight.turns;
    expect((await gateway.send(`/cancel ${id}`)).json.replies).toEqual([`Ending ${id}.`]);
    expect((await other).json).toMatchObject({ outcome: 'interrupted' });
    expect((await gateway.send('/interrupt', { conversation: 'mine' })).json.replies).toEqual([
      'Nothing to interrupt: no turn of this conversation is running.',
    ]);
    expect(childrenOf(gateway.pid)).toEqual([]);
  });
});

/** Opens the FIFO again and again until everybody who waits on it has gone on. */
async function letGoUntil(name: string, all: Promise<unknown>): Promise<void> {
  let over = false;
  void all.then(() => {
    over = true;
  });
  await polled(() => {
    folder.letGo(name);
    return over;
  }, `everybody who waits on ${name} to go on`);
}
