/** What could answer on this machine, in the order in which it is offered: local and free before paid. */
import { nearest } from '../messages/near.ts';

export type Candidate =
  /** A model server on this machine, with the models that it lists, those first that can answer. */
  | {
      readonly kind: 'server';
      readonly name: string;
      readonly baseUrl: string;
      readonly models: readonly string[];
      /** How many it lists besides those. */
      readonly moreModels: number;
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

/** Models of a refusal. */
const NAMED_MAX = 10;

/** What is known of a model that was asked for by its name: nothing against it, a doubt, or that it is not there. */
export function judgeModel(candidate: Candidate, model: string): { problem?: string; doubt?: string } {
  const { kind, name } = candidate;
  if (kind === 'program' || kind === 'demo') return { problem: `${name} takes no --model` };
  // Ollama takes a name without its tag for the latest.
  if ([model, `${model}:latest`].some((each) => candidate.models.includes(each))) return {};
  if (kind === 'key') return { doubt: `whether ${name} has a model ${model} was not looked up` };
  const { models, baseUrl, moreModels } = candidate;
  if (moreModels > 0) return { doubt: `${model} is not among the first ${models.length} models of ${name}` };
  const near = nearest(model, models);
  const listed = [...near, ...models.filter((each) => !near.includes(each))];
  const more = listed.length > NAMED_MAX ? `, and ${listed.length - NAMED_MAX} more` : '';
  const shown = `${listed.slice(0, NAMED_MAX).join(', ')}${more}`;
  return { problem: `${name} at ${baseUrl} lists no model "${model}"; it has ${shown}` };
}
