/**
 * What is said when a person changes what has come: to whoever wrote a message that is given up, and to the person who
 * asked. Pure.
 */
import { echoed } from './echoed.ts';

/** To whoever wrote a message that a person gave up before it was answered. `reason`: that person's. */
export const discarded = (text: string, by: string, reason: string | null): string => {
  const which = echoed(text.replace(/\s+/g, ' ').trim());
  const why = reason === null ? '' : ` (${echoed(reason)})`;
  return `Not answered: "${which}" was discarded by ${by}${why}. Send it again if it is still wanted.`;
};

/** To the person who gave it up. */
export const discardedNow = (id: string): string => `${id} is discarded; whoever wrote it is told.`;

/** To the person who wants replies sent after all. */
export const retried = (count: number): string =>
  `${repliesCounted(count)} sent again as soon as the conversation can be reached.`;

/** The same where no gateway runs. */
export const retriedLater = (count: number): string =>
  `${repliesCounted(count)} sent again by the next start.`;

/** To the person who gave replies up; `beingSent`: one was just under way. */
export const givenUp = (count: number, beingSent: boolean): string => {
  const given = `${repliesCounted(count)} not sent any more`;
  return beingSent ? `${given}, unless the one that is just being sent arrives.` : `${given}.`;
};

const repliesCounted = (count: number): string => (count === 1 ? '1 reply is' : `${count} replies are`);
