/** What may happen when is written in the charts, and the charts touch nothing. */
import { catalog, statesOf } from '../../machines/catalog.ts';
import type { Token } from '../support/source-tokens.ts';
import { fileRule, isWithin, type Rule } from './rule.ts';

/** What starts something beside the events, or waits for time. */
const KEYS = new Set(['invoke', 'after', 'delay', 'delays', 'spawn']);

/** xstate's makers of things with a life of their own, and whatever the result of a run could depend on. */
const WORDS = new Set([
  ...['fromPromise', 'fromCallback', 'fromObservable', 'fromEventObservable', 'fromTransition'],
  ...['spawnChild', 'stopChild', 'sendTo', 'raise', 'forwardTo'],
  ...['Date', 'Math', 'performance', 'crypto', 'process', 'console', 'fetch', 'globalThis'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'Promise', 'async', 'await'],
]);

/** Flags that would say beside the chart what only the chart may say. */
const FLAG = /^#?_?(is|was|has)?(draining|restarting|stopping|shuttingdown)$/i;
/** Where such a word is a function or a parameter that the chart's own view fills, for the words of a notice. */
const FLAG_READERS = ['src/messages/replies.ts'];

/** A state's name that also means something else in `src`: where a message is. */
const OTHER_MEANINGS = ['waiting'];

/** The dotted paths of the states of all charts, and their names. */
const STATE_NAMES = new Set(
  Object.values(catalog)
    .flatMap((machine) => statesOf(machine))
    .flatMap(({ path }) => [path.join('.'), path.at(-1) ?? ''])
    .filter((name) => name !== '' && !OTHER_MEANINGS.includes(name)),
);
const isState = (text: string): boolean =>
  STATE_NAMES.has(text) || (text.endsWith('.') && STATE_NAMES.has(text.slice(0, -1)));

/** Who may compare a state, and why the chart cannot be asked there. */
const MAY_COMPARE: readonly string[] = [
  // A command follows another process by the state that its status names.
  'src/cli/',
  // /readyz tells a load balancer whether it runs; no message is judged by it.
  'src/control/api.ts',
  // They read why the chart refused, which is its answer.
  'src/gateway/judge.ts',
  'src/gateway/refusals.ts',
  'src/messages/replies.ts',
];

const COMPARISONS = new Set(['===', '!==', '==', '!=', 'case']);
const SEARCHES = new Set(['startsWith', 'endsWith', 'includes', 'has', 'test', 'match']);

export const charts: readonly Rule[] = [
  fileRule('a machine waits for nothing and starts nothing', ['machines/'], ({ code }) =>
    code.flatMap((token, at) => {
      const isKey = code[at + 1]?.text === ':' && KEYS.has(token.text);
      const isUse = token.kind === 'word' && WORDS.has(token.text) && code[at - 1]?.text !== '.';
      if (!isKey && !isUse) return [];
      return [{ line: token.line, what: `${token.text} in a machine; make it an event or an effect` }];
    }),
  ),
  fileRule('a machine names each event it takes', ['machines/'], ({ code }) =>
    code.flatMap((token, at) => {
      const isWildcard = token.kind === 'string' && /(^|\.)\*$/.test(token.text);
      if (!isWildcard || code[at + 1]?.text !== ':') return [];
      return [{ line: token.line, what: `'${token.text}' takes events that nobody named` }];
    }),
  ),
  fileRule('no flag in src says what the chart says', ['src/'], ({ path, code }) =>
    code.flatMap((token) => {
      if (token.kind !== 'word' || !FLAG.test(token.text) || isWithin(path, FLAG_READERS)) return [];
      return [{ line: token.line, what: `${token.text}: ask the chart` }];
    }),
  ),
  fileRule('no state of a chart is compared outside of it', ['src/'], ({ path, code }) =>
    code.flatMap((token, at) => {
      if (token.kind !== 'string' || !isState(token.text) || !isCompared(code, at)) return [];
      if (isWithin(path, MAY_COMPARE)) return [];
      return [
        { line: token.line, what: `a comparison with '${token.text}': send the chart an event instead` },
      ];
    }),
  ),
];

function isCompared(code: readonly Token[], at: number): boolean {
  const [called, before, after] = [code[at - 2]?.text, code[at - 1]?.text ?? '', code[at + 1]?.text ?? ''];
  if (COMPARISONS.has(before) || COMPARISONS.has(after)) return true;
  return before === '(' && called !== undefined && SEARCHES.has(called);
}
