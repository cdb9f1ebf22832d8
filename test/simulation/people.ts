/** Who writes in a simulated world, where, and what. */
import type { Said } from './happening.ts';
import type { Random } from './random.ts';

/** Conversations of the chat, and those of this machine. */
const CHATS = ['chat:c1', 'chat:c2', 'chat:c3'] as const;
const LOCAL = ['local:default', 'local:other'] as const;

export class People {
  readonly #random: Random;
  #count = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A text for the agent. */
  text(platform: Said['platform']): Said {
    const opening = this.#random.pick(['tell me about', '/please', '//tell me', 'and']);
    const queues = platform === 'local' && this.#random.chance(0.5);
    return this.#said(platform, 'turn', (key) => `${opening} ${key}`, queues ? { queues } : {});
  }

  command(platform: Said['platform']): Said {
    const name = this.#random.pick(['/job', '/duo', '/again', '/duo']);
    return this.#said(platform, 'exec', (key) => `${name} ${key}`);
  }

  /** One of the gateway's own commands that change nothing; the key is that of the message alone. */
  control(platform: Said['platform']): Said {
    const text = this.#random.pick(['/status', '/help', '/ps', '/nosuch', '/agent']);
    return this.#said(platform, 'control', () => text);
  }

  interrupt(): Said {
    return this.#said('chat', 'control', () => '/interrupt');
  }

  /** By one who may. */
  order(text: string): Said {
    return { ...this.#said('chat', 'control', () => text), sender: 'chat:ann' };
  }

  resume(conversation?: string): Said {
    const said = this.#said('chat', 'resume', () => '/resume');
    return conversation === undefined ? said : inConversation(said, conversation);
  }

  #said(
    platform: Said['platform'],
    kind: Said['kind'],
    text: (key: string) => string,
    more: Partial<Said> = {},
  ): Said {
    this.#count += 1;
    const key = `w${this.#count}`;
    const conversation = this.#random.pick(platform === 'chat' ? CHATS : LOCAL);
    const sender = platform === 'chat' ? this.#random.pick(['chat:ann', 'chat:bob']) : 'local:owner';
    return { key, platform, conversation, sender, text: text(key), kind, ...more };
  }
}

/** The same, written elsewhere. */
export function inConversation(said: Said, conversation: string): Said {
  const isLocal = conversation.startsWith('local:');
  const platform = isLocal ? 'local' : 'chat';
  return { ...said, conversation, platform, sender: isLocal ? 'local:owner' : 'chat:ann' };
}
