#!/usr/bin/env node
const { bundleOf, command, hasCache } = require("./load.js");

const bundle = command(process.argv[2]);
if (bundle === undefined) {
  process.stderr.write("countersign: dist/ is missing; run `npm run build`\n");
  process.exitCode = 2;
} else {
  const name = bundleOf(process.argv[2]);
  // a gate starts no process but the command's
  if (name !== "gate" && !hasCache(name)) require("./first-start.js").makeCachesAtExit();
  bundle.run();
}
