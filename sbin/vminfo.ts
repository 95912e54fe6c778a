#!/usr/bin/env node
/**
 * vminfo's entry point: does the quick commands itself, and leaves all others to vminfo-main.ts, whole. `npm run build`
 * makes it one small CommonJS file, vminfo.cjs: loading an ES module costs as much as the quickest command.
 */
import { quick } from '../lib/cli/quick.js';

const { argv, env, stdout, stderr } = process;
const status = quick({ argv: argv.slice(2), env, stdout, stderr });
if (status === undefined) {
  void import('./vminfo-main.js');
} else {
  process.exitCode = 1; // Unless it comes to its end: a process with nothing left to wait for ends with 0.
  void status.then((ended) => {
    process.exitCode = ended;
  });
}
