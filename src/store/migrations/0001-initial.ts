/**
 * The first schema. Text in a module, so that it survives bundling.
 *
 * Invariants held by the file itself, whoever writes it: enumerations are CHECKed, a message is settled
 * exactly when it has an outcome and a time, and what belongs to a message goes with it. The look-ups that
 * hold the last one cost a turn 0.4 µs: less than rows that belong to nothing would.
 *
 * Open rows are found by partial indexes, so that a million settled ones cost nothing; `reads.ts` repeats
 * their WHERE clauses word for word, which is what lets SQLite use them. `seq` is the order of arrival. Lives
 * are never deleted: epochs only grow. A row's life is 0 when it was written for a time before its life could
 * be registered, so that column references nothing.
 */
const PHASE = oneOf('phase', 'received', 'held', 'waiting', 'started', 'awaiting-resume', 'settled');

const OUTCOME = oneOf(
  'outcome',
  'answered',
  'ran',
  'done',
  'refused',
  'failed',
  'expired',
  'interrupted',
  'merged',
  'discarded',
);

export const initial = `
CREATE TABLE lives (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('daemon', 'cli')),
  epoch INTEGER,
  pid INTEGER NOT NULL,
  start_time TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  version TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ready_at INTEGER,
  ended_at INTEGER,
  exit_code INTEGER,
  cause TEXT,
  CHECK ((kind = 'daemon') = (epoch IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX lives_epoch ON lives (epoch) WHERE epoch IS NOT NULL;
CREATE INDEX lives_open ON lives (id) WHERE ended_at IS NULL;

CREATE TABLE inbox (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  platform TEXT NOT NULL,
  platform_message_id TEXT NOT NULL,
  conversation TEXT NOT NULL,
  sender TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (${oneOf('kind', 'control', 'exec', 'alias', 'turn')}),
  text TEXT NOT NULL,
  -- What an alias made of the text; null when it is as it came.
  rewritten_text TEXT,
  agent TEXT,
  when_busy TEXT CHECK (${oneOf('when_busy', 'interrupt', 'queue', 'steer')}),
  received_at INTEGER NOT NULL,
  life INTEGER NOT NULL,
  epoch INTEGER,
  admission TEXT NOT NULL CHECK (${oneOf('admission', 'dispatch', 'hold', 'refuse')}),
  reason TEXT,
  phase TEXT NOT NULL CHECK (${PHASE}),
  outcome TEXT CHECK (${OUTCOME}),
  settled_at INTEGER,
  -- 0 when it ran while the store could not be written and was noted afterwards.
  recorded INTEGER NOT NULL DEFAULT 1 CHECK (recorded IN (0, 1)),
  -- The message whose turn answers this one too.
  merged_into TEXT,
  -- In how many lives that died it was open.
  crashes INTEGER NOT NULL DEFAULT 0,
  CHECK ((phase = 'settled') = (outcome IS NOT NULL)),
  CHECK ((outcome IS NULL) = (settled_at IS NULL))
) STRICT;
CREATE UNIQUE INDEX inbox_id ON inbox (id);
CREATE UNIQUE INDEX inbox_platform_message ON inbox (platform, platform_message_id);
CREATE INDEX inbox_open ON inbox (life) WHERE outcome IS NULL;
CREATE INDEX inbox_settled ON inbox (settled_at) WHERE settled_at IS NOT NULL;

CREATE TABLE turns (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  conversation TEXT NOT NULL,
  agent TEXT NOT NULL,
  life INTEGER NOT NULL,
  -- 1 for the first turn of its first message, and one more for each that resumes it.
  attempt INTEGER NOT NULL DEFAULT 1 CHECK (attempt >= 1),
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  outcome TEXT CHECK (${oneOf('outcome', 'answered', 'failed', 'interrupted')}),
  reason TEXT,
  streamed TEXT NOT NULL DEFAULT '',
  -- What the agent says it used, JSON.
  usage TEXT,
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT;
CREATE UNIQUE INDEX turns_id ON turns (id);
CREATE INDEX turns_open ON turns (life) WHERE ended_at IS NULL;

CREATE TABLE turn_messages (
  turn_id TEXT NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  message_id TEXT NOT NULL REFERENCES inbox (id) ON DELETE CASCADE,
  PRIMARY KEY (turn_id, position)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX turn_messages_message ON turn_messages (message_id, turn_id);

CREATE TABLE commands (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  message_id TEXT NOT NULL REFERENCES inbox (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  actor TEXT NOT NULL,
  args_hash TEXT NOT NULL,
  life INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  started_at INTEGER,
  -- After this it must not be started: its asker has run it elsewhere or given up.
  deadline_at INTEGER,
  ended_at INTEGER,
  outcome TEXT CHECK (${oneOf('outcome', 'ran', 'failed', 'interrupted', 'expired')}),
  exit_code INTEGER,
  signal TEXT,
  duration_ms INTEGER,
  output TEXT,
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT;
CREATE UNIQUE INDEX commands_id ON commands (id);
CREATE INDEX commands_message ON commands (message_id);
CREATE INDEX commands_open ON commands (life) WHERE ended_at IS NULL;

CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  message_id TEXT REFERENCES inbox (id) ON DELETE CASCADE,
  -- Of a long text sent in several: which one, from 0.
  part INTEGER NOT NULL DEFAULT 0,
  platform TEXT NOT NULL,
  conversation TEXT NOT NULL,
  text TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (${oneOf('kind', 'reply', 'refusal', 'notice', 'approval')}),
  created_at INTEGER NOT NULL,
  life INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending'
    CHECK (${oneOf('state', 'pending', 'sending', 'delivered', 'unknown', 'dead')}),
  -- The life that last began to send it; from then on the row is that one's to recover.
  claim_life INTEGER,
  claimed_at INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER,
  -- 1 once it was sent again although nobody knows whether the time before arrived.
  possible_duplicate INTEGER NOT NULL DEFAULT 0 CHECK (possible_duplicate IN (0, 1)),
  platform_sent_id TEXT,
  delivered_at INTEGER,
  error TEXT
) STRICT;
CREATE UNIQUE INDEX outbox_id ON outbox (id);
CREATE INDEX outbox_message ON outbox (message_id);
CREATE INDEX outbox_open ON outbox (coalesce(claim_life, life)) WHERE state NOT IN ('delivered', 'dead');

CREATE TABLE sessions (
  conversation TEXT NOT NULL PRIMARY KEY,
  agent TEXT,
  busy_mode TEXT CHECK (${oneOf('busy_mode', 'interrupt', 'queue', 'steer')}),
  -- Grows when a person starts afresh: what was said before is not shown to the agent again.
  generation INTEGER NOT NULL DEFAULT 0,
  quarantined INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1)),
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE approvals (
  id TEXT NOT NULL PRIMARY KEY,
  conversation TEXT NOT NULL,
  turn_id TEXT REFERENCES turns (id) ON DELETE SET NULL,
  command TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  decided_at INTEGER,
  decision TEXT CHECK (${oneOf('decision', 'approved', 'denied', 'expired')}),
  decided_by TEXT,
  CHECK ((decided_at IS NULL) = (decision IS NULL))
) STRICT;
CREATE INDEX approvals_turn ON approvals (turn_id);
CREATE INDEX approvals_open ON approvals (conversation, asked_at) WHERE decided_at IS NULL;

CREATE TABLE notices (
  id INTEGER PRIMARY KEY,
  incident TEXT NOT NULL,
  platform TEXT NOT NULL,
  conversation TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('down', 'back')),
  state TEXT NOT NULL DEFAULT 'pending' CHECK (${oneOf('state', 'pending', 'sent', 'given-up')}),
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER,
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX notices_once ON notices (incident, platform, conversation, kind);
CREATE INDEX notices_open ON notices (next_at) WHERE state = 'pending';

CREATE TABLE journal (
  epoch INTEGER NOT NULL,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  state TEXT NOT NULL,
  context TEXT NOT NULL,
  -- How many rows before this one were lost.
  missed INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (epoch, number)
) STRICT, WITHOUT ROWID;
`;

/**
 * For `column IN (…)` with three values or more SQLite builds a table in memory at every insert: five of them
 * cost a message as much as all its indexes together. A chain of OR says the same and costs nothing.
 */
function oneOf(column: string, ...values: readonly string[]): string {
  return values.map((value) => `${column} = '${value}'`).join(' OR ');
}
