#!/usr/bin/env node
// Starts the program in the package of this platform, one of the optional dependencies.
'use strict';

const { spawnSync } = require('node:child_process');

const name = `@hitrate/${process.platform}-${process.arch}`;
let program = process.env.HITRATE_BINARY;
if (!program) {
  try {
    program = require.resolve(`${name}/hitrate${process.platform === 'win32' ? '.exe' : ''}`);
  } catch {
    console.error(`hitrate: the package ${name} is not installed; it may be that optional dependencies are left out`);
    process.exit(2);
  }
}

const { status, signal, error } = spawnSync(program, process.argv.slice(2), { stdio: 'inherit' });
if (error) {
  console.error(`hitrate: ${program}: ${error.message}`);
  process.exit(2);
}
if (signal) process.kill(process.pid, signal);
process.exit(status ?? 2);
