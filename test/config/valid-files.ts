/** Texts that are configurations: what they are about, and the text. */

export const VALID_FILES: readonly (readonly [string, string])[] = [
  ['an empty file', ''],
  ['a file of comments', '# nothing yet\n'],
  [
    'seconds, and texts with units',
    'shutdown: { kill_grace: 0, exit_timeout: 1.5s }\nagent: { restart_drain_timeout: "60" }\n',
  ],
  ['the longest time', 'agent: { restart_drain_timeout: 86400, turn_timeout: 1d }\n'],
  ['no HTTP', 'listen: { http: off }\n'],
  ['no HTTP, as YAML 1.1 means it', 'listen: { http: false }\n'],
  ['an IPv6 address', 'listen: { http: "[::1]:0" }\n'],
  ['a watched file', 'reload: { watch: true }\n'],
  ['an inspector on this machine', 'inspector: { xstate_inspect: "LocalHost:8888" }\n'],
  ['an agent without a type', 'agent: { command: ./agent.sh }\n'],
  ['an agent as a list', 'agent: { type: command, command: [node, ./agent.mjs], cwd: ~/bot }\n'],
  ['a model', 'agent: { type: openai, base_url: "http://127.0.0.1:11434/v1", model: qwen3 }\n'],
  [
    'further agents',
    'agents:\n  a: { command: x, max_turns: 8 }\n  b: { type: openai, base_url: "https://example.org/v1", model: m }\n',
  ],
  [
    'blocks as hermes-agent has them',
    'quick_commands:\n  gpu: { type: exec, command: nvidia-smi }\n  r: { type: alias, target: restart }\n',
  ],
  [
    'every key of an exec command',
    'quick_commands:\n  logs:\n    type: exec\n    command: [tail, app.log]\n    timeout: 30\n    grace: 0\n    cwd: .\n    env: [LANG]\n    concurrency: 3\n    allow: [owner, user]\n    description: ""\n    args:\n      LINES: { default: "20", pattern: "[0-9]+" }\n      LEVEL: { choices: [on, off], required: true }\n      WORDS: { rest: true }\n',
  ],
  [
    'variables of the environment',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: variables of the configuration.
    'listen: { http: "127.0.0.1:${PORT}" }\naccess: { owners: ["${OWNER}"] }\nagents: { m: { type: openai, base_url: "${URL}", model: m } }\n',
  ],
  ['an agent without effects', 'agent: { command: ./a, effects: none }\n'],
  ['every key of turns', 'turns: { resume: never, max_age: 3650d, on_expired: answer }\n'],
  ['no safe mode', 'safe_mode: off\n'],
  ['no safe mode, as YAML 1.1 means it', 'safe_mode: false\n'],
  [
    'every key of safe mode',
    'safe_mode: { deaths: 2, within: 1s, slow_deaths: 1000, slow_within: 1d, quiet: 0.5 }\n',
  ],
  ['some keys of safe mode', 'safe_mode:\n  deaths: 3\n'],
  ['a retention', 'store: { retention: 0.5d }\n'],
  ['people', 'access: { owners: ["telegram:12345"], users: ["slack:U1"] }\n'],
  ['anchors', 'agent: { command: &c x }\nagents: { b: { command: *c } }\n'],
];
