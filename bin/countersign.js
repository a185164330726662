#!/usr/bin/env node
const { command } = require("./load.js");

const bundle = command(process.argv[2]);
if (bundle === undefined) {
  process.stderr.write("countersign: dist/ is missing; run `npm run build`\n");
  process.exitCode = 2;
} else bundle.run();
