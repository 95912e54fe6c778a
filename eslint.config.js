import { fileURLToPath } from 'node:url';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Which rooms of lib/ a room may import from, besides itself and config.ts (design.md, "Rooms"). */
const mayImport = {
  vm: [],
  host: ['vm'],
  sources: ['host', 'vm'],
  cache: ['sources', 'host', 'vm'],
  http: ['cache', 'vm'],
  client: ['vm'],
  cli: ['client', 'vm'],
  simulator: ['vm'],
};

const rooms = Object.keys(mayImport);
const zones = [
  ...rooms.map((room) => ({
    target: `./lib/${room}`,
    from: './lib',
    except: [`./${room}`, './config.ts', './version.ts', ...mayImport[room].map((other) => `./${other}`)],
    message: `lib/${room} may import only ${[room, 'config.ts', ...mayImport[room]].join(', ')}.`,
  })),
  {
    target: './lib/daemon.ts',
    from: ['./lib/client', './lib/cli', './lib/simulator'],
    message: 'The daemon knows neither its clients nor the simulator.',
  },
  { target: './lib/config.ts', from: './lib', message: 'config.ts is a leaf.' },
  { target: './lib', from: ['./sbin', './test'], message: 'lib knows neither its commands nor its tests.' },
];

export default tseslint.config(
  { ignores: ['dist', 'node_modules', '.tap'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: here } },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/extensions': ['.ts', '.js'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      'import-x/resolver-next': [createTypeScriptImportResolver({ project: here })],
    },
    rules: {
      'import-x/no-restricted-paths': ['error', { basePath: here, zones }],
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
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
      eqeqeq: ['error', 'always'],
    },
  },
  {
    // The model is pure: no I/O, no streams, no platform.
    files: ['lib/vm/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [{ group: ['node:*', 'rxjs', 'rxjs/*', 'undici', 'execa'], message: 'lib/vm is pure.' }],
        },
      ],
    },
  },
);
