/**
 * The files that agents read their system prompts from: each must be there when a configuration is judged, or the first
 * question would be the one to find out.
 */
import { bytesOf } from './config-file.ts';
import { isMapping } from './forms.ts';
import type { Finding } from './problems.ts';
import { resolveFrom } from './units.ts';

/** Largest system prompt file. */
export const SYSTEM_PROMPT_BYTES_MAX = 256 * 1024;

/** Why this cannot be a system prompt, as `PATH is wrong; what would be right`; undefined when it can. */
export function promptProblem(path: string): string | undefined {
  const bytes = bytesOf(path, SYSTEM_PROMPT_BYTES_MAX);
  if ('wrong' in bytes) return `${path} ${bytes.wrong}; ${bytes.right}`;
  if (bytes.length > SYSTEM_PROMPT_BYTES_MAX) return `${path} is larger than 256 KB; make it smaller`;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return undefined;
  } catch {
    return `${path} is not UTF-8 text; save it as UTF-8`;
  }
}

/** What is wrong with the prompt files that the values of a file name; each file is looked at once. */
export function judgePrompts(
  values: unknown,
  { folder, userHome }: { folder: string; userHome: string | undefined },
  problemOf: (path: string) => string | undefined,
): Finding[] {
  const known = new Map<string, string | undefined>();
  return agentsIn(values).flatMap(([path, agent]): Finding[] => {
    const named = isMapping(agent) && agent.type === 'openai' ? agent.system_prompt_file : undefined;
    if (typeof named !== 'string' || named.trim() === '' || named.includes('\0')) return [];
    const file = resolveFrom(folder, named, userHome);
    if (!known.has(file)) known.set(file, problemOf(file));
    const message = known.get(file);
    return message === undefined ? [] : [{ path: [...path, 'system_prompt_file'], at: 'value', message }];
  });
}

/** What describes an agent, wherever it stands. */
function agentsIn(values: unknown): [path: string[], agent: unknown][] {
  if (!isMapping(values)) return [];
  const further = isMapping(values.agents) ? Object.entries(values.agents) : [];
  return [
    [['agent'], values.agent],
    ...further.map(([name, agent]): [string[], unknown] => [['agents', name], agent]),
  ];
}
