import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { Document } from "../../../src/config/document.js";
import { validated } from "../../../src/config/issue.js";
import { PREVIOUS_SPELLINGS } from "../../../src/config/previous-spellings.js";
import { SCHEMA } from "../../../src/config/schema.js";
import { rowsOf } from "../../support/markdown.js";

const docs = new URL("../../../docs/", import.meta.url);

const examples = ["configuration.md", "signatures.md"].flatMap((file) => {
  const text = readFileSync(new URL(file, docs), "utf8");
  return Array.from(text.matchAll(/^```yaml\n(.*?)^```$/gms), (block, index) => ({
    file,
    index,
    text: block[1] ?? "",
  }));
});

describe("the documents' configurations", () => {
  it.each(examples)("are valid: $file, block $index", ({ file, text }) => {
    const document = new Document(file, text, "CONFIG_INVALID");
    // a page that is about keyrings shows no attachments
    const schema = text.includes("attachments:") ? SCHEMA : SCHEMA.partial({ attachments: true });
    expect(validated(document, schema)).toMatchObject({ version: 1 });
  });

  it("list every previous spelling", () => {
    const page = readFileSync(new URL("configuration.md", docs), "utf8");
    const shown = rowsOf(page.slice(page.indexOf("## Previous spellings"))).map(([path, from, to]) => [
      path?.replace(" in a test", ""),
      from,
      to,
    ]);
    const own = PREVIOUS_SPELLINGS.map(({ path, value, now }) => [path, value ?? path.split(".").at(-1), now]);
    expect(shown).toEqual(own.map((row) => row.map((cell) => `\`${cell}\``)));
  });

  it("show every key that there is", () => {
    const shown = new Set(
      examples.flatMap(({ text }) => Array.from(text.matchAll(/([A-Za-z_]+):(?=[ \n])/g), ([, key]) => key)),
    );
    expect(keys(z.toJSONSchema(SCHEMA, { io: "input" })).filter((key) => !shown.has(key))).toEqual([]);
  });
});

/** Keys of every object in a JSON Schema; the entries of records (keyrings, maps) have the user's own names. */
function keys(schema: unknown): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  if (Array.isArray(schema)) return schema.flatMap(keys);
  const { properties = {}, ...rest } = schema as { properties?: Record<string, unknown> };
  return [...Object.keys(properties), ...Object.values(properties).flatMap(keys), ...Object.values(rest).flatMap(keys)];
}
