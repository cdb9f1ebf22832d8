/** `sluice config schema`: the JSON Schema of a configuration file, for editors and other checkers. */
import { configJsonSchema } from '../config/json-schema.ts';
import { type Context, EXIT } from './context.ts';

export function configSchema({ output }: Context): number {
  output.json(configJsonSchema());
  return EXIT.done;
}
