/**
 * The few shapes of untyped or ill-fitting packages that the bridge uses. `ws` ships no types, and those of
 * `@xstate/inspect` 0.8 speak of the DOM and of XState 4's generics; neither belongs into this project's check.
 */
declare module '@xstate/inspect/lib/server.js' {
  interface Client {
    readonly OPEN: number;
    readonly readyState: number;
    send(text: string): void;
  }
  interface Connection {
    on(name: 'message', listener: (text: string, isBinary: boolean) => void): void;
  }
  /** Registers every service of `globalThis.__xstate__` with the viewers among `server.clients`. */
  export function inspect(options: {
    server: {
      readonly clients: ReadonlySet<Client>;
      on(name: string, listener: (connection: Connection) => void): void;
      close(): void;
    };
  }): { send(event: { type: string; sessionId: string }): void; disconnect(): void };
}

declare module '@xstate/inspect' {
  export function createWebSocketReceiver(options: { server: string; protocol?: 'ws' | 'wss' }): {
    send(event: { type: string; event?: string }): void;
    subscribe(next: (event: import('./receiver.ts').ReceivedEvent) => void): { unsubscribe(): void };
  };
}

declare module 'ws' {
  export class WebSocket {
    static readonly OPEN: number;
    readonly readyState: number;
    /** Bytes accepted by `send` and not yet given to the kernel. */
    readonly bufferedAmount: number;
    constructor(address: string, options?: { headers?: Record<string, string> });
    send(data: string | Uint8Array, sent?: (error?: Error) => void): void;
    close(code?: number, reason?: string): void;
    pause(): void;
    resume(): void;
    on(name: 'message', listener: (data: Uint8Array, isBinary: boolean) => void): this;
    on(name: 'error', listener: (error: Error) => void): this;
    on(name: 'open' | 'close', listener: () => void): this;
  }
  export class WebSocketServer {
    constructor(options: { noServer: true; maxPayload: number; clientTracking: boolean });
    handleUpgrade(
      request: import('node:http').IncomingMessage,
      socket: import('node:stream').Duplex,
      head: Buffer,
      upgraded: (client: WebSocket) => void,
    ): void;
  }
}
