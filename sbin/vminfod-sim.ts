#!/usr/bin/env node
/**
 * vminfod-sim: makes a simulated global zone, and operates on it like an operator.
 */
import { InvalidArgumentError } from 'commander';
import { simulatorProgram } from '../lib/simulator/cli/program.js';
import { SimulatorError, ZfsError } from '../lib/simulator/index.js';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error; // `vminfod-sim list | head` has seen enough
});

try {
  await simulatorProgram(process.env, (line) => process.stdout.write(`${line}\n`)).parseAsync();
} catch (error) {
  if (error instanceof ZfsError) {
    process.stderr.write(`${error.stderr}\n`);
    process.exitCode = error.exitCode;
  } else if (error instanceof SimulatorError || error instanceof InvalidArgumentError) {
    process.stderr.write(`vminfod-sim: ${error.message}\n`);
    process.exitCode = 1;
  } else throw error;
}
