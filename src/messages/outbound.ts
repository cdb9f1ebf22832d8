/** A message that goes out, as a platform is asked to send it. */
export interface Outbound {
  readonly id: string;
  readonly platform: string;
  readonly conversation: string;
  readonly text: string;
  readonly kind: 'reply' | 'refusal' | 'notice';
  /** The gateway's id of the message it answers; null for a notice. */
  readonly messageId: string | null;
  /** Its formatting was rejected: send it as it stands. Absent: as the platform formats it. */
  readonly plain?: true;
}
