/** A log that writes nothing, for what is measured in process. */
import { createLog } from '../../src/telemetry/log.ts';
import { Secrets } from '../../src/telemetry/secrets.ts';

export const quietLog = createLog(
  { level: 'silent', pretty: false, colour: false, write: () => {} },
  new Secrets(),
);
