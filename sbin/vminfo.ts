#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { main } from '../lib/cli/main.js';

// undici's HTTP parser is WebAssembly, and Node waits at exit until V8 has optimised it in the background: half of
// the time that `vminfo ping` takes. The plain code is fast enough for a command.
setFlagsFromString('--liftoff-only');

const { argv, env, stdout, stderr } = process;
process.exitCode = await main({ argv: argv.slice(2), env, stdout, stderr });
