/**
 * The commands and their options. Each command's code is loaded when it is used, so that the short ones start
 * fast. Resolves with an exit code, or with the exit of a daemon.
 */
import { Argument, Command, CommanderError, Option } from 'commander';
import type { Exit } from '../../machines/exit.ts';
import { isSluiceError, messageOf, SluiceError } from '../errors.ts';
import { nearest } from '../messages/near.ts';
import { lineOf } from './command-line.ts';
import { type Cli, type CommonOptions, contextOf, EXIT, errorJson, report } from './context.ts';
import { helpBelow } from './help.ts';
import { addMessageCommands } from './messages/commands.ts';
import type { RunHost } from './run.ts';
import { SHELLS, type Shell } from './shells.ts';
import { countOf, durationOf, refuseEmptyValues, saysSomething, secondsOf } from './values.ts';

export type Result = { readonly code: number } | { readonly exit: Exit };

export async function runProgram(cli: Cli, host: RunHost): Promise<Result> {
  let result: Result = { code: EXIT.done };
  const program = withCommonOptions(new Command('sluice'))
    .description('A message gateway daemon: chat on one side, agents and commands on the other.')
    .option('-V, --version', 'the version of this program')
    .on('option:version', () => {
      if (cli.argv.includes('--json')) cli.output.json({ version: cli.version });
      else cli.output.print(cli.version);
      throw new CommanderError(0, 'commander.version', cli.version);
    })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => cli.output.write(text),
      writeErr: (text) => cli.output.note(text.trimEnd()),
    })
    .showHelpAfterError('(add --help for what there is)')
    .addHelpText('after', helpBelow(''))
    .addHelpText('beforeAll', ({ command }) => {
      refuseUnknownCommand(command);
      return '';
    })
    .hook('preAction', handDown);
  const add = (name: string, description: string, parent = program, json?: string) =>
    withCommonOptions(parent.command(name).description(description), json).addHelpText(
      'after',
      helpBelow(parent === program ? name : `${parent.name()} ${name}`),
    );
  const code = async (action: Promise<number>) => {
    result = { code: await action };
  };

  add('run', 'run the gateway in the foreground', program, JSON_LINES).action(
    async (options: CommonOptions) => {
      const { run } = await import('./run.ts');
      result = { exit: await run(cli, options, host) };
    },
  );
  add('status', 'what is running and what it is doing')
    .option('--watch', 'look every second; with --json one document a line')
    .action(async (options) => {
      const { status } = await import('./status.ts');
      await code(status(contextOf(cli, options), options));
    });
  add('send', 'send a message as the local owner and print the replies')
    .argument('<text>', 'the message', saysSomething)
    .option('--conversation <key>', 'the conversation (default: default)')
    .option('--agent <name>', 'the agent that shall answer')
    .option('--id <id>', 'an id of your own: sent again, it does nothing twice')
    .option('--queue', 'have it kept, and answered by the next life, where a leaving gateway would refuse it')
    .option('--no-wait', 'return with the decision, not the answer')
    .option('--timeout <seconds>', 'how long to wait for the answer', secondsOf)
    .action(async (text: string, options) => {
      const { send } = await import('./send.ts');
      await code(send(contextOf(cli, options), text, options));
    });
  add('chat', 'talk to the agent; through a pipe each line is a message')
    .option('--conversation <key>', 'the conversation (default: default)')
    .action(async (options) => {
      const { chat } = await import('./chat.ts');
      await code(chat(contextOf(cli, options), { ...options, signals: host.signals }));
    });
  add('exec', 'run a quick command, with or without a running gateway')
    .argument('[name]', 'its name; without one they are listed')
    .argument('[args...]', 'its arguments, in order or as NAME=value')
    .option('--id <id>', 'an id of your own: sent again, it does nothing twice')
    .option('--exit-code', "exit with the command's own code when it fails")
    .addOption(
      new Option(
        '--cancel <id>',
        'end a running turn or command, by its id or by the one that it was sent under',
      ).conflicts(['id', 'exitCode']),
    )
    .action(async (name: string | undefined, args: string[], options) => {
      if (options.cancel !== undefined && name !== undefined)
        program.error(`error: --cancel takes an id alone, and '${name}' stands there as well`);
      const { exec } = await import('./exec.ts');
      await code(exec(contextOf(cli, options), name, args, { ...options, signals: host.signals }));
    });
  add('drain', 'take no new turns and let the work end; the gateway stays up')
    .option(
      '--for <duration>',
      'take turns again by itself after this long, such as 10m; 24h at most',
      durationOf,
    )
    .option('--reason <text>', 'why, for the log')
    .option('--wait', 'return when the last turn has ended; 1 when something else came')
    .addOption(new Option('--cancel', 'take turns again').conflicts(['for', 'reason', 'wait']))
    .action(async (options) => {
      const { drain } = await import('./lifecycle.ts');
      await code(drain(contextOf(cli, options), options));
    });
  add('reload', 'read the configuration anew; says for each changed key when it counts').action(
    async (options: CommonOptions) => {
      const { reload } = await import('./reload.ts');
      await code(reload(contextOf(cli, options), options));
    },
  );
  for (const intent of ['restart', 'stop'] as const) {
    add(intent, `${intent} the gateway when its work is done`)
      .option('--now', 'interrupt the work instead of waiting for it')
      .option('--no-wait', 'return as soon as it is asked')
      .option('--timeout <seconds>', 'how long to wait', secondsOf)
      .action(async (options) => {
        const { leave } = await import('./lifecycle.ts');
        await code(leave(contextOf(cli, options), intent, options));
      });
  }
  add('init', 'write a first sluice.yaml from what is found on this machine')
    .option('--yes', 'ask nothing: take what is offered first')
    .option('--agent <name>', 'who shall answer, by a name of the list')
    .option('--model <name>', 'which of its models')
    .option('--global', 'for every folder: ~/.config/sluice/sluice.yaml')
    .option('--force', 'replace the file if it exists')
    .action(async (options) => {
      const { init } = await import('./init.ts');
      await code(init(contextOf(cli, options), { ...options, signals: host.signals }));
    });
  add('logs', 'the log of the gateway, or the whole way of one message')
    .option('-f, --follow', 'go on with each new line, also over a restart')
    .option('-n, --lines <count>', 'the newest lines only', countOf)
    .option('--last-life', 'of the life before this one')
    .option('--message <id>', "what became of one message and why, by our id or its platform's")
    .action(async (options) => {
      const { logs } = await import('./logs.ts');
      await code(logs(contextOf(cli, options), options));
    });
  const messages = program
    .command('messages')
    .description('every message with its one outcome, and what can still be done about it')
    .addHelpText('after', helpBelow('messages'));
  addMessageCommands({
    add: (name, description) => add(name, description, messages),
    contextOf: (options) => contextOf(cli, options),
    run: code,
    signals: host.signals,
  });
  const config = program
    .command('config')
    .description('check a configuration, see what a change would do, take one over')
    .addHelpText('after', helpBelow('config'));
  add('check', 'everything that is wrong with a configuration, with its place', config)
    .argument('[file]', 'the configuration (default: the one that other commands use)')
    .action(async (file: string | undefined, options: CommonOptions) => {
      const { configCheck } = await import('./config-check.ts');
      await code(configCheck(contextOf(cli, options), file, options));
    });
  add('plan', 'what changes against the running gateway: now, with the next turn, or by a restart', config)
    .argument('[file]', "the configuration (default: the gateway's own file)")
    .action(async (file: string | undefined, options: CommonOptions) => {
      const { configPlan } = await import('./config-plan.ts');
      await code(configPlan(contextOf(cli, options), file, options));
    });
  add('schema', 'the JSON Schema of a configuration, for editors', config).action(
    async (options: CommonOptions) => {
      const { configSchema } = await import('./config-schema.ts');
      result = { code: configSchema(contextOf(cli, options)) };
    },
  );
  add('import', 'take quick commands and timeouts over from a hermes-agent config.yaml', config)
    .argument('<file>', 'the config.yaml of hermes-agent')
    .option('--write <file>', 'write to this file instead of stdout')
    .option('--force', 'replace that file if it exists')
    .action(async (file: string, options) => {
      const { configImport } = await import('./config-import.ts');
      result = { code: configImport(contextOf(cli, options), file, options) };
    });
  add('completion', 'a script for a shell that completes commands, options and the names of quick commands')
    .addArgument(new Argument('[shell]', 'whose script is printed').choices(SHELLS))
    .addOption(
      new Option('--names', 'the names of the quick commands, a line each: what the script asks for'),
    )
    .action(async (shell: Shell | undefined, options) => {
      if (shell === undefined && options.names !== true)
        program.error(`error: name a shell: ${SHELLS.join(', ')}`);
      const { completion, completionNames } = await import('./completion.ts');
      const context = contextOf(cli, options);
      if (shell === undefined) await code(completionNames(context, options.config));
      else result = { code: completion(context, shell, program) };
    });
  refuseEmptyValues(program);
  try {
    await program.parseAsync([...cli.argv], { from: 'user' });
    return result;
  } catch (error) {
    return { code: reported(cli, program, error) };
  }
}

/** What every command takes, after its name or before it. */
function withCommonOptions(command: Command, json = 'one JSON document on stdout, nothing else'): Command {
  return command
    .option('--home <dir>', 'the home of the gateway (default: $SLUICE_HOME, else ~/.local/state/sluice)')
    .option('--config <file>', 'the configuration file')
    .option('--json', json);
}

const JSON_LINES = 'on stdout one JSON document a line: when it runs, and how it failed; nothing else';

/** The program reads the common options wherever they stand; a command reads them as its own. */
function handDown(program: Command, command: Command): void {
  for (const [name, value] of Object.entries(program.opts())) {
    if (command.getOptionValue(name) === undefined) command.setOptionValue(name, value);
  }
}

/**
 * Help is asked for what there is: `sluice bogus --help` and `sluice help bogus` name no command, and that is the answer,
 * for which commander has no setting. It is thrown as commander's own errors are, and there is no help then.
 */
function refuseUnknownCommand(command: Command): void {
  const [first, second] = command.args;
  const word = first === 'help' ? second : first;
  if (command.commands.length === 0 || word === undefined || word.startsWith('-')) return;
  if (command.commands.some((known) => known.name() === word)) return;
  const [near] = nearest(
    word,
    command.commands.map((known) => known.name()),
    1,
  );
  const meant = near === undefined ? '' : `\n(Did you mean ${near}?)`;
  command.error(`error: unknown command '${word}'${meant}`, { code: 'commander.unknownCommand' });
}

function reported(cli: Cli, program: Command, error: unknown): number {
  const options: CommonOptions = program.opts();
  const json = cli.argv.includes('--json');
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.done;
    const hint = error.code === 'commander.unknownOption' ? ownOptionHint(cli, program) : undefined;
    if (hint !== undefined) cli.output.note(hint);
    const wrong = new SluiceError(
      'USAGE',
      error.message.replace(/^error: /, ''),
      hint === undefined ? {} : { hint },
    );
    if (json) cli.output.json({ ...errorJson(wrong), exitCode: EXIT.usage });
    return EXIT.usage;
  }
  if (isSluiceError(error)) {
    // Where the home cannot be told, that is the error.
    const home = error.code === 'NO_GATEWAY' ? contextOf(cli, options).home : '';
    return report({ output: cli.output, json, home }, error);
  }
  if (json) cli.output.json(errorJson(error));
  cli.output.note(`sluice: ${messageOf(error)}`);
  return EXIT.failed;
}

/** How an option is handed to a quick command instead of being read here; undefined where none was named before it. */
function ownOptionHint({ cwd }: Cli, program: Command): string | undefined {
  const [name, ...words] = program.commands.find((command) => command.name() === 'exec')?.args ?? [];
  const option = words.find((word) => word.startsWith('-'));
  if (name === undefined || name.startsWith('-') || option === undefined) return undefined;
  return `To give it to /${name.replace(/^\//, '')}: ${lineOf(['exec', name, '--', ...words], cwd)}`;
}
