#!/usr/bin/env node
const { command } = require("./load.js");

const bundle = command();
if (bundle === undefined) {
  process.stderr.write("countersign: dist/command.cjs is missing; run `npm run build`\n");
  process.exitCode = 2;
} else bundle.run();
