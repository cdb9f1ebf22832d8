/**
 * Which values of a configuration and of the gateway's environment are secrets, so that they can be taken out of
 * whatever leaves the gateway. By name, or by a shape that nothing else has: what is taken out is taken out of every
 * reply, so an ordinary word must not be among them. Pure.
 */
import { variableOf } from './process-environment.ts';
import { madeSecretsIn, namesSecret } from './redact.ts';
import type { CommandLine, Config } from './schema.ts';

/** Names that end like that of a secret and hold none: programs that ask for a password, and the folders of a shell. */
const HARMLESS = /ASKPASS$|^(?:OLD)?PWD$/i;

/** The values of variables whose name says that they are secrets; some may be short. */
export function secretVariables(env: NodeJS.ProcessEnv): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && namesSecret(name) && !HARMLESS.test(name) ? [value.trim()] : [],
  );
}

/** Every value of both that is known to be a secret; some may stand there twice. */
export function secretValues({ agents, quickCommands, platforms }: Config, env: NodeJS.ProcessEnv): string[] {
  const found: string[] = underNames(platforms);
  for (const agent of Object.values(agents)) {
    if (agent.type === 'command') found.push(...madeSecretsIn(textOf(agent.command)));
    else if (agent.apiKeyEnv !== undefined) found.push(variableOf(env, agent.apiKeyEnv) ?? '');
  }
  for (const command of Object.values(quickCommands)) {
    if (command.type === 'alias') found.push(...madeSecretsIn(command.target));
    else {
      found.push(...madeSecretsIn(textOf(command.command)));
      for (const { name, default: usual } of command.args) if (namesSecret(name)) found.push(usual ?? '');
    }
  }
  return [...secretVariables(env), ...found.map((value) => value.trim())];
}

const textOf = (command: CommandLine): string =>
  typeof command === 'string' ? command : command.map((word) => JSON.stringify(word)).join(' ');

/** The texts under keys that name a secret, wherever they stand. */
function underNames(value: unknown, isSecret = false): string[] {
  if (typeof value === 'string') return isSecret ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inside]) =>
    underNames(inside, Array.isArray(value) ? isSecret : namesSecret(key)),
  );
}
