import { fileURLToPath } from 'node:url';
import tseslint from 'typescript-eslint';

/** Which rooms of lib/ a room may import from, besides itself, config.ts, holders.ts and slices.ts (ARCHITECTURE.md). */
const mayImport = {
  vm: [],
  operators: [],
  host: ['vm'],
  sources: ['operators', 'host', 'vm'],
  cache: ['operators', 'sources', 'host', 'vm'],
  http: ['cache', 'vm'],
  client: ['vm'],
  fleet: ['operators', 'client', 'vm'],
  cli: ['fleet', 'client', 'vm'],
  simulator: ['vm'],
};
const rooms = Object.keys(mayImport);

/** Files of lib/ that belong to no room: they wire the rooms, which do not know them. */
const wiring = ['daemon', 'gateway', 'end-process', 'index', 'log', 'period'];

/** Forbids imports from rooms, and of `files` directly in lib/. */
function forbid(forbidden, files, message) {
  const targets = [...forbidden.map((room) => `${room}/`), ...files.map((file) => `${file}\\.js$`)];
  return { regex: `^(\\.\\.?/)+(lib/)?(${targets.join('|')})`, message };
}

/** NATS is the fleet's affair. */
const nats = { group: ['@nats-io/*'], message: 'Only lib/fleet speaks to NATS.' };

/** The model is pure: no I/O, no streams, no platform. */
const impure = { group: ['node:*', 'rxjs', 'rxjs/*', 'undici', 'execa', 'pino'], message: 'lib/vm is pure.' };

const imports = (...patterns) => ({ 'no-restricted-imports': ['error', { patterns }] });

const directions = [
  ...rooms.map((room) => {
    const others = rooms.filter((other) => other !== room && !mayImport[room].includes(other));
    const allowed = [room, ...mayImport[room], 'config.ts', 'holders.ts', 'slices.ts'].join(', ');
    // The command that starts the gateway.
    const files = room === 'cli' ? wiring.filter((name) => name !== 'gateway') : wiring;
    const rule = forbid([...others, 'sbin', 'test'], files, `lib/${room} may import only ${allowed}.`);
    return {
      files: [`lib/${room}/**/*.ts`],
      rules: imports(rule, ...(room === 'vm' ? [impure] : []), ...(room === 'fleet' ? [] : [nats])),
    };
  }),
  {
    files: ['lib/daemon.ts'],
    rules: imports(
      forbid(
        ['client', 'cli', 'fleet', 'simulator'],
        [],
        'The daemon knows neither its clients, the fleet nor the simulator.',
      ),
    ),
  },
  {
    // It runs in a browser: nothing of Node's, and of ours only what is pure.
    files: ['lib/http/page/**/*.ts'],
    rules: imports(
      { group: ['node:*', 'rxjs', 'undici', 'execa', 'pino'], message: 'The page runs in a browser.' },
      {
        regex: `^\\.\\./(?!\\.\\./(vm/|config\\.js$|client/(backoff|diagnose|errors|events|mirror|status)\\.js$))`,
        message:
          'lib/http/page may import only vm, config.ts and the parts of client that page-files.ts serves.',
      },
    ),
  },
  { files: ['lib/config.ts'], rules: imports({ regex: '.*', message: 'config.ts imports nothing.' }) },
];

export default tseslint.config(
  { ignores: ['dist', 'node_modules', '.tap'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: fileURLToPath(new URL('.', import.meta.url)) },
    },
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        { selector: 'TSEnumDeclaration', message: 'A union, not an enum.' },
      ],
      eqeqeq: ['error', 'always'],
    },
  },
  ...directions,
);
