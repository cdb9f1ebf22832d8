/** A log that writes nothing, for what is measured in process. */
import { createLog, Secrets } from '../../src/telemetry/log.ts';

export const quietLog = createLog(
  { level: 'silent', pretty: false, colour: false, write: () => {} },
  new Secrets(),
);
