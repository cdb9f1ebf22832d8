/** True of a text as people read it of a message that a further death of an incident cut off, or of several. */
export const isCutOffToo = (text: string): boolean => / (?:was|were) cut off(?:, too| again)\./.test(text);
