/** All of vminfo, for what sbin/vminfo.ts does not do itself. */
import { main } from '../lib/cli/main.js';

const { argv, env, stdout, stderr } = process;
process.exitCode = await main({ argv: argv.slice(2), env, stdout, stderr });
