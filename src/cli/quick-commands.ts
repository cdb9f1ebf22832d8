/**
 * The quick commands that `sluice exec` runs, for whoever looks for one: those of the gateway where one answers, else
 * those of the configuration that it would be run by.
 */
import { isSluiceError } from '../errors.ts';
import { type ListedCommand, listedLines } from '../messages/command-list.ts';
import { type Context, EXIT } from './context.ts';

/** How long a gateway may take to tell its commands. */
const LIST_MS_MAX = 1000;

export interface QuickCommandList {
  readonly commands: readonly ListedCommand[];
  /** No gateway answered: they are those of the configuration. */
  readonly offline: boolean;
  /** Of that configuration: that the file found is not what counts. */
  readonly warning: string | null;
}

/** Prints them: name, arguments, what each is for, and who may. */
export async function listQuickCommands(context: Context, options: { config?: string }): Promise<number> {
  const list = await quickCommandList(context, options.config);
  const { commands, offline, warning } = list;
  if (context.json) context.output.json(list);
  else if (commands.length === 0) context.output.print('There are no quick commands here.');
  else context.output.print(commands.map(listedLines).join('\n'));
  if (offline) context.output.note('No gateway answers: these are the ones of the configuration.');
  if (warning !== null) context.output.note(warning);
  return EXIT.done;
}

/** Throws CONFIG_INVALID or CONFIG_UNREADABLE where no gateway answers. */
export async function quickCommandList(context: Context, configFlag?: string): Promise<QuickCommandList> {
  const told = await askGateway(context);
  return told === undefined
    ? { ...(await configured(context, configFlag)), offline: true }
    : { commands: told, offline: false, warning: null };
}

async function askGateway({ control }: Context): Promise<ListedCommand[] | undefined> {
  try {
    const { status, json } = await control.request('GET', '/v1/commands', undefined, LIST_MS_MAX);
    if (status !== 200) return undefined;
    const told = json.commands as (ListedCommand & { readonly exec?: boolean })[];
    return told.filter(({ exec }) => exec === true).map(({ exec: _, ...command }) => command);
  } catch (error) {
    if (isSluiceError(error) && error.code !== 'HOME_NO_PERMISSION') return undefined;
    throw error;
  }
}

/** What reads a configuration is loaded only here: a gateway that answers is asked in a fraction of that time. */
async function configured(context: Context, configFlag: string | undefined) {
  const { offlineList } = await import('../offline/list.ts');
  return offlineList({ ...context, configFlag });
}
