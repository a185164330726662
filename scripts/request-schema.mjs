// Generates schema/request.schema.json from the zod schemas in src/config/request.ts, which are made from the tables of
// facts. With --check it only compares.
import { importSources } from "./sources.mjs";
import { writeGenerated } from "./write-generated.mjs";

const { described, recorded, subjects } = await importSources(`import * as z from "zod";
  import { DESCRIBED } from "./src/config/case-subject.js";
  import { REQUEST_FORMS } from "./src/config/request.js";
  const schema = (form) => z.toJSONSchema(form, { io: "input", target: "draft-2020-12" });
  export const described = schema(REQUEST_FORMS.described);
  export const recorded = schema(REQUEST_FORMS.recorded);
  export const subjects = Object.keys(DESCRIBED);`);
const { $schema, ...form } = described;
const { $schema: _, ...other } = recorded;
const schema = {
  $comment: "Generated from src/config/request.ts by scripts/request-schema.mjs",
  $schema,
  title: "A request of `countersign check --request`",
  oneOf: [{ $ref: "#/$defs/described" }, { $ref: "#/$defs/recorded" }],
  $defs: {
    described: {
      description: "A subject that is described, as in a case of a policy's test, and who asks.",
      ...form,
      oneOf: subjects.map((subject) => ({ required: [subject] })),
    },
    recorded: { description: "All facts of a recorded decision.", ...other },
  },
};
process.exitCode = writeGenerated({ "schema/request.schema.json": `${JSON.stringify(schema, null, 2)}\n` });
