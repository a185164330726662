#!/usr/bin/env node
import { existsSync } from "node:fs";

const bundle = new URL("../dist/cli.js", import.meta.url);
if (existsSync(bundle)) await import(bundle.href);
else {
  process.stderr.write("countersign: dist/cli.js is missing; run `npm run build`\n");
  process.exitCode = 2;
}
