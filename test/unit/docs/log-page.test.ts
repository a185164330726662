import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mismatch, RECORD_FIELDS } from "../../support/record-schema.js";
import { own } from "../../support/workplace.js";

const page = readFileSync(own("docs/log.md"), "utf8");

describe("the page about the log", () => {
  it("has an example that matches the schema", () => {
    const [, example = ""] = /^```json\n(.*?)^```$/ms.exec(page) ?? [];
    expect(mismatch(JSON.parse(example))).toBeNull();
  });

  it("has a row for each field", () => {
    const tables = page.slice(page.indexOf("\n## Fields\n"));
    const parts = tables.split(/^### /m).map((part): [string, string] => [part.slice(0, part.indexOf("\n")), part]);
    const fields = parts.flatMap(([definition, part]) =>
      Array.from(part.matchAll(/^\| `(\w+)` \| /gm), ([, field]) => `${definition}.${field}`),
    );
    expect(fields).toEqual(RECORD_FIELDS);
  });
});
