/**
 * `sluice run`: the daemon in the foreground, and what it tells a person once it is up. With `--json` that is a document
 * a line: one for each life in this process, and one for what ended it if it failed.
 */
import type { Exit } from '../../machines/exit.ts';
import { ConfigInvalid, linesText } from '../config/problems.ts';
import type { DaemonOptions, Welcome } from '../daemon/world.ts';
import { runDaemon } from '../daemon.ts';
import type { PlatformKind } from '../platforms/platform.ts';
import type { Signals } from '../process/signals.ts';
import { lineOf, pathFrom } from './command-line.ts';
import { type Cli, type CommonOptions, errorJson } from './context.ts';

export interface RunHost {
  readonly signals: Signals;
  readonly inPlace: boolean;
  readonly nextEnv: NodeJS.ProcessEnv;
  readonly leaveNow: (code: number) => void;
  /** Platforms besides the local one. */
  readonly platformKinds?: Readonly<Record<string, PlatformKind>>;
  /** See `DaemonOptions`. */
  readonly wrapStore?: NonNullable<DaemonOptions['wrapStore']>;
}

export async function run(cli: Cli, options: CommonOptions, host: RunHost): Promise<Exit> {
  const { output } = cli;
  const home = options.home === undefined ? [] : ['--home', options.home];
  let failure: unknown;
  const exit = await runDaemon({
    homeFlag: options.home,
    configFlag: options.config,
    env: cli.env,
    cwd: cli.cwd,
    argv: cli.argv,
    version: cli.version,
    ...host,
    stderr: {
      write: output.log,
      isTerminal: output.isTerminal,
      colour: output.colour,
    },
    welcome: (about) => {
      if (options.json) output.jsonLine(welcomeJson(about));
      else
        output.print(
          welcome(about, {
            isTerminal: output.isTerminal,
            line: (...words) => lineOf([...words, ...home], cli.cwd),
            path: (path) => pathFrom(cli.cwd, path),
          }),
        );
    },
    failed: (error) => {
      failure ??= error;
      if (!options.json && error instanceof ConfigInvalid) output.note(linesText(error.problems));
    },
  });
  if (options.json && failure !== undefined) output.jsonLine({ ...errorJson(failure), exitCode: exit.code });
  return exit;
}

/** The same for a program; the token itself stands in its file only. */
function welcomeJson({ home, state, http, tokenFile, config, warnings }: Welcome) {
  const quickCommands = Object.keys(config.quickCommands);
  return { home, state, http, tokenFile, config: config.source.path, quickCommands, warnings };
}

/** Whom the welcome is for. */
interface Reader {
  readonly isTerminal: boolean;
  /** A line of these words, as it can be typed. */
  readonly line: (...words: string[]) => string;
  /** An absolute path, as it is read where the gateway was started. */
  readonly path: (path: string) => string;
}

/** A few lines: state, page, how to send, the quick commands, how to leave. */
function welcome(about: Welcome, { isTerminal, line, path }: Reader): string {
  const { http, token, tokenFile, config, state } = about;
  const names = Object.keys(config.quickCommands).map((name) => `/${name}`);
  const page =
    http === null
      ? 'off (listen.http)'
      : isTerminal
        ? `${http}/?token=${token}`
        : `${http}/ (token: ${path(tokenFile)})`;
  const quickstart = config.source.origin === 'quickstart' ? ', the built-in quickstart' : '';
  const lastGood = config.source.isLastGood === true ? ' as it was last good' : '';
  return [
    '',
    `  sluice is ${state} on ${path(config.source.path)}${lastGood}${quickstart}`,
    `  page      ${page}`,
    `  send      ${line('send')} "hello"`,
    `  commands  ${names.length === 0 ? 'none configured' : names.join(' ')}`,
    `  restart   ${line('restart')}`,
    `  stop      ${line('stop')}, or Ctrl-C (a second one hurries)`,
    '',
  ].join('\n');
}
