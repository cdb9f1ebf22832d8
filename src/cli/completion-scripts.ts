/**
 * The scripts that complete command lines, one a shell. Each reads the line as the program does (which words are
 * commands, which the values of options) and asks the program itself for the names of quick commands. Pure.
 */
import { SHELLS, type Shell } from './shells.ts';

/** One command as a script knows it. */
export interface Completed {
  /** Its words after `sluice`. */
  readonly words: string;
  readonly about: string;
  readonly options: readonly {
    readonly flags: readonly string[];
    readonly takesValue: boolean;
    /** The values that it takes; empty where they are not fixed. */
    readonly choices: readonly string[];
    readonly about: string;
  }[];
}

/** The script of a shell for these commands. */
export function completionScript(shell: Shell, commands: readonly Completed[]): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](commands);
}

const isBelow = ({ words }: Completed): boolean => words.includes(' ');

/** The command with its first word alone: what a group consists of is completed as its second. */
const groups = (commands: readonly Completed[]): string[] => [
  ...new Set(commands.filter(isBelow).map(({ words }) => words.split(' ')[0] ?? '')),
];

const below = (commands: readonly Completed[], group: string): string[] =>
  commands.filter(({ words }) => words.startsWith(`${group} `)).map(({ words }) => words.split(' ')[1] ?? '');

const top = (commands: readonly Completed[]): Completed[] => commands.filter((one) => !isBelow(one));

/** `COMMAND OPTION` of every option that takes a value: what follows it is no word of its own. */
const valued = (commands: readonly Completed[]): string[] =>
  commands.flatMap(({ words, options }) =>
    options.flatMap(({ flags, takesValue }) => (takesValue ? flags.map((flag) => `${words} ${flag}`) : [])),
  );

/** `COMMAND OPTION` of every option whose values are fixed, with those. */
const fixed = (commands: readonly Completed[]): [words: string, choices: readonly string[]][] =>
  commands.flatMap(({ words, options }) =>
    options
      .filter(({ choices }) => choices.length > 0)
      .flatMap(({ flags, choices }) =>
        flags.map((flag): [string, readonly string[]] => [`${words} ${flag}`, choices]),
      ),
  );

const choicesCase = (commands: readonly Completed[]): string =>
  fixed(commands)
    .map(([words, choices]) => `        '${words}') words='${choices.join(' ')}' ;;`)
    .join('\n');

const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join('|');

/**
 * What bash and zsh share: which command stands on the line, how many words it has been given, and the home and the
 * configuration that were named, for the names are those of that gateway.
 */
function lineReader(commands: readonly Completed[]): string {
  return `  command='' given=0 expects='' named=()
  for word in "\${line[@]}"; do
    if [[ -n $expects ]]; then
      [[ $word == '=' ]] && continue
      [[ $expects == --home || $expects == --config ]] && named+=("$expects" "$word")
      expects=''
      continue
    fi
    case "$word" in
      --*=*) [[ \${word%%=*} == --home || \${word%%=*} == --config ]] && named+=("\${word%%=*}" "\${word#*=}") ;;
      -*)
        case "$command $word" in
          ' --home'|' --config'|${quoted(valued(commands))}) expects=$word ;;
        esac
        ;;
      *)
        if [[ -z $command ]]; then command=$word
        elif [[ ${groups(commands)
          .map((group) => `$command == ${group}`)
          .join(' || ')} ]]; then command="$command $word"
        else given=$((given + 1)); fi
        ;;
    esac
  done
  case "$expects" in
    --home) offer=folders ;;
    --config|--write) offer=files ;;
    ?*)
      case "$command $expects" in
        ${quoted(fixed(commands).map(([words]) => words))}) offer=choices ;;
        *) offer=nothing ;;
      esac
      ;;
    *)
      case "$command" in
        '') offer=commands ;;
        exec) [[ $given -eq 0 ]] && offer=names || offer=nothing ;;
        completion) [[ $given -eq 0 ]] && offer=shells || offer=nothing ;;
        ${groups(commands).join('|')}) offer=group ;;
        'config check'|'config plan'|'config import') offer=files ;;
        *) offer=nothing ;;
      esac
      [[ $current == -* ]] && offer=options
      ;;
  esac`;
}

const optionsCase = (commands: readonly Completed[]): string =>
  commands
    .map(
      ({ words, options }) => `    '${words}') words='${options.flatMap(({ flags }) => flags).join(' ')}' ;;`,
    )
    .join('\n');

const bashScript = (
  commands: readonly Completed[],
): string => `# bash completion for sluice. To have it:  eval "$(sluice completion bash)"
_sluice() {
  local command given expects word offer of='' words='' current=\${COMP_WORDS[COMP_CWORD]}
  local -a named line=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${lineReader(commands)}
  COMPREPLY=()
  case $offer in
    folders) of=-d ;;
    files) of=-f ;;
    names) words=$("\${COMP_WORDS[0]}" completion --names \${named[@]+"\${named[@]}"} 2>/dev/null | cut -f1) ;;
    commands) words='${top(commands)
      .map(({ words }) => words)
      .join(' ')}' ;;
    shells) words='${SHELLS.join(' ')}' ;;
    group)
      case $command in
${groups(commands)
  .map((group) => `        ${group}) words='${below(commands, group).join(' ')}' ;;`)
  .join('\n')}
      esac
      ;;
    choices)
      case "$command $expects" in
${choicesCase(commands)}
      esac
      ;;
    options)
      case "$command" in
        '') words='--home --config --json --version --help' ;;
${optionsCase(commands)}
      esac
      ;;
  esac
  [[ -n $of ]] && compopt -o filenames 2>/dev/null
  # No mapfile: macOS has a bash of 2007.
  [[ -n $of || -n $words ]] && while IFS= read -r word; do COMPREPLY+=("$word"); done \\
    < <(if [[ -n $of ]]; then compgen $of -- "$current"; else compgen -W "$words" -- "$current"; fi)
  return 0
}
complete -o bashdefault -F _sluice sluice`;

const zshScript = (commands: readonly Completed[]): string => `#compdef sluice
# zsh completion for sluice. To have it:  eval "$(sluice completion zsh)"  below compinit
_sluice() {
  local command given expects word offer options='' current=\${words[CURRENT]} program=\${words[1]}
  local -a named line found
  line=("\${(@)words[2,CURRENT-1]}")
${lineReader(commands)}
  case $offer in
    folders) _files -/ ;;
    files) _files ;;
    names)
      found=("\${(@f)$("$program" completion --names "\${named[@]}" 2>/dev/null)}")
      found=("\${(@)found//:/\\\\:}")
      found=("\${(@)found/$'\\t'/:}")
      _describe 'quick command' found
      ;;
    commands)
      found=(${top(commands)
        .map(({ words, about }) => zshWord(`${words}:${about}`))
        .join(' ')})
      _describe 'command' found
      ;;
    shells) compadd -- ${SHELLS.join(' ')} ;;
    group)
      case $command in
${groups(commands)
  .map((group) => `        ${group}) compadd -- ${below(commands, group).join(' ')} ;;`)
  .join('\n')}
      esac
      ;;
    choices)
      case "$command $expects" in
${choicesCase(commands).replaceAll('words=', 'options=')}
      esac
      compadd -- \${(s: :)options}
      ;;
    options)
      case "$command" in
        '') options='--home --config --json --version --help' ;;
${optionsCase(commands).replaceAll('words=', 'options=')}
      esac
      compadd -- \${(s: :)options}
      ;;
  esac
}
if [[ \${funcstack[1]} == _sluice ]]; then _sluice "$@"; else compdef _sluice sluice; fi`;

const zshWord = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function fishScript(commands: readonly Completed[]): string {
  const lines = top(commands).map(
    ({ words, about }) => `complete -c sluice -n '__sluice_in' -a ${words} -d ${fishWord(about)}`,
  );
  for (const group of groups(commands)) {
    const names = below(commands, group).join(' ');
    lines.push(`complete -c sluice -n '__sluice_in ${group}' -a ${fishWord(names)}`);
  }
  for (const { words, options } of commands) {
    for (const { flags, takesValue, choices, about } of options) {
      const named = flags.map((flag) =>
        flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      );
      const isFile = FILE_OPTIONS.some((flag) => flags.includes(flag));
      const values = choices.length === 0 ? '' : ` -a ${fishWord(choices.join(' '))}`;
      const value = takesValue ? (isFile ? ' -r -F' : ` -x${values}`) : '';
      lines.push(
        `complete -c sluice -n '__sluice_in ${words}' ${named.join(' ')}${value} -d ${fishWord(about)}`,
      );
    }
  }
  const files = ['config check', 'config plan', 'config import'].map((words) => `__sluice_in ${words}`);
  return `# fish completion for sluice. To have it:  sluice completion fish | source
${fishLineReader(commands)}
function __sluice_names -d 'of the gateway whose home stands on the line'
  set -l words (commandline -opc)
  set -l named
  for i in (seq 2 (count $words))
    switch $words[$i]
      case --home --config
        test $i -lt (count $words); and set -a named $words[$i] $words[(math $i + 1)]
      case '--home=*' '--config=*'
        set -a named $words[$i]
    end
  end
  $words[1] completion --names $named 2>/dev/null
end
complete -c sluice -f
${lines.join('\n')}
complete -c sluice -n '__sluice_at exec' -a '(__sluice_names)'
complete -c sluice -n '__sluice_at completion' -a '${SHELLS.join(' ')}'
complete -c sluice -n '${files.join('; or ')}' -F`;
}

/** The same as `lineReader`, in the words of fish. */
const fishLineReader = (
  commands: readonly Completed[],
): string => `function __sluice_line -d 'the command on the line, and how many words it has been given'
  set -l words (commandline -opc)
  set -l command
  set -l given 0
  set -l skips no
  for word in $words[2..-1]
    if test $skips = yes
      set skips no
      continue
    end
    switch $word
      case '--*=*'
      case '-*'
        contains -- "$command $word" ' --home' ' --config' ${valued(commands)
          .map((each) => `'${each}'`)
          .join(' ')}; and set skips yes
      case '*'
        if test -z "$command"
          set command $word
        else if contains -- "$command" ${groups(commands).join(' ')}
          set command "$command $word"
        else
          set given (math $given + 1)
        end
    end
  end
  echo $command
  echo $given
end
function __sluice_in -d 'the line stands behind this command'
  set -l line (__sluice_line)
  test "$line[1]" = "$argv"
end
function __sluice_at -d 'the same, and it has been given nothing'
  set -l line (__sluice_line)
  test "$line[1]" = "$argv" -a "$line[2]" = 0
end`;

const FILE_OPTIONS: readonly string[] = ['--home', '--config', '--write'];

const fishWord = (text: string): string => `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
