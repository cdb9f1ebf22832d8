/**
 * The writes of what is promised outwards: the outbox, the notices, and what is remembered of a conversation.
 *
 * `delivered` and `dead` are final but for a person who asks for more, and an ended notice stays as it ended: a write
 * that comes twice, or late, changes nothing.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Appliers } from './appliers.ts';

const REPLY = `
  INSERT INTO outbox (id, message_id, part, platform, conversation, text, kind, created_at, life, state, delivered_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Claiming a row whose last attempt nobody saw the end of may send it twice, and says so. */
const SENDING = `
  UPDATE outbox SET possible_duplicate = max(possible_duplicate, state IN ('sending', 'unknown')),
    state = 'sending', claim_life = ?, claimed_at = ?, attempts = attempts + 1, next_at = NULL
  WHERE id = ? AND state NOT IN ('delivered', 'dead')`;

const SENT = `
  UPDATE outbox SET state = 'delivered', delivered_at = ?, platform_sent_id = ?, error = NULL, next_at = NULL
  WHERE id = ? AND state <> 'delivered'`;

/**
 * Also of one that was unknown, once its platform says that it did not arrive; a claim that was not tried is taken back.
 * The claim ends here, and its time is that from then on: a wait is as long as from there to `next_at`.
 */
const UNSENT = `
  UPDATE outbox SET attempts = attempts - (state = 'sending' AND ?), state = 'pending', error = ?, next_at = ?,
    claimed_at = ?
  WHERE id = ? AND state NOT IN ('delivered', 'dead')`;

const OUTBOUND_END = `
  UPDATE outbox SET state = ?, error = ?, next_at = NULL WHERE id = ? AND state NOT IN ('delivered', 'dead')`;

/**
 * One that may have arrived is sent again knowingly, and says so like any other. Its age counts from `next_at` on; no wait.
 * Why it was not sent before is true no longer.
 */
const OUTBOUND_RETRY = `
  UPDATE outbox SET possible_duplicate = max(possible_duplicate, state = 'unknown'), state = 'pending', error = NULL,
    next_at = ?, claimed_at = ?
  WHERE id = ? AND state IN ('dead', 'unknown')`;

const NOTICE = `
  INSERT INTO notices (incident, platform, conversation, kind, created_at) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (incident, platform, conversation, kind) DO NOTHING`;

const NOTICE_END = `
  UPDATE notices SET state = ?
  WHERE incident = ? AND platform = ? AND conversation = ? AND kind = ? AND state = 'pending'`;

const SESSION_AGENT = `
  INSERT INTO sessions (conversation, agent, updated_at) VALUES (?, ?, ?)
  ON CONFLICT (conversation) DO UPDATE SET agent = excluded.agent, updated_at = excluded.updated_at`;

const SESSION_CRASHED = `
  INSERT INTO sessions (conversation, crashes, updated_at) VALUES (?, 1, ?)
  ON CONFLICT (conversation) DO UPDATE SET crashes = crashes + 1, updated_at = excluded.updated_at`;

const SESSION_QUARANTINE = `
  INSERT INTO sessions (conversation, quarantined, updated_at) VALUES (?, 1, ?)
  ON CONFLICT (conversation) DO UPDATE SET quarantined = 1, updated_at = excluded.updated_at`;

const SESSION_CALM = `
  UPDATE sessions SET crashes = 0, quarantined = 0, updated_at = ?
  WHERE conversation = ? AND (crashes > 0 OR quarantined = 1)`;

type OutboxOp = 'reply' | 'sending' | 'sent' | 'unsent' | 'outbound.end' | 'outbound.retry';
type NoticeOp = 'notice' | 'notice.end';
type SessionOp = 'session.agent' | 'session.crashed' | 'session.quarantine' | 'session.calm';

/** Prepares every statement that changes what is promised. */
export function preparePromises(db: DatabaseSync): Appliers<OutboxOp | NoticeOp | SessionOp> {
  return { ...prepareOutbox(db), ...prepareNotices(db), ...prepareSessions(db) };
}

function prepareOutbox(db: DatabaseSync): Appliers<OutboxOp> {
  const add = db.prepare(REPLY);
  const sending = db.prepare(SENDING);
  const sent = db.prepare(SENT);
  const unsent = db.prepare(UNSENT);
  const end = db.prepare(OUTBOUND_END);
  const retry = db.prepare(OUTBOUND_RETRY);
  return {
    reply: ({ outbound: o, deliveredAt = null }) => {
      const state = deliveredAt === null ? 'pending' : 'delivered';
      const { id, messageId, part = 0, platform, conversation, text, kind, createdAt, life } = o;
      add.run(id, messageId, part, platform, conversation, text, kind, createdAt, life, state, deliveredAt);
    },
    sending: (w) => sending.run(w.life, w.at, w.id),
    sent: (w) => sent.run(w.at, w.platformSentId ?? null, w.id),
    unsent: (w) => unsent.run(w.deferred ? 1 : 0, w.error, w.nextAt ?? null, w.at, w.id),
    'outbound.end': (w) => end.run(w.state, w.error, w.id),
    'outbound.retry': (w) => retry.run(w.at, w.at, w.id),
  };
}

function prepareNotices(db: DatabaseSync): Appliers<NoticeOp> {
  const promise = db.prepare(NOTICE);
  const end = db.prepare(NOTICE_END);
  return {
    notice: ({ notice: n, at }) => promise.run(n.incident, n.platform, n.conversation, n.kind, at),
    'notice.end': ({ notice: n, state }) => end.run(state, n.incident, n.platform, n.conversation, n.kind),
  };
}

function prepareSessions(db: DatabaseSync): Appliers<SessionOp> {
  const agent = db.prepare(SESSION_AGENT);
  const crashed = db.prepare(SESSION_CRASHED);
  const quarantine = db.prepare(SESSION_QUARANTINE);
  const calm = db.prepare(SESSION_CALM);
  return {
    'session.agent': (w) => agent.run(w.conversation, w.agent, w.at),
    'session.crashed': (w) => crashed.run(w.conversation, w.at),
    'session.quarantine': (w) => quarantine.run(w.conversation, w.at),
    'session.calm': (w) => calm.run(w.at, w.conversation),
  };
}
