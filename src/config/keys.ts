/**
 * What people and programs are told about each key besides its kind: what it means, what an example looks like, and
 * when a changed value counts. The one place for all three: the JSON Schema, docs/configuration.md and `config plan`
 * read it. A test holds that every key of the schema has one row and every row a key. `key-facts.ts` looks up in it.
 *
 * Patterns are key paths with `*` for a name: `quick_commands.*.timeout`.
 */

/**
 * When a changed value counts: at once, from the next turn on (a running one keeps what it began with), or after a
 * restart.
 */
export type Applies = 'now' | 'turn' | 'restart';

export interface KeyFacts {
  readonly applies: Applies;
  /** A sentence without its full stop. */
  readonly meaning: string;
  readonly unit?: 'time' | 'turns' | 'runs' | 'messages' | 'failures' | 'deaths';
  readonly examples?: readonly unknown[];
  /** What holds without the key, where the schema cannot say it. */
  readonly without?: string;
  /** True where `${NAME}` in its text is the value of an environment variable. */
  readonly expands?: true;
}

const PROGRAM: Readonly<Record<string, KeyFacts>> = {
  type: {
    applies: 'turn',
    meaning:
      'What answers: `command`, a program that reads the message and prints the reply, or `openai`, a model behind an API',
    without: '`command`',
  },
  command: {
    applies: 'turn',
    meaning: 'The program: a text for a shell, or a list of the program and its arguments without a shell',
    examples: ['./agent.sh', ['./agent', '--brief']],
  },
  cwd: {
    expands: true,
    applies: 'turn',
    meaning: 'The folder it starts in; a relative one counts from the folder of this file',
    without: 'the folder of this file',
    examples: ['.', '~/bot'],
  },
  effects: {
    applies: 'turn',
    meaning:
      'Whether a turn may change something outside (a file, a service): `none` lets one that was cut off be answered again unasked',
    examples: ['none'],
  },
  turn_timeout: {
    applies: 'turn',
    meaning: 'A turn that takes longer is ended',
    unit: 'time',
    examples: ['30m', 600],
  },
  failure_threshold: {
    applies: 'turn',
    meaning:
      'Failures of the agent itself, one after the other, after which turns for it are refused until it answers again',
    unit: 'failures',
  },
};

const MODEL: Readonly<Record<string, KeyFacts>> = {
  base_url: {
    expands: true,
    applies: 'turn',
    meaning: 'Where the OpenAI-compatible API of a model is, up to and including `/v1`',
    examples: ['http://127.0.0.1:11434/v1', 'https://api.openai.com/v1'],
  },
  model: {
    expands: true,
    applies: 'turn',
    meaning: 'The model, as its server names it',
    examples: ['qwen3'],
  },
  api_key_env: {
    applies: 'turn',
    meaning: 'The environment variable that holds the key of that API',
    without: 'no key is sent',
    examples: ['OPENAI_API_KEY'],
  },
  system_prompt_file: {
    expands: true,
    applies: 'turn',
    meaning: 'A text file that the model is told before all else; read at each turn',
    without: 'nothing',
    examples: ['./prompt.md'],
  },
  history_window: {
    applies: 'turn',
    meaning: 'Earlier messages of the conversation, of both sides, that the model is shown',
    unit: 'messages',
    examples: [40],
  },
};

const COMMAND: Readonly<Record<string, KeyFacts>> = {
  type: { applies: 'now', meaning: '`exec` runs a program, `alias` stands for another text' },
  command: {
    applies: 'now',
    meaning:
      'What `exec` runs: a text for a shell, or a list of the program and its arguments without a shell, in which $NAME is the place of an argument',
    examples: ['systemctl restart sglang', ['df', '-h']],
  },
  target: {
    applies: 'now',
    meaning: 'What `alias` stands for; the words after its name are appended',
    examples: ['/restart'],
  },
  timeout: {
    applies: 'now',
    meaning: 'After this long the command and all it started are ended',
    unit: 'time',
    examples: [30, '5m'],
  },
  grace: { applies: 'now', meaning: 'Between the request to end and the kill', unit: 'time', examples: [2] },
  cwd: {
    expands: true,
    applies: 'now',
    meaning: 'The folder it starts in; a relative one counts from the folder of this file',
    without: 'the folder of this file',
    examples: ['.'],
  },
  env: {
    applies: 'now',
    meaning: 'Names of environment variables that it gets besides PATH, HOME and the like',
    examples: [['CUDA_VISIBLE_DEVICES']],
  },
  concurrency: { applies: 'now', meaning: 'Runs of this command at the same time', unit: 'runs' },
  allow: { applies: 'now', meaning: 'Who may use it: owner, user', examples: [['owner', 'user']] },
  description: { applies: 'now', meaning: 'Shown by /help', examples: ['what the GPUs do'] },
  'args.*.default': { applies: 'now', meaning: 'The value where none is given', examples: ['20'] },
  'args.*.pattern': {
    applies: 'now',
    meaning: 'A regular expression of RE2 that the whole value must match',
    examples: ['[0-9]+'],
  },
  'args.*.choices': {
    applies: 'now',
    meaning: 'The values it may have; any that match without',
    examples: [['on', 'off']],
  },
  'args.*.required': { applies: 'now', meaning: 'Whether the command is refused without it' },
  'args.*.rest': { applies: 'now', meaning: 'Whether it takes all remaining words; the last argument only' },
};

/** Every key that has a value of its own. */
export const KEYS: Readonly<Record<string, KeyFacts>> = {
  'listen.http': {
    expands: true,
    applies: 'restart',
    meaning: 'The address of the HTTP interface, HOST:PORT, or off; port 0 takes a free one',
    examples: ['127.0.0.1:7171', 'off'],
  },
  ...below('agent', PROGRAM),
  ...below('agent', MODEL),
  'agent.restart_drain_timeout': {
    applies: 'now',
    meaning: 'How long a drain waits for work before it interrupts; 0: not at all',
    unit: 'time',
    examples: [60, '5m'],
  },
  'agent.max_turns': {
    applies: 'turn',
    meaning: 'Turns at the same time, of all agents together',
    unit: 'turns',
  },
  ...below('agents.*', PROGRAM),
  ...below('agents.*', MODEL),
  'agents.*.max_turns': {
    applies: 'turn',
    meaning: 'Turns of this agent at the same time',
    unit: 'turns',
    without: '`agent.max_turns`',
    examples: [2],
  },
  'display.busy_input_mode': {
    applies: 'now',
    meaning:
      'queue: a message that comes while the gateway drains is kept; interrupt and steer: it is refused. Nothing else in this version',
  },
  ...below('quick_commands.*', COMMAND),
  'conversations.*.agent': {
    applies: 'turn',
    meaning: 'The agent that answers there, unless /agent chose another or the message names one',
    examples: ['coder'],
  },
  'access.owners': {
    expands: true,
    applies: 'now',
    meaning: 'People who may do everything, as PLATFORM:ID; whoever writes on this machine is always one',
    examples: [['telegram:12345']],
  },
  'access.users': {
    expands: true,
    applies: 'now',
    meaning: 'People who may talk to the agent, as PLATFORM:ID',
    examples: [['telegram:12345']],
  },
  'shutdown.kill_grace': {
    applies: 'now',
    meaning: "Between the end of a drain's waiting and the kill of what still runs",
    unit: 'time',
    examples: ['5s'],
  },
  'shutdown.exit_timeout': {
    applies: 'now',
    meaning: 'For sending what is left and closing',
    unit: 'time',
    examples: ['10s'],
  },
  'turns.resume': {
    applies: 'now',
    meaning:
      'A turn that was cut off: `auto` answers it again where it can have changed nothing and asks otherwise, `ask`, `always`, `never`',
  },
  'turns.max_age': {
    applies: 'now',
    meaning: 'A message that came longer ago is old: it is not answered unasked, unless `on_expired` says so',
    unit: 'time',
    examples: ['24h', '2d'],
  },
  'turns.on_expired': {
    applies: 'now',
    meaning: 'What becomes of an old message that was held: `answer`, `ask` its sender, `expire`',
  },
  'safe_mode.deaths': {
    applies: 'restart',
    meaning: 'After so many deaths in `within` the next start takes no turns; `safe_mode: off`: after none',
    unit: 'deaths',
  },
  'safe_mode.within': {
    applies: 'restart',
    meaning: 'The time in which `deaths` are counted',
    unit: 'time',
    examples: ['60s'],
  },
  'safe_mode.slow_deaths': {
    applies: 'restart',
    meaning: 'The same after so many deaths in `slow_within`',
    unit: 'deaths',
  },
  'safe_mode.slow_within': {
    applies: 'restart',
    meaning: 'The time in which `slow_deaths` are counted',
    unit: 'time',
    examples: ['30m'],
  },
  'safe_mode.quiet': {
    applies: 'restart',
    meaning: 'Safe mode ends by itself after so long; deaths further apart than this are different incidents',
    unit: 'time',
    examples: ['2m'],
  },
  'store.retention': {
    applies: 'now',
    meaning: 'What was settled longer ago is deleted',
    unit: 'time',
    examples: ['30d'],
  },
  'reload.watch': {
    applies: 'now',
    meaning: 'Whether a changed file is reloaded by itself',
  },
  'inspector.xstate_inspect': {
    expands: true,
    applies: 'restart',
    meaning: 'HOST:PORT of a socket for the viewer of @xstate/inspect, on this machine only, or off',
    examples: ['127.0.0.1:8888'],
  },
};

/** What the mappings around them are; `*` as in `KEYS`. */
export const SECTIONS: Readonly<Record<string, string>> = {
  listen: 'Where the gateway can be reached',
  agent: 'The agent named `default`, and what holds for all agents; without it a built-in demo agent answers',
  agents: 'Further agents by name',
  'agents.*': 'An agent',
  display: 'How conversations behave',
  quick_commands: 'Commands of your own: /NAME runs a program or stands for another text',
  'quick_commands.*': 'A quick command',
  'quick_commands.*.args':
    'Its arguments in the order in which words fill them; each is an environment variable of the command',
  'quick_commands.*.args.*': 'An argument',
  conversations: 'What single conversations have of their own, by the key that a status shows',
  'conversations.*': 'A conversation',
  access: 'Who may talk to the gateway; anybody else is a stranger',
  shutdown: 'How long leaving may take once the drain is over',
  turns: 'What becomes of turns that were cut off, and of messages that grew old',
  safe_mode: 'When a gateway that keeps dying starts without turns, or off: never',
  store: 'What is kept on disk',
  reload: 'How a changed file comes into force',
  inspector: 'The live view of the statechart',
  platforms: 'Chat platforms; the local one is always there',
};

function below(section: string, keys: Readonly<Record<string, KeyFacts>>): Record<string, KeyFacts> {
  return Object.fromEntries(Object.entries(keys).map(([key, facts]) => [`${section}.${key}`, facts]));
}
