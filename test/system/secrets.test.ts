/**
 * Canaries: secrets planted wherever a gateway knows any, and whatever people and programs can make it say. What is
 * executed has them as they are; nothing that leaves the gateway does.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EventClient } from '../support/event-client.ts';
import { httpRequest, runCli, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';
import { OpenAiStandIn } from '../support/openai-stand-in.ts';

/** By where they are planted. */
const PLANTED = {
  variable: 'canary-of-a-variable',
  password: 'canary "quoted" \\ password',
  modelKey: 'canary-of-a-model-key',
  commandLine: 'c4nary-of-a-command-line',
  list: 'c4nary-of-a-list-of-words',
  aliasTarget: 'c4nary-of-an-alias',
  argument: 'canary-of-a-default',
};

const ENV = {
  CANARY_TOKEN: PLANTED.variable,
  CANARY_PASSWORD: PLANTED.password,
  MODEL_ACCESS: PLANTED.modelKey,
};

const configOf = (server: OpenAiStandIn): string => `
agent: { type: openai, base_url: "${server.baseUrl}", model: m, api_key_env: MODEL_ACCESS, failure_threshold: 1 }
agents: { shell: { type: command, command: [sh, -c, 'printf "%s" "$MODEL_ACCESS $(cat "$SLUICE_HOME/token")"; printf "%s" "$MODEL_ACCESS" >&2; exit 3'] } }
quick_commands:
  leak:
    type: exec
    command: 'printf "%s" "$CANARY_TOKEN" > got; echo "$CANARY_TOKEN"; echo "$CANARY_PASSWORD" >&2; cat "$SLUICE_HOME/token"; exit 3'
    env: [CANARY_TOKEN, CANARY_PASSWORD]
  coloured: { type: exec, command: 'printf "canary-of-\\\\033[31ma-variable\\\\033[0m"' }
  line: { type: exec, command: "no-such-program --token ${PLANTED.commandLine}; echo $0 ${PLANTED.commandLine}" }
  list: { type: exec, command: [echo, --api-key, ${PLANTED.list}] }
  alias: { type: alias, target: "/leak --token ${PLANTED.aliasTarget}" }
  default: { type: exec, command: 'echo "$TOKEN"', args: { TOKEN: { default: ${PLANTED.argument} } } }`;

/** Whatever a person can send that makes a gateway say something about it, or about itself. */
const TEXTS = [
  ...['/leak', '/coloured', '/line', '/list', '/alias', '/default', '/help', '/commands', '/status', '/ps'],
  ...Object.values(PLANTED).flatMap((secret) => [
    `/leak ${secret}`,
    `/${secret.split(' ')[0]}`,
    `/cancel ${secret.split(' ')[0]}`,
    `/agent ${secret.split(' ')[0]}`,
  ]),
];

test('a secret is in no reply, no row of one, no log, status, stream or report; what is run has it', async () => {
  await using server = await OpenAiStandIn.start();
  using folder = new TestFolder();
  writeFileSync(
    join(folder.path, 'throwing.mjs'),
    "process.on('SIGUSR2', () => { throw new Error(Object.values(process.env).join(' ')); });",
  );
  await using gateway = await TestGateway.start({
    folder,
    config: configOf(server),
    env: ENV,
    nodeArgs: ['--import', join(folder.path, 'throwing.mjs')],
  });
  const socket = { socketPath: join(folder.home, 'control.sock') };
  const { token } = await gateway.http();
  const streams = await Promise.all(
    ['/v1/inspect', '/v1/logs', '/v1/conversations/default/events'].map((path) =>
      EventClient.open(socket, path),
    ),
  );
  const shown: unknown[] = [];

  // A model that says its key back, cut anywhere, and then refuses with it.
  server.answer = (asked) => {
    const [, key = ''] = /Bearer (.*)/.exec(asked.request.headers.authorization ?? '') ?? [];
    if (asked.question === 'refuse') asked.refuse(500, { error: { message: `bad key ${key}` } });
    else
      asked
        .say('it is ', ...key, ', or', ` ${key.slice(0, 7)}`, key.slice(7), '. Not canary-of-a', ' bird')
        .end();
  };
  const answered = await gateway.send('which key?');
  expect(answered.json.replies).toEqual(['it is [redacted], or [redacted]. Not canary-of-a bird']);
  shown.push(answered.json);
  for (const text of TEXTS) shown.push((await gateway.send(text)).json);
  shown.push((await gateway.send('and yours?', { agent: 'shell' })).json);
  shown.push((await gateway.send('refuse')).json);
  expect((await gateway.status()).degraded).toEqual(['agent:default']);

  for (const [method, path] of [
    ['GET', '/v1/status'],
    ['GET', '/v1/commands'],
    ['GET', `/v1/messages/${answered.json.messageId}`],
  ] as const) {
    shown.push((await gateway.request(method, path)).json);
  }
  for (const words of [
    ['exec'],
    ['exec', 'leak'],
    ['exec', 'line'],
    ['status'],
    ['logs'],
    // A list of messages shows what people wrote, as they wrote it; what was said to them is redacted.
    ['messages', 'show', String(answered.json.messageId)],
  ]) {
    const { stdout, stderr } = await gateway.cli(...words);
    shown.push(stdout, stderr);
  }
  gateway.signal('SIGUSR2');
  expect((await gateway.exited).code).toBe(70);
  const logs = join(folder.home, 'logs');
  for (const name of readdirSync(logs)) shown.push(readFileSync(join(logs, name), 'utf8'));
  expect(readdirSync(logs).join()).toContain('crash-');
  shown.push(readFileSync(join(folder.home, 'status.json'), 'utf8'), gateway.stderr);
  for (const { events } of streams) {
    expect(events.length).toBeGreaterThan(3);
    // What a person wrote is shown to them as they wrote it.
    shown.push(events.filter(({ event }) => event !== 'message'));
  }
  for (const table of ['outbox', 'commands', 'turns', 'journal']) {
    shown.push(storeRows(folder.home, `SELECT * FROM ${table}`));
  }
  // And what this command says without a gateway, by the same configuration.
  const words = ['exec', 'leak', '--home', folder.home, '--config', folder.configPath];
  const alone = await runCli(words, folder.path, ENV);
  expect(alone.stderr).toContain('run by this process');
  shown.push(alone.stdout, alone.stderr, storeRows(folder.home, 'SELECT * FROM commands'));

  const all = shown.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n');
  for (const secret of [...Object.values(PLANTED), token]) {
    for (const form of [secret, JSON.stringify(secret).slice(1, -1)]) expect(around(all, form)).toBe('');
  }
  expect(all.split('[redacted]').length).toBeGreaterThan(40);
  expect(alone.stdout).toMatch(/^\[redacted\]\n\[redacted\]\n\[redacted\]\n\/leak failed: exit code 3/);
  expect(readFileSync(join(folder.path, 'got'), 'utf8')).toBe(PLANTED.variable);
  for (const stream of streams) stream[Symbol.dispose]();
});

test('a secret in a file that is not valid, or in a change of it, is told nowhere', async () => {
  const canary = (nth: number) => `canary-of-file-${nth}`;
  const sec = (argument: string) =>
    testConfig(
      `quick_commands:\n  sec:\n    type: exec\n    command: "true"\n    args:\n      API_KEY: ${argument}\n`,
    );
  await using gateway = await TestGateway.start({ configText: sec(`{ default: ${canary(1)} }`) });
  const page = async (path: string, body?: unknown) => {
    const { url, token } = await gateway.http();
    const { hostname, port, host } = new URL(url);
    const headers = { host, authorization: `Bearer ${token}` };
    return httpRequest({ host: hostname, port: Number(port), headers }, 'POST', path, body);
  };
  const shown: unknown[] = [];
  const tellAll = async () => {
    for (const words of [
      ['reload'],
      ['restart'],
      ['config', 'check'],
      ['config', 'plan'],
      ['status'],
      ['logs'],
    ]) {
      for (const json of [[], ['--json']]) {
        if (words[0] === 'logs' && json.length > 0) continue;
        const { stdout, stderr } = await gateway.cli(...words, ...json);
        shown.push(stdout, stderr);
      }
    }
    for (const text of ['/restart', '/status']) shown.push((await gateway.send(text)).json);
    shown.push(await page('/v1/reload'), await gateway.request('POST', '/v1/reload'));
  };

  // Valid, so it is known, and would be told of the change.
  gateway.folder.writeConfig(sec(`{ default: ${canary(2)} }`));
  for (const words of [['config', 'plan'], ['reload']]) shown.push((await gateway.cli(...words)).stdout);
  expect(shown.join('\n')).toMatch(/API_KEY\.default {2}\(hidden\) → \(hidden\)/);

  gateway.folder.writeConfig(sec(`{ pattern: "[0-9]+", default: "${canary(3)}" }`));
  shown.push(await page('/v1/lifecycle', { intent: 'restart' }));
  await tellAll();
  expect(JSON.stringify(shown)).toContain('API_KEY.default: *** does not match the pattern');
  // No YAML: without its colon it is a key.
  gateway.folder.writeConfig(sec(`x\n      API_TOKEN ${canary(5)}`));
  await tellAll();
  gateway.folder.writeConfig(sec(`${canary(4)}`));
  await tellAll();

  gateway.signal('SIGUSR1');
  await gateway.ready(2);
  const { warnings } = await gateway.status();
  expect(warnings).toEqual([
    expect.stringMatching(/^running on the last good configuration, because: .*API_KEY: \*\*\*/),
  ]);
  await tellAll();
  const { folder, lines, stderr } = gateway;
  await gateway.stop();
  shown.push(lines, stderr);
  for (const name of readdirSync(join(folder.home, 'logs'))) {
    shown.push(readFileSync(join(folder.home, 'logs', name), 'utf8'));
  }
  for (const name of readdirSync(folder.home)) {
    // What a gateway last ran on is kept as it is, for its owner.
    if (/^(?:sluice\.db|status\.json)/.test(name))
      shown.push(readFileSync(join(folder.home, name), 'latin1'));
  }
  const all = shown.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n');
  expect(around(all, 'canary-of-file')).toBe('');
});

/** Where a text holds this; empty where it does not. */
function around(text: string, form: string): string {
  const at = text.indexOf(form);
  return at < 0 ? '' : text.slice(Math.max(0, at - 300), at + 100);
}
