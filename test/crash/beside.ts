/** Command lines that run a command beside the gateways of a chapter, each in a process of its own. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanEnvironment } from '../support/gateway.ts';
import { polled } from '../support/polling.ts';
import type { Beside } from './record.ts';
import type { World } from './world.ts';

export class CommandLines {
  readonly #world: World;
  readonly #entry: string;
  readonly #started: Promise<Beside>[] = [];

  constructor(world: World, entry: string) {
    this.#world = world;
    this.#entry = entry;
  }

  /** Resolves when its command has begun, or it is over. */
  async start(id: string): Promise<void> {
    let isOver = false;
    const running = this.#run(id).finally(() => {
      isOver = true;
    });
    this.#started.push(running);
    await polled(() => isOver || this.#world.effects.some((effect) => effect.id === id), `${id} to begin`);
  }

  /** Its command is done now. */
  letGo(id: string): void {
    writeFileSync(join(this.#world.folder.path, `go-${id}`), '');
  }

  /** Resolves when all are over. */
  ended(): Promise<Beside[]> {
    return Promise.all(this.#started);
  }

  async #run(id: string): Promise<Beside> {
    const { folder, commandLineConfig } = this.#world;
    const args = ['exec', 'wait', id, '--id', id, '--home', folder.home, '--config', commandLineConfig];
    const child = spawn(process.execPath, [this.#entry, ...args], {
      ...{ cwd: folder.path, env: cleanEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] },
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return {
      ...{ id, exitCode, byItself: said.includes('run by this process') },
      recorded: !said.includes('not recorded'),
      said: said.trim(),
    };
  }
}
