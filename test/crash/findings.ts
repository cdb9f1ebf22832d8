/** What the checker says: what was promised and not kept, and what a promise leaves out, counted. */

/** The promises, by the words of the report. */
export type Rule =
  | 'none is missing'
  | 'one outcome each'
  | 'the outcome is one that this message can have'
  | 'order in'
  | 'order out'
  | 'a command at most once'
  | 'a turn once an attempt'
  | 'a reply arrives'
  | 'a repeated reply is marked'
  | 'a mark is earned'
  | 'whoever is asked was told'
  | 'an incident is told once'
  | 'a named wait is kept'
  | 'a living life is left alone'
  | 'the same id tells the same outcome'
  | 'nothing comes from nowhere'
  | 'the database is whole'
  | 'nothing odd happened';

export interface Problem {
  readonly rule: Rule;
  /** Which message, by the id that its writer gave it; or what it is about. */
  readonly about: string;
  readonly what: string;
}

/** What happened that no promise forbids, because nobody could have kept it. */
export interface Deviations {
  /** It ran, or was answered, while the store could not be written, and said so; or the gateway died before it could. */
  notRecorded: number;
  /** A command that ran once more for that reason. */
  ranAgainUnrecorded: number;
  /** A reply that was cut off five times, and given up as a dead letter. */
  givenUp: number;
  /** A message that waits for a word because a clock had been set back behind its arrival. */
  ageUnknown: number;
}

export interface Findings {
  readonly problems: readonly Problem[];
  readonly deviations: Deviations;
  /** By kind and outcome; `awaiting resume` is none yet. */
  readonly outcomes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Turns beyond the first of a message, arrivals with a mark. */
  readonly resumed: number;
  readonly marked: number;
}

export const noDeviations = (): Deviations => ({
  ...{ notRecorded: 0, ranAgainUnrecorded: 0, givenUp: 0, ageUnknown: 0 },
});
