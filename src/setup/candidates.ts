/** What could answer on this machine, in the order in which it is offered: local and free before paid. */

export type Candidate =
  /** A model server on this machine, with the models that it lists, those first that can answer. */
  | {
      readonly kind: 'server';
      readonly name: string;
      readonly baseUrl: string;
      readonly models: readonly string[];
    }
  /** An agent program on PATH. */
  | {
      readonly kind: 'program';
      readonly name: string;
      readonly command: readonly string[];
      readonly about: string;
    }
  /** A key in the environment, by its variable; its value is never looked at. */
  | {
      readonly kind: 'key';
      readonly name: string;
      readonly variable: string;
      readonly baseUrl: string;
      readonly models: readonly string[];
    }
  /** The built-in demo agent, which is always there. */
  | { readonly kind: 'demo'; readonly name: string };

/** How a candidate is offered to a person. */
export function describe(candidate: Candidate): string {
  if (candidate.kind === 'server') {
    const { name, baseUrl, models } = candidate;
    return `${name} at ${baseUrl}: ${models.length === 1 ? models[0] : `${models.length} models`}`;
  }
  if (candidate.kind === 'program') return `${candidate.name}: ${candidate.about}`;
  if (candidate.kind === 'key') return `${candidate.name}, with the key in ${candidate.variable}`;
  return 'the built-in demo agent: a small program, not a language model';
}

/** The models there are to choose from; none where the candidate chooses itself. */
export function modelsOf(candidate: Candidate): readonly string[] {
  return candidate.kind === 'server' || candidate.kind === 'key' ? candidate.models : [];
}
