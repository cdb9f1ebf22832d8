/**
 * Which items of a command that is a list are read as a program: the first one, what a shell gets behind `-c`, what
 * `node` gets behind `-e`; also where `env`, `nice` or `sudo` stand before it. Only how these programs read their own
 * options is known here, not what the programs do. Pure.
 */

/** How a program reads the words behind its name. */
interface Reads {
  readonly names: RegExp;
  /** Options with a value in the next item, as far as they can stand before what matters. */
  readonly valued?: RegExp;
  /** Options whose value, in the next item, is a program. */
  readonly text?: RegExp;
  /** Options whose value is the file that the program is in. */
  readonly file?: RegExp;
  /** As a shell has it: with such an option the first operand is the program, wherever that stands. */
  readonly isShell?: true;
  /** Without an option of `text` or `file` the first operand is a program, not a file. */
  readonly operandIsText?: true;
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
  wrapper(/^(nohup|setsid|time|busybox)$/),
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
    names: /^(ash|bash|dash|ksh|mksh|sh|zsh)$/,
    valued: /^([-+][a-zA-Z]*[oO]|--(rcfile|init-file))$/,
    text: /^-[a-zA-Z]*c[a-zA-Z]*$/,
    isShell: true,
  },
  { names: /^fish$/, text: /^(-[a-z]*[cC]|--(command|init-command))$/, isShell: true },
  { names: /^t?csh$/, text: /^-[a-z]*c$/, isShell: true },
  { names: /^(su|runuser)$/, text: /^(-[a-z]*c|--(command|session-command))$/, mixesOperands: true },
  { names: /^(python|pypy)[\d.]*$/, valued: /^-[WX]$/, text: /^-[a-zA-Z]*c$/ },
  {
    names: /^(node|nodejs|bun|deno)$/,
    valued: /^(-[rC]|--(require|import|loader|conditions|env-file))$/,
    text: /^(-e|-p|-pe|-ep|--eval|--print|eval)$/,
  },
  { names: /^perl[\d.]*$/, valued: /^-I$/, text: /^-[a-zA-Z0-9]*[eE]$/ },
  { names: /^ruby[\d.]*$/, valued: /^-[rIC]$/, text: /^-[a-zA-Z0-9]*e$/ },
  {
    names: /^php[\d.]*$/,
    valued: /^-[cdz]$/,
    text: /^(-[rRBE]|--(run|process-code|process-begin|process-end))$/,
  },
  { names: /^(lua[\d.]*|luajit)$/, valued: /^-l$/, text: /^-e$/ },
  { names: /^(Rscript|osascript|guile|ghc|elixir|julia)$/, text: /^(-[eEc]|--eval)$/ },
  {
    names: /^([gmn]?awk|original-awk)$/,
    valued: /^(-[Fv]|--(field-separator|assign))$/,
    file: /^(-f|--file)$/,
    text: /^(-e|--source)$/,
    operandIsText: true,
  },
  {
    names: /^g?sed$/,
    valued: /^(-l|--line-length)$/,
    file: /^(-[a-zA-Z]*f|--file)$/,
    text: /^(-[a-zA-Z]*e|--expression)$/,
    operandIsText: true,
    mixesOperands: true,
  },
  { names: /^(psql|mysql|mariadb)$/, text: /^(-[ce]|--(command|execute))$/, mixesOperands: true },
];

/** What reads an item as a program: the system that is to start it, or an interpreter. */
export type Reader =
  | { readonly as: 'program' }
  | { readonly as: 'text'; readonly name: string; readonly isShell: boolean };

/** What reads this item of a command as a program; undefined where it is a word like any other, as far as is known here. */
export function whatReads(command: readonly string[], index: number): Reader | undefined {
  return readerFrom(command, 0, index);
}

/** The same, seen by the program at `at`. */
function readerFrom(command: readonly string[], at: number, index: number): Reader | undefined {
  if (at === index) return { as: 'program' };
  const name = command[at]?.split('/').at(-1) ?? '';
  const reads = PROGRAMS.find(({ names }) => names.test(name));
  if (reads === undefined) return undefined;
  const {
    valued,
    text,
    file,
    isShell = false,
    operandIsText = false,
    mixesOperands = false,
    startsAfter,
  } = reads;
  const asText: Reader = { as: 'text', name, isShell };
  let own = startsAfter ?? 0;
  let awaitsText = operandIsText;
  for (let next = at + 1; next <= index; next += 1) {
    const word = command[next] ?? '';
    if (text?.test(word)) {
      awaitsText = isShell;
      if (isShell) continue;
      if (next + 1 === index) return asText;
      // A name behind `-r` may end as `-e` does: then no program follows, but more options.
      if (!command[next + 1]?.startsWith('-')) next += 1;
    } else if (valued?.test(word) || file?.test(word)) {
      if (file?.test(word)) awaitsText = false;
      next += 1;
    } else if (/^[-+]./.test(word)) {
      // An option without a value of its own, or the end of them.
    } else if (startsAfter !== undefined && /^\w+=/.test(word)) {
      // A setting for what is started.
    } else if (own > 0) {
      own -= 1;
    } else if (startsAfter !== undefined) {
      return readerFrom(command, next, index);
    } else if (awaitsText) {
      if (next === index) return asText;
      awaitsText = false;
      if (!mixesOperands) return undefined;
    } else if (!mixesOperands) {
      return undefined;
    }
  }
  return undefined;
}
