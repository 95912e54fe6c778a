/**
 * Shell completion, made from the same definitions as `--help`. An argument `vm` completes to UUIDs and aliases of the
 * existing VMs; a filter, and the columns of `-o`, `-s` and `--path`, to field names.
 */
import type { Argument, Command, Option } from 'commander';
import { vmProperties } from '../vm/vm-properties.js';

/** For each shell, the script to be sourced. */
export const completions = { bash, zsh, fish };

/** The commands that print all VMs, one per line. */
const listVms = 'vminfo lookup 2>/dev/null; vminfo list -p -o alias 2>/dev/null';

/** The possible columns and filter fields. */
const fields: readonly string[] = [...vmProperties, 'type'];

function bash(program: Command): string {
  const cases = program.commands.map((command) => {
    const words = [...optionsOf(command).flatMap(flags), ...choices(command)];
    return `    ${command.name()}) words='${words.join(' ')}' vms=${takesVm(command) ? 1 : 0} filters=${takesFilter(command) ? 1 : 0} ;;`;
  });
  const names = commandNames(program).join(' ');
  return `# bash completion of vminfo; in ~/.bashrc: source <(vminfo completion bash)
_vminfo() {
  local cur=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command= words= vms=0 filters=0 i
  local fields='${fields.join(' ')}'
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
  if [[ $cur != -* ]]; then
    case $previous in
    -o | --output | -s | --sort | --path) words=$fields vms=0 filters=0 ;;
    esac
    if [[ $vms = 1 ]]; then words=\$(${listVms}); fi
    if [[ $filters = 1 ]]; then
      words="$words \${fields// /= }="
      compopt -o nospace 2>/dev/null
    fi
  fi
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
_vminfo_vms() {
  local -a vms
  vms=(\${(f)"\$(${listVms})"})
  _describe vm vms
}
_vminfo_fields() {
  local -a fields
  fields=(${fields.join(' ')})
  _values -s , field $fields
}
_vminfo_filters() {
  local -a fields
  fields=(${fields.join(' ')})
  compadd -S = -a fields
}
_vminfo_vms_and_filters() {
  _vminfo_vms
  _vminfo_filters
}
compdef _vminfo vminfo
`;
}

function fish(program: Command): string {
  const lines = program.commands.flatMap((command) => {
    const only = `-n '__fish_seen_subcommand_from ${command.name()}'`;
    const words = [
      ...choices(command),
      ...(takesVm(command) ? [`(${listVms})`] : []),
      ...(takesFilter(command) ? fields.map((field) => `${field}=`) : []),
    ];
    return [
      `complete -c vminfo -f -n __fish_use_subcommand -a ${command.name()} -d ${quote(command.description())}`,
      ...optionsOf(command).map((option) => `complete -c vminfo ${only} ${fishOption(option)}`),
      ...(words.length > 0 ? [`complete -c vminfo -f ${only} -a "${words.join(' ')}"`] : []),
    ];
  });
  return `# fish completion of vminfo; in ~/.config/fish/config.fish: vminfo completion fish | source
complete -c vminfo -f -n __fish_use_subcommand -a help -d 'print help on a command'
${optionsOf(program)
  .map((option) => `complete -c vminfo ${fishOption(option)}`)
  .join('\n')}
${lines.join('\n')}
`;
}

function fishOption(option: Option): string {
  const { short, long, required, description } = option;
  return [
    ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
    ...(long === undefined ? [] : [`-l ${long.slice(2)}`]),
    ...(required ? [takesFields(option) ? `-x -a '${fields.join(' ')}'` : '-x'] : []),
    `-d ${quote(description).replaceAll("'\\''", "\\'")}`,
  ].join(' ');
}

function zshOption(option: Option): string {
  const names = flags(option);
  const value = option.required ? `:value:${takesFields(option) ? '_vminfo_fields' : ''}` : '';
  const help = `[${option.description.replace(/[[\]:\\]/g, '\\$&')}]${value}`;
  return names.length === 1
    ? `${names.join('')}${quote(help)}`
    : `'(${names.join(' ')})'{${names.join(',')}}${quote(help)}`;
}

/** The function that completes an argument. */
function zshValues(argument: Argument): string {
  if (namesFilter(argument)) return namesVm(argument) ? '_vminfo_vms_and_filters' : '_vminfo_filters';
  return namesVm(argument) ? '_vminfo_vms' : '';
}

function zshArguments(command: Command): string[] {
  return command.registeredArguments.map((argument, index) => {
    const place = argument.variadic ? '*' : String(index + 1);
    const values = argument.argChoices ? `(${argument.argChoices.join(' ')})` : zshValues(argument);
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

function takesVm(command: Command): boolean {
  return command.registeredArguments.some(namesVm);
}

function takesFilter(command: Command): boolean {
  return command.registeredArguments.some(namesFilter);
}

function namesVm(argument: Argument): boolean {
  return argument.name().startsWith('vm');
}

function namesFilter(argument: Argument): boolean {
  return /filter|condition/.test(argument.name());
}

function takesFields({ long }: Option): boolean {
  return ['--output', '--sort', '--path'].includes(long ?? '');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
