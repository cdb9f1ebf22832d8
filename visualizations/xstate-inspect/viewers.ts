/**
 * The WebSocket server that viewers connect to: on loopback only, and only for pages that may look. A viewer
 * that does not keep up is never waited for and never buffered without bound: `write` says no, and the owner
 * hears when there is room again.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { isIPv4, type Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { messageOf, SluiceError } from '../../src/errors.ts';

/** Viewers at a time; the next one is refused with 503. */
const VIEWERS_MAX = 8;
/** Connections at a time, viewers or not. */
const CONNECTIONS_MAX = 32;
/** A viewer has little to say: an event to be sent is the longest. */
const MESSAGE_BYTES_MAX = 64 * 1024;

/** One connected viewer. */
export interface Viewer {
  /** Hands over a message, or returns false when the viewer is behind or gone. */
  write(text: string): boolean;
}

export interface ViewersOptions {
  host: string;
  port: number;
  /** Origins of pages that may connect besides those on loopback, e.g. `https://stately.ai`. */
  viewerOrigins: readonly string[];
  /** Bytes that may wait for one viewer; a single longer message passes when nothing else waits. */
  backlogBytesMax: number;
  onMessage: (viewer: Viewer, text: string) => void;
  /** There is room again for a viewer; called after any message has gone out and half the backlog is free. */
  onRoom: (viewer: Viewer) => void;
  onGone: (viewer: Viewer) => void;
  onProblem: (text: string) => void;
}

export interface ViewerServer {
  readonly port: number;
  /** Ends every connection and the server; resolves when nothing is open. To be called once. */
  close(): Promise<void>;
}

/** Listens. Throws CONFIG_INVALID for a host that is not loopback, PORT_UNAVAILABLE when it cannot listen. */
export async function openViewerServer(options: ViewersOptions): Promise<ViewerServer> {
  const host = loopbackHost(options.host);
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_BYTES_MAX,
    clientTracking: false,
  });
  const sockets = new Set<Socket>();
  let viewers = 0;
  const http = createServer((_request, response) => {
    response
      .writeHead(426, { connection: 'close' })
      .end('This is a WebSocket for @xstate/inspect viewers.\n');
  });
  http.maxConnections = CONNECTIONS_MAX;
  http.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  http.on('upgrade', (request, socket, head) => {
    const refusal = refusalOf(request, options.viewerOrigins, viewers);
    if (refusal !== undefined) {
      socket.on('error', () => undefined);
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (client) => {
      viewers += 1;
      client.on('close', () => {
        viewers -= 1;
      });
      attend(client, options);
    });
  });
  const port = await listen(http, host, options.port);
  http.on('error', (error) => options.onProblem(`the server failed: ${messageOf(error)}`));

  return {
    port,
    close() {
      const closed = new Promise<void>((resolve) => {
        http.close(() => resolve());
      });
      for (const socket of sockets) socket.destroy();
      return closed;
    },
  };
}

/** The address to listen on. `localhost` is not looked up: a hosts file may point it anywhere. */
function loopbackHost(host: string): string {
  if (host === 'localhost') return '127.0.0.1';
  if (host === '::1' || (isIPv4(host) && host.startsWith('127.'))) return host;
  throw new SluiceError(
    'CONFIG_INVALID',
    `the XState inspector listens on loopback only, not on "${host}": who connects can read every chart`,
    { hint: 'Use localhost, 127.0.0.1 or ::1, and an SSH tunnel to look from elsewhere.' },
  );
}

function listen(http: ReturnType<typeof createServer>, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error) => {
      reject(
        new SluiceError(
          'PORT_UNAVAILABLE',
          `the XState inspector cannot listen on ${host}:${port}: ${cause.message}`,
          { cause, hint: 'Free the port, or set another with inspector.xstate_inspect.' },
        ),
      );
    };
    http.once('error', failed);
    http.listen(port, host, () => {
      http.off('error', failed);
      const address = http.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/** The HTTP status a connection is refused with. Browsers always name the page's origin; other clients do not. */
function refusalOf(request: IncomingMessage, allowed: readonly string[], viewers: number) {
  const { origin } = request.headers;
  if (origin !== undefined && !allowed.includes(origin) && !isLoopbackOrigin(origin)) return '403 Forbidden';
  if (viewers >= VIEWERS_MAX) return '503 Service Unavailable';
  return undefined;
}

function isLoopbackOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { hostname } = new URL(origin);
  return (
    hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'))
  );
}

function attend(client: WebSocket, options: ViewersOptions): void {
  const { backlogBytesMax } = options;
  const sent = () => {
    if (client.readyState === WebSocket.OPEN && client.bufferedAmount <= backlogBytesMax / 2) {
      options.onRoom(viewer);
    }
  };
  const viewer: Viewer = {
    write(text) {
      if (client.readyState !== WebSocket.OPEN) return false;
      const waiting = client.bufferedAmount;
      if (waiting > 0 && waiting + Buffer.byteLength(text) > backlogBytesMax) return false;
      client.send(text, sent);
      return true;
    },
  };
  client.on('message', (data, isBinary) => {
    if (!isBinary) options.onMessage(viewer, data.toString());
  });
  // Without a listener a viewer that breaks the protocol would end the process.
  client.on('error', (error) => options.onProblem(`a viewer broke off: ${messageOf(error)}`));
  client.on('close', () => options.onGone(viewer));
}
