import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { VOCABULARY } from "../../../src/engine/load/vocabulary.js";
import { HOOK_NAMES } from "../../../src/hooks/catalogue.js";
import { linkPolicy } from "../../../src/policy/linker/linker.js";

const root = new URL("../../../", import.meta.url);
const documents = ["README.md", ...readdirSync(new URL("docs/", root)).map((file) => `docs/${file}`)].filter((file) =>
  file.endsWith(".md"),
);

/** Whole policies in documents: blocks of code that export a hook. */
const policies = documents.flatMap((file) => {
  const text = readFileSync(new URL(file, root), "utf8");
  return Array.from(text.matchAll(/^```(js|ts)\b[^\n]*\n([\s\S]*?)^```$/gm), ([, language, code = ""], index) => {
    return [`${file}, block ${index + 1}`, `policy.${language}`, code] as const;
  }).filter(([, , code]) => new RegExp(`^export (?:const|function) (?:${HOOK_NAMES.join("|")})\\b`, "m").test(code));
});

describe("a policy in a document", () => {
  it("is found", () => expect(policies.length).toBeGreaterThanOrEqual(4));

  it.each(policies)("links without a warning: %s", (_, file, code) => {
    const options = { read: () => code, hookNames: HOOK_NAMES, vocabulary: VOCABULARY, root: "" };
    expect(linkPolicy(file, options).warnings).toEqual([]);
  });
});
