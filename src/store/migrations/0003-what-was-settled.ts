/**
 * Finds what was settled in a conversation since a time: for whoever watches it and was away (an index ends in the
 * row's `seq`). Nothing enters it before it is settled.
 */
export const whatWasSettled =
  'CREATE INDEX inbox_conversation ON inbox (conversation, settled_at) WHERE settled_at IS NOT NULL;';
