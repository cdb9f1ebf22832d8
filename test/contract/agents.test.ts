/** Both kinds of agents keep the contract: a program, and a model behind an API. */
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { describe } from 'vitest';
import { CommandAgent } from '../../src/agents/command.ts';
import { OpenAiAgent } from '../../src/agents/openai.ts';
import { systemClock } from '../../src/clock.ts';
import { createProcesses } from '../../src/process/exec.ts';
import { type Asked, OpenAiStandIn } from '../support/openai-stand-in.ts';
import { type AgentGround, type Answerer, agentContract } from './agent-contract.ts';

const PROGRAM = resolve(import.meta.dirname, '../support/programs/told-agent.mjs');

async function programGround(): Promise<AgentGround> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const program = join(folder, 'agent');
  const socketPath = join(folder, 'told');
  writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${PROGRAM} ${socketPath}\n`);
  chmodSync(program, 0o755);
  const answerers: Answerer[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    // A program that is killed may break its connection.
    socket.on('error', () => {});
    const tell = (what: unknown): void => void socket.write(`${JSON.stringify(what)}\n`);
    createInterface({ input: socket }).once('line', (line) => {
      answerers.push({
        question: JSON.parse(line),
        say: (text) => tell({ say: text }),
        end: () => tell({ exit: 0 }),
        fail: () => tell({ exit: 1 }),
        gone: once(socket, 'close'),
      });
      server.emit('answerer');
    });
  });
  server.listen(socketPath);
  await once(server, 'listening');
  const config = { name: 'contract', type: 'command', command: [program], cwd: folder, env: [] } as const;
  return {
    agent: new CommandAgent({
      config: { ...config, turnTimeoutMs: 60_000, failureThreshold: 5, effects: false },
      processes: createProcesses(systemClock),
      environment: () => ({ PATH: process.env.PATH ?? '' }),
    }),
    probeShows: 'can-start',
    answerer: async (number) => {
      for (;;) {
        const answerer = answerers[number];
        if (answerer !== undefined) return answerer;
        await once(server, 'answerer');
      }
    },
    get turnsBegun() {
      return answerers.length;
    },
    breakDown: async () => rmSync(program),
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
      rmSync(folder, { recursive: true });
    },
  };
}

async function modelGround(): Promise<AgentGround> {
  const server = await OpenAiStandIn.start();
  server.answer = (): void => {};
  const config = { name: 'contract', type: 'openai', baseUrl: server.baseUrl, model: 'stand-in' } as const;
  let isGone = false;
  const breakDown = async (): Promise<void> => {
    if (!isGone) await server[Symbol.asyncDispose]();
    isGone = true;
  };
  return {
    agent: new OpenAiAgent({
      config: { ...config, historyWindow: 40, turnTimeoutMs: 60_000, failureThreshold: 5, effects: false },
      environment: {},
      history: async () => [],
      clock: systemClock,
    }),
    probeShows: 'answers',
    answerer: async (number) => answererOf(await server.question(number)),
    get turnsBegun() {
      return server.asked.length;
    },
    breakDown,
    [Symbol.asyncDispose]: breakDown,
  };
}

function answererOf(asked: Asked): Answerer {
  return {
    question: asked.question,
    say: (text) => void asked.say(text),
    end: () => asked.end(),
    fail: () => asked.cut(),
    gone: asked.closed,
  };
}

describe('an agent that is a program', () => {
  agentContract(programGround);
});

describe('an agent that is a model behind an API', () => {
  agentContract(modelGround);
});
