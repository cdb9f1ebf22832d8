/** Through what the gateway is reached: its token, the live chart, the routes and the servers they stand on. */
import { systemClock as clock } from '../clock.ts';
import type { Configuration } from '../config/configuration.ts';
import { Api } from '../control/api.ts';
import { ConversationEvents } from '../control/conversation-events.ts';
import { Faces } from '../control/http.ts';
import { Inspector } from '../control/inspector.ts';
import { LedgerApi, type LedgerReads } from '../control/ledger-api.ts';
import { LogStreams } from '../control/log-streams.ts';
import { builtPageFolder } from '../control/page.ts';
import { Routes } from '../control/routes.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { listDocument, listOptions } from '../gateway/message-list.ts';
import { wayOf } from '../gateway/message-way.ts';
import type { Reloads } from '../gateway/reloads.ts';
import { readToken } from '../process/home.ts';
import type { SqliteStore } from '../store/sqlite.ts';
import type { World } from './world.ts';

export interface OpenFaces {
  readonly faces: Faces;
  readonly inspector: Inspector;
  readonly conversations: ConversationEvents;
  readonly token: string;
}

/** Makes the faces; nothing listens yet. Their end, with the socket's file, comes before the lock is given back. */
export function makeFaces(
  { paths, secrets, log, acquired, blackBox }: World,
  gateway: Gateway,
  configuration: Configuration,
  store: SqliteStore,
  reloads: Reloads,
): OpenFaces {
  const token = readToken(paths.token, (problem) => gateway.warnings.push(problem));
  secrets.add(token);
  const inspector = new Inspector(gateway, clock);
  const conversations = new ConversationEvents(gateway, clock);
  const api = new Api({
    gateway,
    clock,
    configuration: () => configuration.running,
    variables: (named) => configuration.told(named),
    quickCommands: () => configuration.current.quickCommands,
    reload: (ask) => reloads.ask(ask),
    redacted: (json) => secrets.redactIn(json),
  });
  const ledger = new LedgerApi({ ...ledgerReads(store), clock, interventions: gateway.interventions });
  const logs = new LogStreams(blackBox.tail);
  const pageFolder = builtPageFolder();
  const routes = new Routes({ api, ledger, inspector, logs, conversations, clock, pageFolder });
  const faces = new Faces({ routes, clock, log, token });
  acquired.defer('the control socket and HTTP', () => faces.close());
  return { faces, inspector, conversations, token };
}

/** What the ledger is asked, from the store of this life. */
const ledgerReads = (store: SqliteStore): LedgerReads => ({
  lookup: (id) => store.lookup(id),
  list: async (listed) => listDocument(await store.list(listOptions(listed))),
  way: async (messageId) => {
    const trail = await store.trail(messageId);
    return trail && wayOf(trail);
  },
  notice: (id) => store.outbound(id),
});
