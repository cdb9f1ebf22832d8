/**
 * What a start needs to know to go on where a life died: whether a turn may have changed something outside, and how
 * often in a row a conversation was in flight at a death. What a person asks for has indexes of its own: messages that
 * wait to be resumed, letters that could not be delivered, and messages that came to another end than an answer. They
 * are partial, so that a message which is simply answered enters none of them.
 */
export const promises = `
ALTER TABLE turns ADD COLUMN effects INTEGER NOT NULL DEFAULT 1 CHECK (effects IN (0, 1));
ALTER TABLE sessions ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sessions_crashed ON sessions (conversation) WHERE crashes > 0 OR quarantined = 1;
CREATE INDEX inbox_awaiting ON inbox (conversation) WHERE phase = 'awaiting-resume';
CREATE INDEX inbox_outcome ON inbox (outcome) WHERE outcome IS NOT NULL AND outcome <> 'answered';
CREATE INDEX outbox_undelivered ON outbox (message_id) WHERE state = 'dead' OR state = 'unknown';
CREATE INDEX lives_deaths ON lives (ended_at) WHERE cause = 'died' OR cause = 'fault';
`;
