/** A gateway for tests of its ledger: with a few commands, alone or with a platform, and what its lists say. */
import { onTestFinished } from 'vitest';
import { type CliResult, runCli, TestFolder, TestGateway } from './gateway.ts';
import { startWithStandIn } from './stand-in/gateway.ts';
import { StandInServer } from './stand-in/server.ts';

/** Commands that end well and badly, and an owner on the stand-in platform. */
export const LEDGER_CONFIG = `
quick_commands:
  up: { type: exec, command: "echo up" }
  fails: { type: exec, command: "echo broken; echo why >&2; exit 3" }
access: { owners: ["standin:ann"] }`;

export type Listed = CliResult['json']['messages'][number];

/** Gone with the test. */
export async function gatewayHere(
  options: Parameters<typeof TestGateway.start>[0] = {},
): Promise<TestGateway> {
  const gateway = await TestGateway.start({ config: LEDGER_CONFIG, ...options });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  return gateway;
}

/** The same with a server of a chat platform. */
export async function withPlatform(
  folder?: TestFolder,
): Promise<{ server: StandInServer; gateway: TestGateway }> {
  const server = await StandInServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  return { server, gateway: await onPlatform(server, folder) };
}

/** One more life on that server. */
export async function onPlatform(server: StandInServer, folder?: TestFolder): Promise<TestGateway> {
  const gateway = await startWithStandIn(server, { config: LEDGER_CONFIG, ...(folder ? { folder } : {}) });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  return gateway;
}

export function folderHere(): TestFolder {
  const folder = new TestFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  return folder;
}

/** The command in the home of this folder, whoever runs there. */
export const alone = (folder: TestFolder, ...args: readonly string[]): Promise<CliResult> =>
  runCli([...args, '--home', folder.home], folder.path);

export const listed = async (cli: Promise<CliResult>): Promise<Listed[]> => (await cli).json.messages;

export const outcomes = (messages: readonly Listed[]) =>
  messages.map(({ platformMessageId, outcome }) => [platformMessageId, outcome]);
