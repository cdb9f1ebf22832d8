/** What outlives the gateways of a chapter: the chat server, the home, and the files beside it. */
import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TestFolder } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';
import { mountSmallDisk, SMALL_DISK_MISSING, type SmallDisk } from '../support/small-disk.ts';
import { StandInServer } from '../support/stand-in/server.ts';
import type { Noted } from './inside/trace.ts';
import { type Effect, readEffects } from './record.ts';
import { type Chapter, CONVERSATIONS, type Round } from './round.ts';

const PROGRAM = fileURLToPath(new URL('../support/programs/side-effects.sh', import.meta.url));

/** Room for a home with its log and its store, and less than what a store wants for a reserve. */
const DISK_KB = 16 * 1024;

export class World implements AsyncDisposable {
  readonly server: StandInServer;
  readonly folder: TestFolder;
  readonly disk: SmallDisk | undefined;
  readonly trace: string;
  readonly #chapter: Chapter;

  private constructor(chapter: Chapter, server: StandInServer) {
    this.#chapter = chapter;
    this.server = server;
    server.redeliver();
    this.disk = chapter.smallDisk && SMALL_DISK_MISSING === undefined ? mountSmallDisk(DISK_KB) : undefined;
    this.folder = new TestFolder(this.disk === undefined ? 'home' : join(this.disk.path, 'home'));
    this.trace = join(this.folder.path, 'trace');
    const program = join(this.folder.path, 'side-effects.sh');
    copyFileSync(PROGRAM, program);
    chmodSync(program, 0o700);
  }

  static async open(chapter: Chapter): Promise<World> {
    return new World(chapter, await StandInServer.start());
  }

  /** The configuration of a life; what its server can do is the round's. */
  configure(server: Round['server']): void {
    this.server.can(server);
    const { path } = this.folder;
    this.folder.writeConfig(configuration(path, this.server.config, this.#chapter.resume));
    writeFileSync(this.commandLineConfig, configuration(path, '', this.#chapter.resume));
  }

  /** The same without the chat server: a command line alone knows no such platform. */
  get commandLineConfig(): string {
    return join(this.folder.path, 'command-line.yaml');
  }

  get hasStore(): boolean {
    return existsSync(join(this.folder.home, 'sluice.db'));
  }

  rows(sql: string): unknown[] {
    return storeRows(this.folder.home, sql);
  }

  get effects(): Effect[] {
    return readEffects(this.#text('effects.txt'));
  }

  get noted(): Noted[] {
    return this.#text('trace')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Noted);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
    this.disk?.[Symbol.dispose]();
  }

  #text(name: string): string {
    const path = join(this.folder.path, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }
}

/** Two agents that are one program, commands that note their argument, and no safe mode: it has its own test. */
function configuration(folder: string, platforms: string, resume: Chapter['resume']): string {
  const program = join(folder, 'side-effects.sh');
  const owners = [...CONVERSATIONS.withEffects, ...CONVERSATIONS.without].map((name) => `standin:${name}`);
  const args = '{ ID: { pattern: "^[a-z0-9]+$" } }';
  return [
    'listen: { http: "off" }',
    `agent: { type: command, command: ["${program}"], restart_drain_timeout: 10 }`,
    `agents: { pure: { type: command, command: ["${program}"], effects: none } }`,
    'conversations:',
    ...CONVERSATIONS.without.map((name) => `  "standin:${name}": { agent: pure }`),
    'quick_commands:',
    `  note: { type: exec, command: './side-effects.sh note "$ID" 0.01', args: ${args}, concurrency: 2 }`,
    `  slow-note: { type: exec, command: './side-effects.sh note "$ID" 0.15', args: ${args} }`,
    `  wait: { type: exec, command: './side-effects.sh wait "$ID"', args: ${args}, concurrency: 4 }`,
    '  n: { type: alias, target: /note }',
    `access: { owners: ${JSON.stringify(owners)} }`,
    'shutdown: { kill_grace: 1s, exit_timeout: 5s }',
    `turns: { resume: ${resume} }`,
    'safe_mode: off',
    platforms,
    '',
  ].join('\n');
}
