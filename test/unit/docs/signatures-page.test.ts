import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/config.js";

const page = readFileSync(join(import.meta.dirname, "../../../docs/signatures.md"), "utf8");
const samples = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);

describe("configurations in docs/signatures.md", () => {
  it("are there", () => {
    expect(samples.length).toBeGreaterThanOrEqual(3);
  });

  it.each(samples.map((text, index) => [index + 1, text] as const))("load as they stand: sample %i", (_, text) => {
    expect(parseConfig("countersign.yaml", text).keyrings.length).toBeGreaterThan(0);
  });
});
