/** The text of a first configuration: what was chosen, what else there is, and a few harmless commands. Never a key. */
import { type Candidate, modelsOf } from './candidates.ts';

/** Other models that the file names beside the chosen one. */
const OTHERS_MAX = 8;

export interface Choice {
  readonly candidate: Candidate;
  /** Of a server or a service. */
  readonly model: string | undefined;
}

/** A whole file; `schema` is the path of the JSON Schema that editors are to use. */
export function configurationText({ candidate, model }: Choice, schema: string): string {
  return `# yaml-language-server: $schema=${schema}
# Written by sluice init. Every key, with its default, stands in gateway.example.yaml beside that schema.
# After a change: \`sluice config check\` says what is wrong with it, \`sluice config plan\` what it would do.

# Who answers.
${agentText(candidate, model)}

# Commands run at once, in every state of the gateway, and never pass through the agent.
quick_commands:
  uptime:
    type: exec
    command: uptime || cat /proc/uptime # a text goes to a shell
    description: how long this machine has been up
  disk:
    type: exec
    command: [df, -h, /] # a list does not
    description: the space on the root disk
  # cleanup: { type: exec, command: ./cleanup.sh, timeout: 30 }
  # r: { type: alias, target: /restart }

# What a message does to a conversation that is being answered: interrupt, queue or steer.
# display: { busy_input_mode: interrupt }

# Where the page and the HTTP interface are; port 0 takes a free one, off none.
# listen: { http: 127.0.0.1:7171 }
`;
}

function agentText(candidate: Candidate, model: string | undefined): string {
  if (candidate.kind === 'demo') {
    return [
      '# Nobody yet but the built-in demo agent, which is no language model. Put one of these in its place:',
      '# agent: { type: openai, base_url: http://127.0.0.1:11434/v1, model: qwen3 }',
      '# agent: { type: command, command: ./agent.sh }   the message on stdin, the answer on stdout',
    ].join('\n');
  }
  if (candidate.kind === 'program') {
    const command = candidate.command.map(quoted).join(', ');
    return [
      `# ${candidate.about}: the message on its standard input, the answer on its standard output.`,
      'agent:',
      '  type: command',
      `  command: [${command}]`,
      '  # cwd: .   the folder it works in; this one unless said',
    ].join('\n');
  }
  const others = modelsOf(candidate).filter((other) => other !== model);
  const shown = others.slice(0, OTHERS_MAX).join(', ');
  const more = others.length > OTHERS_MAX ? ', …' : '';
  return [
    `# ${candidate.name}, through its OpenAI-compatible interface.`,
    'agent:',
    '  type: openai',
    `  base_url: ${quoted(candidate.baseUrl)}`,
    `  model: ${quoted(model ?? '')}`,
    ...(others.length === 0 ? [] : [`  # also there: ${shown}${more}`]),
    ...(candidate.kind === 'key'
      ? [
          `  api_key_env: ${candidate.variable} # the variable of the gateway's environment; the key itself stays out of files`,
        ]
      : []),
    '  # system_prompt_file: ./prompt.md',
  ].join('\n');
}

/** JSON's texts are YAML's. */
const quoted = (text: string): string => JSON.stringify(text);
