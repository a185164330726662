// Generates schema/config.schema.json from the zod schema in src/config/schema.ts. With --check it only compares.
import { importSources } from "./sources.mjs";
import { writeGenerated } from "./write-generated.mjs";

const { schema } = await importSources(`import * as z from "zod"; import { SCHEMA } from "./src/config/schema.js";
  export const schema = z.toJSONSchema(SCHEMA, { io: "input", target: "draft-2020-12" });`);
const { $schema, ...rest } = schema;
const $comment = "Generated from src/config/schema.ts by scripts/config-schema.mjs";
const text = `${JSON.stringify({ $comment, $schema, ...rest }, null, 2)}\n`;
process.exitCode = writeGenerated({ "schema/config.schema.json": text });
