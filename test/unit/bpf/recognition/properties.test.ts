import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { MAP_PROPERTIES, PROGRAM_PROPERTIES } from "../../../../src/bpf/recognition/properties.js";

const DOCUMENT = readFileSync(new URL("../../../../docs/signatures.md", import.meta.url), "utf8");

it("each covered property is documented, in the table's order", () => {
  const [, section = ""] = /### What is compared\n(.*?)\n## /s.exec(DOCUMENT) ?? [];
  const documented = [...section.matchAll(/^\| (`.+?`) \|/gm)].flatMap(([, names = ""]) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  expect(documented).toEqual([...Object.keys(PROGRAM_PROPERTIES), ...Object.keys(MAP_PROPERTIES)]);
});
