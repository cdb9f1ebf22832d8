/** Knows which variables hold a key of which OpenAI-compatible service. That one is set is all that is asked of it. */
import type { Candidate } from './candidates.ts';

type Key = Extract<Candidate, { kind: 'key' }>;

/** Each with models to begin with; which ones an account has only its service knows. */
const SERVICES: readonly Omit<Key, 'kind'>[] = [
  {
    name: 'OpenAI',
    variable: 'OPENAI_API_KEY',
    baseUrl: 'https://api.openai.com/v1',
    models: ['gpt-5-mini', 'gpt-5'],
  },
  {
    name: 'OpenRouter',
    variable: 'OPENROUTER_API_KEY',
    baseUrl: 'https://openrouter.ai/api/v1',
    models: ['openrouter/auto'],
  },
  {
    name: 'Anthropic',
    variable: 'ANTHROPIC_API_KEY',
    baseUrl: 'https://api.anthropic.com/v1',
    models: ['claude-haiku-4-5', 'claude-sonnet-4-5'],
  },
  {
    name: 'Gemini',
    variable: 'GEMINI_API_KEY',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
    models: ['gemini-2.5-flash', 'gemini-2.5-pro'],
  },
  {
    name: 'Groq',
    variable: 'GROQ_API_KEY',
    baseUrl: 'https://api.groq.com/openai/v1',
    models: ['llama-3.3-70b-versatile'],
  },
  {
    name: 'Mistral',
    variable: 'MISTRAL_API_KEY',
    baseUrl: 'https://api.mistral.ai/v1',
    models: ['mistral-small-latest', 'mistral-large-latest'],
  },
  {
    name: 'DeepSeek',
    variable: 'DEEPSEEK_API_KEY',
    baseUrl: 'https://api.deepseek.com/v1',
    models: ['deepseek-chat', 'deepseek-reasoner'],
  },
];

/** The services whose variable is set to something. */
export function findApiKeys(env: Readonly<Record<string, string | undefined>>): Key[] {
  return SERVICES.filter(({ variable }) => (env[variable] ?? '').trim() !== '').map((service) => ({
    kind: 'key',
    ...service,
  }));
}
