/**
 * Why a message was not simply answered, in words. What the ledger keeps is a word that a script can compare; this is
 * the same for a person. A reason that has none here was written for a person in the first place. Pure.
 */

const WORDS: Readonly<Record<string, string>> = {
  access: 'its sender may not do that',
  state: 'the gateway took none of its kind then',
  limit: 'a limit was reached',
  arguments: 'it was not written as its command wants it',
  store: 'the gateway could not write its store',
  resume: 'its turn was cut off before it had ended',
  'gateway-died': 'the gateway went down while it was being worked on',
  'cli-died': 'the `sluice exec` that ran it was ended before it',
  'gateway-left': 'the gateway left while it was being worked on',
  'too-old': 'it had become too old',
  timeout: 'it took longer than its timeout',
  'not-run': 'it was not started',
  internal: 'something failed inside the gateway, and its log says what',
  fault: 'the gateway failed while it was being worked on',
  'unknown-command': 'there is no such command',
  'unknown-agent': 'there is no such agent',
  'not-in-flight': 'nothing of that id was in flight',
  'nothing-to-cancel': 'there was nothing to cancel',
  'too-late': 'the gateway was leaving already',
  'still-starting': 'the gateway was still starting',
};

const EXIT_CODE = /^exit-code-(\d+)$/;

/** Completes "refused: …". */
export function reasonInWords(reason: string): string {
  const code = EXIT_CODE.exec(reason)?.[1];
  if (code !== undefined) return `it ended with exit code ${code}`;
  return Object.hasOwn(WORDS, reason) ? (WORDS[reason] ?? reason) : reason;
}
