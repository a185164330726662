// Makes schema/config.schema.json from the zod schema in src/config/schema.ts.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const target = `${root}schema/config.schema.json`;
const bundle = await build({
  absWorkingDir: root,
  stdin: {
    contents: `import * as z from "zod"; import { SCHEMA } from "./src/config/schema.js";
      export const schema = z.toJSONSchema(SCHEMA, { io: "input", target: "draft-2020-12" });`,
    resolveDir: root,
    loader: "ts",
  },
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
});
const { schema } = await import(
  `data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString("base64")}`
);
const { $schema, ...rest } = schema;
const text = `${JSON.stringify({ $comment: "Generated from src/config/schema.ts by scripts/config-schema.mjs", $schema, ...rest }, null, 2)}\n`;

if (!process.argv.includes("--check")) writeFileSync(target, text);
else if (readFileSync(target, "utf8") !== text) {
  console.error(
    "schema/config.schema.json is not what src/config/schema.ts says; run `node scripts/config-schema.mjs`",
  );
  process.exitCode = 1;
}
