/** Shell completion, made from the same definitions as `--help`. An argument `uuid` completes to the VMs there are. */
import type { Command, Option } from 'commander';

/** By shell: the script for it, to be sourced. */
export const completions = { bash, zsh };

function bash(program: Command): string {
  const cases = program.commands.map((command) => {
    const words = [...optionsOf(command).flatMap(flags), ...choices(command)];
    return `    ${command.name()}) words='${words.join(' ')}' uuids=${takesUuid(command) ? 1 : 0} ;;`;
  });
  const names = commandNames(program).join(' ');
  return `# bash completion of vminfo; in ~/.bashrc: source <(vminfo completion bash)
_vminfo() {
  local cur=\${COMP_WORDS[COMP_CWORD]} command= words= uuids=0 i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
    --url) ((i++)) ;;
    -*) ;;
    *) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
  case $command in
    '') words='${names} ${optionsOf(program).flatMap(flags).join(' ')}' ;;
    help) words='${names}' ;;
${cases.join('\n')}
  esac
  if [[ $uuids = 1 && $cur != -* ]]; then words=$(vminfo lookup 2>/dev/null); fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _vminfo vminfo
`;
}

function zsh(program: Command): string {
  const cases = program.commands.map((command) => {
    const specs = [...optionsOf(command).map(zshOption), ...zshArguments(command)];
    return `    ${command.name()}) _arguments ${specs.join(' ')} ;;`;
  });
  const described = program.commands.map((command) => quote(`${command.name()}:${command.description()}`));
  return `#compdef vminfo
# zsh completion of vminfo; in ~/.zshrc: source <(vminfo completion zsh)
_vminfo() {
  local state
  local -a line commands
  local -A opt_args
  commands=(${[...described, "'help:print help on a command'"].join(' ')})
  _arguments -C ${optionsOf(program).map(zshOption).join(' ')} '1:command:->command' '*::argument:->argument'
  case $state in
  command) _describe command commands ;;
  argument)
    case $line[1] in
    help) _describe command commands ;;
${cases.join('\n')}
    esac ;;
  esac
}
_vminfo_uuids() {
  local -a uuids
  uuids=(\${(f)"$(vminfo list -p -o uuid,alias 2>/dev/null)"})
  _describe uuid uuids
}
compdef _vminfo vminfo
`;
}

function zshOption(option: Option): string {
  const names = flags(option);
  const help = `[${option.description.replace(/[[\]:\\]/g, '\\$&')}]${option.required ? ':value:' : ''}`;
  return names.length === 1
    ? `${names.join('')}${quote(help)}`
    : `'(${names.join(' ')})'{${names.join(',')}}${quote(help)}`;
}

function zshArguments(command: Command): string[] {
  return command.registeredArguments.map((argument, index) => {
    const place = argument.variadic ? '*' : String(index + 1);
    const values =
      argument.name() === 'uuid'
        ? '_vminfo_uuids'
        : argument.argChoices
          ? `(${argument.argChoices.join(' ')})`
          : '';
    return quote(`${place}:${argument.name()}:${values}`);
  });
}

function commandNames(program: Command): string[] {
  return [...program.commands.map((command) => command.name()), 'help'];
}

function optionsOf(command: Command): readonly Option[] {
  return command.createHelp().visibleOptions(command);
}

function flags({ short, long }: Option): string[] {
  return [short, long].filter((flag) => flag !== undefined);
}

function choices(command: Command): string[] {
  return command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
}

function takesUuid(command: Command): boolean {
  return command.registeredArguments[0]?.name() === 'uuid';
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
