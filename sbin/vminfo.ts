#!/usr/bin/env node
import { main } from '../lib/cli/main.js';

const { argv, env, stdout, stderr } = process;
process.exitCode = await main({ argv: argv.slice(2), env, stdout, stderr });
