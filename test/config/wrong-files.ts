/** Texts that are no configuration, each with one problem: what it is about, the text, and how the report begins. */

export const exec = (keys: string) => `quick_commands:\n  job: { type: exec, command: ls, ${keys} }\n`;
export const chain = (length: number) =>
  `quick_commands:\n${Array.from({ length }, (_, at) => `  a${at}: { type: alias, target: /a${at + 1} }\n`).join('')}` +
  `  a${length}: { type: exec, command: ls }\n`;

/** What it is, the text, and a part of its only problem: `LINE:COLUMN key: message`. */
export const WRONG_FILES: readonly (readonly [string, string, string])[] = [
  ['an unknown key, with the nearest known', 'listn: {}\n', '1:1 listn: unknown key; did you mean listen?'],
  [
    'an unknown key below another',
    'agent:\n  comand: x\n',
    '2:3 agent.comand: unknown key; did you mean command?',
  ],
  [
    'an unknown key near nothing',
    'display: { zebra: 1 }',
    '1:12 display.zebra: unknown key; known here: busy_input_mode',
  ],
  ['an unknown key without a value', 'listn:\n', '1:1 listn: unknown key; did you mean listen?'],
  [
    'a section that is no mapping',
    'agent: 5\n',
    '1:8 agent: 5 is not an agent; write { type: command, command: … }',
  ],
  [
    'off for a section',
    'listen: off\n',
    '1:9 listen: "off" is not a mapping; write { http: off } in its place',
  ],
  [
    'off for a section, in a file of YAML 1.1',
    '%YAML 1.1\n---\nlisten: off\n',
    '3:9 listen: "off" is not a mapping; write { http: off } in its place',
  ],
  [
    'what YAML 1.1 makes of off, for a section',
    'listen: false\n',
    '1:9 listen: false is not a mapping; write { http: off } in its place',
  ],
  [
    'an address for a section',
    'listen: "[::1]:7171"\n',
    '1:9 listen: "[::1]:7171" is not a mapping; write { http: "[::1]:7171" } in its place',
  ],
  [
    'off for a section that takes true or false',
    'reload: off\n',
    '1:9 reload: "off" is not a mapping; write { watch: false } in its place',
  ],
  [
    'a word for a section that does not take it',
    'listen: zebra\n',
    '1:9 listen: "zebra" is not a mapping; write its keys below it',
  ],
  [
    'an agent for a conversation',
    'conversations: { "a:b": default }\n',
    '1:25 conversations."a:b": "default" is not a mapping; write { agent: default } in its place',
  ],
  ['a list for a mapping', 'access: [a]\n', '1:1 access: ["a"] is not a mapping; write its keys below it'],
  ['a top level that is no mapping', '- a\n- b\n', '1:1 (file): ["a","b"] is not a mapping; write its keys'],
  ['a top level that is a word', '\nhello\n', '2:1 (file): "hello" is not a mapping'],
  [
    'an agent type of a later version',
    'agent:\n  type: acp\n  model: q\n',
    '2:9 agent.type: acp is not available in this version; use command or openai',
  ],
  [
    'an agent type of a later version, further agent',
    'agents:\n  a: { type: acp }\n',
    '2:14 agents.a.type: acp is not available in this version; use command or openai',
  ],
  [
    'an unknown agent type',
    'agent:\n  type: llm\n',
    '2:9 agent.type: "llm" is not an agent type; use command or openai',
  ],
  [
    'a model without an address',
    'agent:\n  type: openai\n  model: q\n',
    '1:1 agent.base_url: is missing; write it with http:// or https://, for example http://127.0.0.1:11434/v1',
  ],
  [
    'a model without a name, further agent',
    'agents:\n  a: { type: openai, base_url: "http://h/v1" }\n',
    '2:3 agents.a.model: is missing; write its name as its server has it, for example qwen3',
  ],
  [
    'a model and no type',
    'agent:\n  base_url: http://h/v1\n',
    '2:3 agent.base_url: is a key of type openai; write type: openai beside it',
  ],
  [
    'a program for a model',
    'agent: { type: openai, base_url: "http://h/v1", model: q, command: x }',
    '1:59 agent.command: is a key of type command; remove it, or use that type',
  ],
  [
    'an address of another protocol',
    'agent: { type: openai, base_url: "ftp://h/v1", model: q }',
    '1:34 agent.base_url: "ftp://h/v1" is not an address; write it with http:// or https://',
  ],
  [
    'an address that cannot be one',
    'agent: { type: openai, base_url: "http://", model: q }',
    '1:34 agent.base_url: "http://" is not an address; write it with http:// or https://',
  ],
  [
    'an address with a password',
    'agent: { type: openai, base_url: "https://me:secret@h/v1", model: q }',
    '1:34 agent.base_url: holds a password; name the environment variable that holds the key in api_key_env',
  ],
  [
    'a key instead of the variable that holds it',
    'agent: { type: openai, base_url: "http://h/v1", model: q, api_key_env: sk-123 }',
    '1:72 agent.api_key_env: *** is not the name of an environment variable; write it without $',
  ],
  [
    'half a message',
    'agent: { type: openai, base_url: "http://h/v1", model: q, history_window: 0.5 }',
    '1:75 agent.history_window: 0.5 is not a whole number of 0 to 1000; write one',
  ],
  [
    'an agent without a command',
    'agent:\n  type: command\n',
    '1:1 agent.command: is missing; write the program',
  ],
  [
    'a further agent without a command',
    'agents:\n  a: { cwd: . }\n',
    '2:3 agents.a.command: is missing; write a text for a shell, or a list',
  ],
  [
    'the default agent at the wrong place',
    'agents:\n  default: { command: x }\n',
    '2:3 agents.default: is the agent under `agent`; write its keys there',
  ],
  [
    'an agent with a name that is none',
    'agents:\n  My Agent: { command: x }\n',
    '2:3 agents."My Agent": is not a name; use lower-case letters',
  ],
  [
    'an agent with more turns than all may have',
    'agents:\n  a: { command: x, max_turns: 9 }\n',
    '2:31 agents.a.max_turns: 9 is more than agent.max_turns allows; use at most 8',
  ],
  [
    'a negative drain',
    'agent: { restart_drain_timeout: -1 }',
    '1:33 agent.restart_drain_timeout: -1 is negative; write 0 or more',
  ],
  [
    'an absurd drain',
    'agent: { restart_drain_timeout: 25h }',
    '1:33 agent.restart_drain_timeout: "25h" is more than 24 hours; write at most 24h',
  ],
  [
    'a duration that is none',
    'agent: { turn_timeout: soon }',
    '1:24 agent.turn_timeout: "soon" is not a duration; write seconds, or a text as "30s"',
  ],
  [
    'an endless duration',
    'agent: { turn_timeout: .inf }',
    '1:24 agent.turn_timeout: Infinity is not a duration; write seconds',
  ],
  [
    'no turns at all',
    'agent: { max_turns: 0 }',
    '1:21 agent.max_turns: 0 is not a whole number of 1 to 256; write one',
  ],
  [
    'half a turn',
    'agent: { max_turns: 1.5 }',
    '1:21 agent.max_turns: 1.5 is not a whole number of 1 to 256; write one',
  ],
  [
    'an unknown busy mode',
    'display: { busy_input_mode: wait }',
    '1:29 display.busy_input_mode: "wait" is not a busy input mode; use interrupt, queue or steer',
  ],
  [
    'off where a word is required',
    'display: { busy_input_mode: off }',
    '1:29 display.busy_input_mode: "off" is not a busy input mode; use interrupt, queue or steer',
  ],
  [
    'false where a word is required',
    'display: { busy_input_mode: false }',
    '1:29 display.busy_input_mode: false is not a busy input mode; use interrupt, queue or steer',
  ],
  [
    'an address without a port',
    'listen: { http: localhost }',
    '1:17 listen.http: "localhost" is not an address; write HOST:PORT',
  ],
  [
    'a port beyond the last',
    'listen: { http: "127.0.0.1:65536" }',
    '1:17 listen.http: "127.0.0.1:65536" is not an address; write HOST:PORT',
  ],
  [
    'a bare port',
    'listen: { http: 7171 }',
    '1:17 listen.http: 7171 is not an address; write HOST:PORT, for example 127.0.0.1:7171, or off',
  ],
  [
    'a watch in words',
    'reload: { watch: often }',
    '1:18 reload.watch: "often" is not true or false; write true or false',
  ],
  [
    'an inspector that others could reach',
    'inspector: { xstate_inspect: "0.0.0.0:8888" }',
    '1:30 inspector.xstate_inspect: "0.0.0.0:8888" can be reached from other machines; use 127.0.0.1',
  ],
  [
    'an inspector on a host that only begins like ours',
    'inspector: { xstate_inspect: "127.0.0.1.example.org:8888" }',
    '1:30 inspector.xstate_inspect: "127.0.0.1.example.org:8888" can be reached',
  ],
  [
    'a platform of a later version',
    'platforms:\n  telegram: { token_env: T }\n',
    '2:3 platforms.telegram: is not available in this version; remove it',
  ],
  ['the local platform', 'platforms: { local: {} }', '1:14 platforms.local: is always there; remove it'],
  ['platforms that are no mapping', 'platforms: [telegram]', '1:1 platforms: *** is not a mapping'],
  [
    'an owner without a platform',
    'access: { owners: ["12345"] }',
    '1:20 access.owners[0]: "12345" is not a person; write "PLATFORM:ID"',
  ],
  [
    'an owner that is a number',
    'access:\n  owners:\n    - local:me\n    - 12345\n',
    '4:7 access.owners[1]: 12345 is not a person',
  ],
  [
    'no time to leave in',
    'shutdown: { exit_timeout: 0 }',
    '1:27 shutdown.exit_timeout: 0 leaves no time at all; write more than 0',
  ],

  [
    'an unknown type of command',
    'quick_commands:\n  x: { type: shell, command: ls }\n',
    '2:14 quick_commands.x.type: "shell" is not a type of quick command; use exec or alias',
  ],
  [
    'a command without a type',
    'quick_commands:\n  x: { command: ls }\n',
    '2:3 quick_commands.x.type: is missing; use exec or alias',
  ],
  [
    'a command without anything',
    'quick_commands:\n  x:\n',
    '2:5 quick_commands.x: is missing; write { type: exec, command: … }',
  ],
  [
    'a missing command',
    'quick_commands:\n  x: { type: exec }\n',
    '2:3 quick_commands.x.command: is missing; write a text for a shell',
  ],
  [
    'an empty command',
    'quick_commands:\n  x: { type: exec, command: " " }\n',
    '2:29 quick_commands.x.command: " " is not a command; write a text',
  ],
  [
    'an empty list as command',
    'quick_commands:\n  x: { type: exec, command: [] }\n',
    '2:20 quick_commands.x.command: [] is not a command; write a text',
  ],
  [
    'a number in a command',
    'quick_commands:\n  x: { type: exec, command: [echo, 1] }\n',
    '2:20 quick_commands.x.command: ["echo",1] is not a command; write a text for a shell, or a list of quoted texts',
  ],
  [
    'a NUL in a command',
    'quick_commands:\n  x: { type: exec, command: "a\\0b" }\n',
    '2:29 quick_commands.x.command: "a\\u0000b" is not a command',
  ],
  [
    'an empty alias target',
    'quick_commands:\n  x:\n    type: alias\n    target: ""\n',
    '4:13 quick_commands.x.target: "" is not a target; write what it stands for',
  ],
  [
    'a missing alias target',
    'quick_commands:\n  x:\n    type: alias\n',
    '2:3 quick_commands.x.target: is missing; write what it stands for',
  ],
  [
    'a key of exec in an alias',
    'quick_commands:\n  x: { type: alias, target: /help, timeout: 3 }\n',
    '2:36 quick_commands.x.timeout: unknown key; known here: type, target, allow, description',
  ],
  [
    'an alias to itself',
    'quick_commands:\n  x: { type: alias, target: /X now }\n',
    '2:29 quick_commands.x.target: is the alias itself; name another command',
  ],
  [
    'an alias chain that is too long',
    chain(9),
    '2:30 quick_commands.a0.target: goes through more than 8 aliases; point it at the last one',
  ],
  [
    'a name of ours',
    'quick_commands:\n  status: { type: exec, command: ls }\n',
    '2:3 quick_commands.status: is a built-in command and cannot be replaced; choose another name, for example my-status',
  ],
  ...['resume', 'resume-turns'].map((name): readonly [string, string, string] => [
    `${name}, a name of ours`,
    `quick_commands:\n  ${name}: { type: exec, command: ls }\n`,
    `2:3 quick_commands.${name}: is a built-in command and cannot be replaced; choose another name, for example my-${name}`,
  ]),
  ...['busy', 'new', 'retry', 'approve', 'deny'].map((name): readonly [string, string, string] => [
    `${name}, a name that a later version takes`,
    `quick_commands:\n  ${name}: { type: exec, command: ls }\n`,
    `2:3 quick_commands.${name}: is reserved for a built-in command of a later version; choose another name, for example my-${name}`,
  ]),
  [
    'a name with a space and capitals',
    'quick_commands:\n  Clean Up: { type: exec, command: ls }\n',
    '2:3 quick_commands."Clean Up": is not a name; use lower-case letters, digits, - and _, beginning with a letter or digit, for example clean-up',
  ],
  [
    'a name with accents',
    'quick_commands:\n  "Ünï ﬁx": { type: exec, command: ls }\n',
    '2:3 quick_commands."Ünï ﬁx": is not a name; use lower-case letters, digits, - and _, beginning with a letter or digit, for example uni-fix',
  ],
  [
    'a name of ours in capitals',
    'quick_commands:\n  Restart: { type: exec, command: ls }\n',
    '2:3 quick_commands.Restart: is not a name; use lower-case letters, digits, - and _, beginning with a letter or digit, for example my-restart',
  ],
  [
    'a name with its slash',
    'quick_commands:\n  /gpu: { type: exec, command: ls }\n',
    '2:3 quick_commands."/gpu": is not a name; use lower-case letters, digits, - and _, beginning with a letter or digit, for example gpu',
  ],
  [
    'a name of nothing usable',
    'quick_commands:\n  ☃: { type: exec, command: ls }\n',
    '2:3 quick_commands."☃": is not a name; use lower-case letters, digits, - and _, beginning with a letter or digit',
  ],
  [
    'a name that is too long',
    `quick_commands:\n  ${'a'.repeat(65)}: { type: exec, command: ls }\n`,
    `2:3 quick_commands.${'a'.repeat(65)}: is too long; use at most 64 characters`,
  ],
  [
    'a timeout of 0',
    exec('timeout: 0'),
    '2:44 quick_commands.job.timeout: 0 leaves no time at all; write more than 0',
  ],
  [
    'a negative timeout',
    exec('timeout: -5s'),
    '2:44 quick_commands.job.timeout: "-5s" is negative; write more than 0',
  ],
  [
    'a role that is none',
    exec('allow: [admin]'),
    '2:43 quick_commands.job.allow[0]: "admin" is not a role; use owner or user',
  ],
  [
    'nobody allowed',
    exec('allow: []'),
    '2:35 quick_commands.job.allow: [] is not a list of roles; write [owner]',
  ],
  [
    'a value for the name of a variable',
    exec('env: [A=b]'),
    '2:41 quick_commands.job.env[0]: "A=***" is not the name of an environment variable; write it without $',
  ],
  [
    'a description that is too long',
    exec(`description: ${'a'.repeat(257)}`),
    '2:48 quick_commands.job.description: is too long; use at most 256 characters',
  ],
  [
    'an argument that is no mapping',
    exec('args: { LINES: 20 }'),
    '2:50 quick_commands.job.args.LINES: 20 is not a mapping',
  ],
  [
    'an argument whose name is none',
    exec('args: { a-b: {} }'),
    '2:43 quick_commands.job.args.a-b: is not a name for an argument; use letters, digits and _',
  ],
  [
    'an argument that would choose programs',
    exec('args: { PATH: {} }'),
    '2:43 quick_commands.job.args.PATH: changes how programs run; choose another name',
  ],
  [
    'an argument that would load libraries',
    exec('args: { LD_PRELOAD: {} }'),
    '2:43 quick_commands.job.args.LD_PRELOAD: changes how programs run; choose another name',
  ],
  [
    'a default without quotes',
    exec('args: { N: { default: 20 } }'),
    '2:57 quick_commands.job.args.N.default: 20 is not a text; put it in quotes',
  ],
  [
    'a default against the pattern',
    exec('args: { N: { default: x, pattern: "[0-9]" } }'),
    '2:57 quick_commands.job.args.N.default: "x" does not match the pattern; correct one of them',
  ],
  [
    'a default that matches only in part',
    exec('args: { N: { default: 1;ls, pattern: "[0-9]+" } }'),
    '2:57 quick_commands.job.args.N.default: "1;ls" does not match the pattern; correct one of them',
  ],
  [
    'a default outside the choices',
    exec('args: { N: { default: x, choices: [a, b] } }'),
    '2:57 quick_commands.job.args.N.default: "x" is none of the choices; use one of them',
  ],
  [
    'a default that is never used',
    exec('args: { N: { default: x, required: true } }'),
    '2:57 quick_commands.job.args.N.default: is never used, because the argument is required',
  ],
  [
    'choices against the pattern',
    exec('args: { N: { choices: [a, "1"], pattern: "[0-9]" } }'),
    '2:48 quick_commands.job.args.N.choices: "a" does not match the pattern; correct one of them',
  ],
  [
    'a pattern that is none',
    exec('args: { N: { pattern: "(" } }'),
    '2:57 quick_commands.job.args.N.pattern: "(" is no regular expression: missing closing ): `(`; correct it',
  ],
  [
    'a pattern that would break out of its frame',
    exec('args: { N: { pattern: "a)|(?:b" } }'),
    '2:57 quick_commands.job.args.N.pattern: "a)|(?:b" is no regular expression: unexpected ): `a)|(?:b`; correct it',
  ],
  [
    'a program that the sender would choose',
    'quick_commands:\n  x: { type: exec, command: [$P, a], args: { P: {} } }\n',
    '2:30 quick_commands.x.command[0]: $P would let the sender choose the program; write its name',
  ],
  [
    'several words before the program',
    'quick_commands:\n  x: { type: exec, command: [timeout, $P, a], args: { P: { rest: true } } }\n',
    '2:39 quick_commands.x.command[1]: $P takes all remaining words, and the second would be the program; remove its rest',
  ],
  [
    'a word that would be a program for a shell',
    'quick_commands:\n  x: { type: exec, command: [/bin/bash, -ec, $P], args: { P: {} } }\n',
    '2:46 quick_commands.x.command[2]: $P would be a program for the shell; use "$P" inside of a text',
  ],
  [
    'a place for an argument that is not declared',
    'quick_commands:\n  x: { type: exec, command: [ls, $FIEL], args: { FILE: {} } }\n',
    '2:34 quick_commands.x.command[1]: $FIEL is no argument of this command, and no shell reads a list; declare FIEL under args, or write $$FIEL for the text $FIEL',
  ],
  [
    'a place for an argument where none is declared',
    'quick_commands:\n  x: { type: exec, command: [echo, $X] }\n',
    '2:36 quick_commands.x.command[1]: $X is no argument of this command, and no shell reads a list; declare X under args, or write $$X for the text $X',
  ],
  [
    'a watch in the words of YAML 1.1',
    'reload: { watch: yes }',
    '1:18 reload.watch: "yes" is not true or false; write true',
  ],
  [
    'a watch in quotes',
    'reload: { watch: "False" }',
    '1:18 reload.watch: "False" is a text, not true or false; write false without quotes',
  ],
  [
    'words left after the rest',
    exec('args: { A: { rest: true }, B: {} }'),
    '2:54 quick_commands.job.args.A.rest: takes all remaining words, so none is left for the next; make it the last one',
  ],

  [
    'a conversation with an agent that nobody configured',
    'agents: { coder: { command: ./c } }\nconversations: { "telegram:1": { agent: codr } }\n',
    '2:41 conversations."telegram:1".agent: "codr" is no agent; did you mean coder?',
  ],
  [
    'a conversation that is no key',
    'conversations: { telegram: { agent: default } }\n',
    '1:18 conversations.telegram: is no key of a conversation; write "PLATFORM:ID" as a status shows it',
  ],
  [
    'a conversation without its agent',
    'conversations: { "telegram:1": {} }\n',
    '1:18 conversations."telegram:1".agent: is missing; write default, or a name under `agents`',
  ],
  [
    'a circuit that opens before any failure',
    'agent: { command: ./a, failure_threshold: 0 }\n',
    '1:43 agent.failure_threshold: 0 is not a whole number of 1 to 1000; write one, for example 1',
  ],
  [
    'effects that are none of the two',
    'agent: { command: ./a, effects: some }\n',
    '1:33 agent.effects: "some" is not what its turns may do; use none or possible',
  ],
  [
    'effects of a model',
    'agents: { m: { type: openai, base_url: "http://h/v1", model: q, effects: none } }\n',
    '1:65 agents.m.effects: is a key of type command; remove it, or use that type',
  ],
  [
    'a way to resume that is none',
    'turns: { resume: sometimes }\n',
    '1:18 turns.resume: "sometimes" is not a way to resume; use auto, ask, always or never',
  ],
  [
    'off for a way to resume',
    'turns: { resume: off }\n',
    '1:18 turns.resume: "off" is not a way to resume; use auto, ask, always or never',
  ],
  [
    'a word for all of turns',
    'turns: ask\n',
    '1:8 turns: "ask" is not a mapping; write its keys below it, one a line, indented',
  ],
  [
    'no age at all',
    'turns: { max_age: 0 }\n',
    '1:19 turns.max_age: 0 leaves no time at all; write more than 0',
  ],
  ['a negative age', 'turns: { max_age: -1 }\n', '1:19 turns.max_age: -1 is negative; write more than 0'],
  [
    'an absurd age',
    'turns: { max_age: 5000d }\n',
    '1:19 turns.max_age: "5000d" is more than 3650 days; write at most 3650d',
  ],
  [
    'an age in months',
    'turns: { max_age: 2mo }\n',
    '1:19 turns.max_age: "2mo" is not a duration; write seconds, or a text as "30s"',
  ],
  [
    'nothing to do with old messages',
    'turns:\n  on_expired: drop\n',
    '2:15 turns.on_expired: "drop" is not what to do with old messages; use answer, ask or expire',
  ],
  [
    'a key of turns, misspelt',
    'turns: { maxage: 1d }\n',
    '1:10 turns.maxage: unknown key; did you mean max_age?',
  ],
  [
    'on for safe mode',
    'safe_mode: on\n',
    '1:12 safe_mode: "on" is not a safe mode; write its keys below it, one a line, indented, or off',
  ],
  [
    'true for safe mode',
    'safe_mode: true\n',
    '1:12 safe_mode: true is not a safe mode; write its keys below it, one a line, indented, or off',
  ],
  [
    'a list for safe mode',
    'safe_mode: [5, 60s]\n',
    '1:1 safe_mode: [5,"60s"] is not a safe mode; write its keys below it, one a line, indented, or off',
  ],
  [
    'safe mode after a single death',
    'safe_mode: { deaths: 1 }\n',
    '1:22 safe_mode.deaths: 1 is not a whole number of 2 to 1000; write one, for example 2',
  ],
  [
    'deaths within no time',
    'safe_mode: { within: 0 }\n',
    '1:22 safe_mode.within: 0 leaves no time at all; write more than 0',
  ],
  [
    'slow deaths within more than a day',
    'safe_mode: { slow_within: 2d }\n',
    '1:27 safe_mode.slow_within: "2d" is more than 24 hours; write at most 24h',
  ],
  [
    'a negative quiet',
    'safe_mode: { quiet: -2m }\n',
    '1:21 safe_mode.quiet: "-2m" is negative; write more than 0',
  ],
  [
    'a key of safe mode, misspelt',
    'safe_mode:\n  death: 5\n',
    '2:3 safe_mode.death: unknown key; did you mean deaths?',
  ],
  [
    'a key of the store in other words',
    'store: { retain: 30d }\n',
    '1:10 store.retain: unknown key; known here: retention',
  ],
  [
    'a time for all of the store',
    'store: 30d\n',
    '1:8 store: "30d" is not a mapping; write { retention: 30d } in its place',
  ],
  [
    'a retention of nothing',
    'store: { retention: 0s }\n',
    '1:21 store.retention: "0s" leaves no time at all; write more than 0',
  ],
  [
    'a key written twice',
    'agent:\n  command: a\n  command: b\n',
    '3:3 agent.command: is written twice; keep one of them',
  ],
  [
    'a key written twice, once in quotes',
    'quick_commands:\n  1: { type: exec, command: ls }\n  "1": { type: exec, command: ls }\n',
    '3:3 quick_commands.1: is written twice; keep one of them',
  ],
  ['a tab', 'agent:\n\tcommand: a\n', '2:1 agent: a tab indents the line; indent with spaces'],
  [
    'a tab inside of brackets',
    'agent: {\n\tcommand: a }\n',
    '2:1 agent: a tab indents the line; indent with spaces',
  ],
  [
    'a second document',
    'agent:\n  command: a\n---\nagent: {}\n',
    '3:1 (file): a second document begins here; keep one, and put all keys into it',
  ],
  [
    'a second document after an end',
    'agent: {}\n...\nreload: {}\n',
    '3:1 (file): a second document begins here; keep one',
  ],
  [
    'a bracket that stays open',
    'access:\n  users: [a\n',
    '2:10 access.users: begins with [ and does not end, or goes on in a line that is not indented; end it with ]',
  ],
  [
    'a brace that stays open',
    'agent: { command: a\nlisten: {}\n',
    '1:8 agent: begins with { and does not end, or goes on in a line that is not indented; end it with }',
  ],
  [
    'a quote that stays open',
    'agent:\n  command: "a\n  cwd: b\nagents: {}\n',
    '2:12 agent.command: begins with a quote that is never closed; end it with "',
  ],
  [
    'a single quote that stays open, in a list',
    "agent:\n  command: [a, 'b]\n",
    "2:16 agent.command[1]: begins with a quote that is never closed; end it with '",
  ],
  [
    'a key whose quote stays open',
    '"agent: { command: a }\n',
    '1:1 (file): begins with a quote that is never closed; end it with "',
  ],
  [
    'a second colon',
    'agent:\n  command: a: b\n',
    '2:12 agent.command: has a second colon in its line; put the value in quotes',
  ],
  [
    'a line without a colon',
    'agent: {}\nlisten\nagents: {}\n',
    '2:1 agent: a line has no colon; write NAME: VALUE',
  ],
  [
    'a line in a column of its own',
    'agent:\n  command: a\n cwd: b\n',
    '3:1 agent.command: the line is indented unlike those beside it; begin them in the same column',
  ],
  [
    'a character of YAML',
    'agent: { command: @a }\n',
    '1:19 agent.command: begins with a character that YAML keeps for itself; put the value in quotes',
  ],
  [
    'a tag',
    'agent: { command: !!js/function x }',
    '1:19 agent.command: has a tag that means nothing here; remove it',
  ],
  [
    'an alias without an anchor',
    'agent: { command: *.sh }',
    '1:19 agent.command: *.sh has no anchor before it; write the value, in quotes if it begins with *',
  ],
  [
    'a value that is wrong where its alias stands',
    'agent:\n  cwd: &c 5s\n  command: x\nquick_commands:\n  x: { type: exec, command: ls, allow: *c }\n',
    '5:40 quick_commands.x.allow: "5s" is not a list of roles; write [owner] or [owner, user]',
  ],
  [
    'a key that is wrong where the alias of its mapping stands',
    'agents:\n  a: &a { command: x }\nquick_commands:\n  x: { type: exec, command: ls, args: { N: *a } }\n',
    '4:44 quick_commands.x.args.N.command: unknown key; known here: default, pattern',
  ],
  [
    'an alias inside what it names',
    'access:\n  users: &u [*u]\n',
    '2:14 access.users[0]: *u stands for what it is a part of; write the value',
  ],
  [
    'a key that is a list',
    'access:\n  ? [a]\n  : b\n',
    '2:5 access: has a list or mapping for a key; write a word before the colon',
  ],
  [
    'a key that would reach into Object',
    'quick_commands:\n  __proto__: { type: exec, command: ls }\n',
    '2:3 quick_commands.__proto__: is no key; remove it',
  ],
];
