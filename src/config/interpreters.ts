/**
 * Which items of a command that is a list are read as a program: the first one, what a shell gets behind `-c`, what
 * `node` gets behind `-e`, the file that either is to run; also where `env`, `nice` or `sudo` stand before it, and such a text
 * wherever its reader is named. Only how these programs read their own options is known here, not what the programs do. Pure.
 */

/** How a program reads the words behind its name. */
interface Reads {
  readonly names: RegExp;
  /** Options with a value in the next item, as far as they can stand before what matters. */
  readonly valued?: RegExp;
  /** Options that may have a value in the next item, where that is no option: which ones do is known to the program alone. */
  readonly perhapsValued?: RegExp;
  /** Options whose value, in the next item, is a program. */
  readonly text?: RegExp;
  /** Options whose value is the file that the program is in. */
  readonly file?: RegExp;
  /** Options whose value names the program, as the first operand does: behind it stand that one's words. */
  readonly run?: RegExp;
  /** Options whose value names code that is loaded besides. */
  readonly loads?: RegExp;
  /** Words that stand before the first operand and say what to do with it. */
  readonly verb?: RegExp;
  /** As a shell has it: with such an option the first operand is the program, wherever that stands. */
  readonly isShell?: true;
  /** What the first operand is without an option of `text` or `file`: a program, or the file of one. */
  readonly operandIs?: 'text' | 'file';
  /** Options count behind operands as well. */
  readonly mixesOperands?: true;
  /** Starts what its operands name, behind so many of its own and behind settings such as `LANG=C`. */
  readonly startsAfter?: number;
}

const wrapper = (names: RegExp, valued?: RegExp, startsAfter = 0, text?: RegExp): Reads => ({
  names,
  startsAfter,
  ...(valued === undefined ? {} : { valued }),
  ...(text === undefined ? {} : { text }),
});

const PROGRAMS: readonly Reads[] = [
  wrapper(/^env$/, /^(-[uC]|--(unset|chdir))$/, 0, /^(-[a-zA-Z]*S|--split-string)$/),
  wrapper(/^nice$/, /^(-n|--adjustment)$/),
  wrapper(/^(nohup|setsid|busybox)$/),
  wrapper(/^time$/, /^(-[fo]|--(format|output))$/),
  wrapper(/^timeout$/, /^(-[ks]|--(kill-after|signal))$/, 1),
  wrapper(/^stdbuf$/, /^(-[ioe]|--(input|output|error))$/),
  wrapper(/^ionice$/, /^-[cn]$/),
  wrapper(/^(chrt|taskset|chroot)$/, undefined, 1),
  wrapper(
    /^sudo$/,
    /^(-[a-zA-Z]*[CDghpRrTtuU]|--(user|group|host|prompt|chdir|chroot|role|type|close-from))$/,
  ),
  wrapper(/^doas$/, /^-[Cu]$/),
  wrapper(/^xargs$/, /^-[adEILnPs]$/),
  wrapper(/^flock$/, /^(-[wE]|--(timeout|wait|conflict-exit-code))$/, 1, /^(-c|--command)$/),
  {
    names: /^(a|ba|da|hu|k|lk|mk|pdk|po|rba|rk|rz|ya|z)?sh[\d.]*$/,
    valued: /^[-+][a-zA-Z]*[oO][a-zA-Z]*$/,
    loads: /^--(rcfile|init-file)$/,
    text: /^-[a-zA-Z]*c[a-zA-Z]*$/,
    operandIs: 'file',
    isShell: true,
  },
  {
    names: /^fish$/,
    text: /^(-[a-z]*[cC]|--(command|init-command))$/,
    operandIs: 'file',
    isShell: true,
  },
  { names: /^t?csh$/, text: /^-[a-z]*c$/, operandIs: 'file', isShell: true },
  { names: /^(su|runuser)$/, text: /^(-[a-z]*c|--(command|session-command))$/, mixesOperands: true },
  { names: /^(script|scriptlive)$/, text: /^(-[a-z]*c|--command)$/, mixesOperands: true },
  {
    names: /^(python|pypy)[\d.]*$/,
    valued: /^-[WX]$/,
    text: /^-[a-zA-Z]*c$/,
    run: /^-[a-zA-Z]*m$/,
    operandIs: 'file',
  },
  {
    names: /^(node|nodejs|bun|deno)$/,
    valued: /^-C$/,
    perhapsValued: /^--[a-z]/,
    loads: /^-r$/,
    verb: /^run$/,
    text: /^(-e|-p|-pe|-ep|--eval|--print|eval)$/,
    operandIs: 'file',
  },
  { names: /^perl[\d.]*$/, valued: /^-I$/, text: /^-[a-zA-Z0-9]*[eE]$/, operandIs: 'file' },
  {
    names: /^ruby[\d.]*$/,
    valued: /^-[IC]$/,
    loads: /^-r$/,
    text: /^-[a-zA-Z0-9]*e$/,
    operandIs: 'file',
  },
  {
    names: /^php[\d.]*$/,
    valued: /^-[cd]$/,
    loads: /^-z$/,
    text: /^(-[rRBE]|--(run|process-code|process-begin|process-end))$/,
    run: /^(-[fF]|--(file|process-file))$/,
    operandIs: 'file',
  },
  { names: /^(lua[\d.]*|luajit)$/, loads: /^-l$/, text: /^-e$/, operandIs: 'file' },
  {
    names: /^(Rscript|expect|osascript|guile|ghc|elixir|julia)$/,
    text: /^(-[eEc]|--eval)$/,
    operandIs: 'file',
  },
  {
    names: /^([gmn]?awk|original-awk)$/,
    valued: /^(-[Fv]|--(field-separator|assign))$/,
    file: /^(-f|--file)$/,
    text: /^(-e|--source)$/,
    operandIs: 'text',
  },
  {
    names: /^g?sed$/,
    valued: /^(-l|--line-length)$/,
    file: /^(-[a-zA-Z]*f|--file)$/,
    text: /^(-[a-zA-Z]*e|--expression)$/,
    operandIs: 'text',
    mixesOperands: true,
  },
  { names: /^(psql|mysql|mariadb)$/, text: /^(-[ce]|--(command|execute))$/, mixesOperands: true },
];

/** What reads an item as a program: the system that is to start it, or an interpreter; or what is read behind it is. */
export type Reader =
  | { readonly as: 'program' }
  | { readonly as: 'text'; readonly name: string; readonly isShell: boolean }
  /** Of several words in its place the second would be the program, or the file of one. */
  | { readonly as: 'before-program' };

/**
 * What reads this item of a command as a program; undefined where it is a word like any other, as far as is known here.
 * `isSeveral`: several words may come in its place.
 */
export function whatReads(command: readonly string[], index: number, isSeveral: boolean): Reader | undefined {
  const reader = readerFrom(command, 0, index, isSeveral);
  if (reader !== undefined) return reader;
  // Whatever starts it (`docker exec`, `nsenter`): one that is named with its `-c` or `-e` reads what stands there.
  for (let at = 1; at < index; at += 1) {
    if (readsAs(command[at])?.operandIs !== 'file') continue;
    const within = readerFrom(command, at, index, isSeveral);
    if (within?.as === 'text') return within;
  }
  return undefined;
}

const nameIn = (item = ''): string => item.split('/').at(-1) ?? '';

const readsAs = (item: string | undefined): Reads | undefined =>
  PROGRAMS.find(({ names }) => names.test(nameIn(item)));

/** The same, seen by the program at `at`. */
function readerFrom(
  command: readonly string[],
  at: number,
  index: number,
  isSeveral: boolean,
): Reader | undefined {
  if (at === index) return { as: 'program' };
  const reads = readsAs(command[at]);
  if (reads === undefined) return undefined;
  const { valued, perhapsValued, text, startsAfter, isShell = false, mixesOperands = false } = reads;
  const asText: Reader = { as: 'text', name: nameIn(command[at]), isShell };
  let own = startsAfter ?? 0;
  let awaited: 'text' | 'file' | undefined = reads.operandIs;
  for (let next = at + 1; next <= index; next += 1) {
    const word = command[next] ?? '';
    const isBeforeIt = next + 1 === index;
    const goesOn = command[next + 1]?.startsWith('-') === true;
    if (text?.test(word)) {
      awaited = isShell ? 'text' : undefined;
      // As in `-euo pipefail`, and in `-ceuo pipefail TEXT`.
      if (isShell && valued?.test(word) && !goesOn) next += 1;
      if (isShell) continue;
      if (isBeforeIt) return asText;
      // A name behind `-r` may end as `-e` does: then no program follows, but more options.
      if (!goesOn) next += 1;
    } else if (reads.run?.test(word)) {
      return isBeforeIt ? { as: 'program' } : undefined;
    } else if (reads.file?.test(word) || reads.loads?.test(word)) {
      if (isBeforeIt) return { as: 'program' };
      if (reads.file?.test(word)) awaited = undefined;
      next += 1;
    } else if (valued?.test(word)) {
      // A shell's cluster of letters may be a word that holds an o.
      if (!isShell || !goesOn) next += 1;
    } else if (perhapsValued?.test(word) && !word.includes('=')) {
      if (isBeforeIt) return { as: 'program' };
      if (!goesOn) next += 1;
    } else if (/^[-+]./.test(word) || (isShell && word === '-') || reads.verb?.test(word)) {
      // An option without a value of its own, or the end of them.
    } else if (startsAfter !== undefined && /^\w+=/.test(word)) {
      // A setting for what is started.
    } else if (own > 0) {
      own -= 1;
    } else if (startsAfter !== undefined) {
      return readerFrom(command, next, index, isSeveral);
    } else {
      if (next === index && awaited !== undefined) return awaited === 'text' ? asText : { as: 'program' };
      awaited = undefined;
      if (!mixesOperands) return undefined;
    }
  }
  // Every item up to it belongs to this program itself, which still waits for what it is to start or read.
  const awaitsProgram = awaited !== undefined || !mixesOperands;
  return isSeveral && awaitsProgram ? { as: 'before-program' } : undefined;
}
