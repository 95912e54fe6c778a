#!/usr/bin/env node
/**
 * The daemon's entry point. `npm run build` makes one CommonJS file of it, vminfod.cjs: ES modules take longer to load.
 * There, too, the first import runs before the rest. (After `import()` of the rest, esbuild would make a function of every
 * module, whose text V8 parses twice.)
 */
import './start-ahead.js';
import './vminfod-main.js';
