/**
 * Finds what was said in a conversation: the turns that are over and said something, in order (an index ends in the
 * row's `seq`). A turn enters it with the first thing it is known to have said.
 */
export const whatWasSaid = "CREATE INDEX turns_said ON turns (conversation) WHERE streamed <> '';";
