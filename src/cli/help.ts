/** What `sluice COMMAND --help` shows below the options: examples, and what the exit codes say. */
import { EXIT } from './context.ts';

/** A line as it is typed, and what it is for. */
type Example = readonly [line: string, meaning: string];

/** Of each command, by its words after `sluice`: none for the program itself. A test holds that every command is here, and every line is one of it. */
export const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  '': [
    ['sluice init', 'a first configuration from what is found on this machine'],
    ['sluice run', 'the gateway; everything else is typed in another terminal'],
    ['sluice send "say hello"', 'the first question'],
    ['sluice restart --help', 'the options and examples of a command'],
  ],
  run: [
    ['sluice run', 'the sluice.yaml of this folder, else the built-in quickstart'],
    ['sluice run --home ./.sluice --config ./bot.yaml', 'a gateway of its own, with its own files'],
  ],
  status: [
    ['sluice status', 'what is running'],
    ['sluice status --json | jq .degraded', 'why turns are refused'],
    ['sluice status --watch', 'look every second'],
  ],
  send: [
    ['sluice send "what changed since monday?"', 'prints the answer as it comes'],
    ['sluice send --agent coder --conversation work "and now?"', 'another agent, another conversation'],
    [
      'sluice send --id job-17 --no-wait "rebuild the index"',
      'sent again under that id, it does nothing twice',
    ],
  ],
  chat: [
    [
      'sluice chat',
      'talk; Alt-Enter or Ctrl-J begins a new line, Ctrl-C interrupts the answer, the second one leaves',
    ],
    ['sluice chat --conversation work < questions.txt', 'each line is a message'],
  ],
  exec: [
    ['sluice exec', 'lists the quick commands: arguments, what each is for, who may'],
    ['sluice exec logs 50', 'its arguments in order'],
    ['sluice exec logs LINES=50 --exit-code', 'by name; exits with the code of the command'],
    ['sluice exec find -- -name core', "what stands behind -- is the command's, options too"],
  ],
  completion: [
    [
      'sluice completion bash > ~/.local/share/bash-completion/completions/sluice',
      'for bash; or in ~/.bashrc: eval "$(sluice completion bash)"',
    ],
    [
      'sluice completion zsh > ~/.zfunc/_sluice',
      'for zsh, with ~/.zfunc in its fpath; or eval it below compinit',
    ],
    ['sluice completion fish > ~/.config/fish/completions/sluice.fish', 'for fish'],
  ],
  drain: [
    ['sluice drain --wait', 'returns when the last turn has ended; commands still run'],
    ['sluice drain --for 10m --reason "new driver"', 'takes turns again by itself'],
    ['sluice drain --cancel', 'takes turns again now'],
  ],
  reload: [
    ['sluice reload', 'a file that is not valid changes nothing, and every mistake is named'],
    ['sluice reload --json | jq .needs', 'whether something waits for a restart'],
  ],
  restart: [
    ['sluice restart', 'lets turns and commands end first; returns when the next life is ready'],
    ['sluice restart --now', 'interrupts them'],
  ],
  stop: [
    ['sluice stop', 'lets turns and commands end first; returns when the gateway is gone'],
    ['sluice stop --no-wait', 'returns as soon as it is asked'],
  ],
  init: [
    ['sluice init', 'finds model servers, agent programs and keys, and writes ./sluice.yaml'],
    ['sluice init --yes --agent ollama --model qwen3', 'asks nothing'],
    ['sluice init --global', 'the configuration of every folder that has none of its own'],
  ],
  logs: [
    ['sluice logs -f', 'with each new line, also over a restart'],
    ['sluice logs --message m_mi9x2k4a0f3b7c', 'the whole way of one message; `messages show` has its texts'],
    ['sluice logs --last-life -n 100', 'how the life before ended'],
  ],
  messages: [
    ['sluice messages list --undelivered', 'what did not reach its reader'],
    ['sluice messages show m_mi9x2k4a0f3b7c', 'one message: its text, its outcome and why, its replies'],
    ['sluice messages backup ./sluice-backup.db', 'a copy of all of it'],
  ],
  'messages list': [
    ['sluice messages list', 'the newest'],
    ['sluice messages list --outcome refused --limit 100', 'what was refused of late'],
    ['sluice messages list --state open --json | jq .messages[].id', 'what has no outcome yet'],
  ],
  'messages show': [
    ['sluice messages show m_mi9x2k4a0f3b7c', 'by the id that the gateway shows; its beginning is enough'],
    ['sluice messages show job-17', 'by the id that it was sent under'],
    ['sluice messages show m_mi9x --json | jq -r .replies[].text', 'what was answered'],
  ],
  'messages retry': [
    ['sluice messages retry m_mi9x2k4a0f3b7c', 'every reply of it that is dead or unknown'],
    ['sluice messages retry o_mi9x2k4b0f4a1z', 'this one alone'],
  ],
  'messages discard': [
    ['sluice messages discard m_mi9x2k4a0f3b7c', 'it is not answered any more, and its sender is told'],
    ['sluice messages discard o_mi9x2k4b0f4a1z --reason "wrong chat"', 'this reply is not sent any more'],
  ],
  'messages backup': [
    ['sluice messages backup ./sluice-backup.db', 'beside a gateway that runs, or without one'],
    ['sluice messages backup ./sluice-backup.db --json | jq .bytes', 'the same for a program'],
  ],
  config: [
    ['sluice config check', 'before a restart: would the gateway start on its file?'],
    ['sluice config plan', 'what a reload would change, and what waits for a restart'],
    ['sluice config import ~/.hermes/config.yaml --write sluice.yaml', 'coming from hermes-agent'],
  ],
  'config check': [
    ['sluice config check', "the gateway's own file, else the one that `sluice run` would take here"],
    ['sluice config check ./sluice.yaml', 'every mistake with its line, and what would be right'],
    ['sluice config check --json | jq .errors', 'the same for a program'],
  ],
  'config plan': [
    ['sluice config plan', 'now, with the next turn, or by a restart'],
    ['sluice config plan ./new.yaml', 'what it would be to put this file in the place of its own'],
  ],
  'config schema': [
    ['sluice config schema > gateway.schema.json', 'for editors'],
    ['sluice config schema | jq .properties.listen', 'what a section takes'],
  ],
  'config import': [
    ['sluice config import ~/.hermes/config.yaml', 'shows what it would write'],
    [
      'sluice config import ~/.hermes/config.yaml --write sluice.yaml',
      'says what was taken and what was left',
    ],
  ],
};

const CODES: readonly (readonly [number, string])[] = [
  [EXIT.done, 'done'],
  [EXIT.failed, 'failed'],
  [EXIT.usage, 'wrong usage'],
  [EXIT.refused, 'refused by the gateway'],
  [EXIT.noGateway, 'no gateway is running'],
];

/** Codes of a command that speaks to no gateway. */
const ALONE: readonly number[] = [EXIT.done, EXIT.failed, EXIT.usage];
const ASKS: readonly number[] = [...ALONE, EXIT.noGateway];
/** Codes of one that is refused where nothing is to be done, and needs no gateway. */
const CHANGES: readonly number[] = [...ALONE, EXIT.refused];
const ALL: readonly number[] = [...ASKS, EXIT.refused];

/** The codes that a command can leave with; those that are not here speak to no gateway. */
const CODES_OF: Readonly<Record<string, readonly number[]>> = {
  '': ALL,
  status: ASKS,
  logs: ASKS,
  'config plan': ASKS,
  'messages retry': CHANGES,
  'messages discard': CHANGES,
  ...Object.fromEntries(
    ['send', 'chat', 'exec', 'drain', 'reload', 'restart', 'stop'].map((name) => [name, ALL]),
  ),
};

/** What stands below the options of this command; nothing for one that has no examples. */
export function helpBelow(command: string): string {
  const examples = EXAMPLES[command];
  if (examples === undefined) return '';
  const shown = examples.flatMap(([line, meaning]) => [`  ${line}`, `      ${meaning}`]);
  const has = CODES_OF[command] ?? ALONE;
  const codes = CODES.filter(([code]) => has.includes(code))
    .map(([code, meaning]) => `${code} ${meaning}`)
    .join(', ');
  const exit = command === 'run' ? 'as a supervisor reads it: docs/operating.md has the table' : codes;
  return ['', 'Examples:', ...shown, '', `Exit code: ${exit}.`].join('\n');
}
