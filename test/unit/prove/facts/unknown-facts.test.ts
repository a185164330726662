import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runCommand } from "../../../support/command-line.js";
import { Workplace } from "../../../support/workplace.js";

const READS = `import { deny } from "countersign";
export function kernel_read_file(file) {
  if ("path" in file && file.path === null) return deny("from memory");
  return file.path.startsWith("/lib/modules/") ? 0 : deny("from elsewhere");
}`;
const ASKS = `import { deny } from "countersign";
export const kernel_read_file = (file) =>
  "path" in file && file.path !== null && file.path.startsWith("/lib/modules/") ? 0 : deny("from elsewhere");`;

interface Row {
  readonly conditions: readonly string[];
  readonly reason: string | null;
}

/** A configuration with a policy at `kernel_read_file`. */
function placeOf(policy: string): Workplace {
  const place = new Workplace("  - policy: policies/p.js");
  place.write("policies/p.js", policy);
  return place;
}

async function rows(policy: string): Promise<readonly Row[]> {
  const { out, err } = await runCommand("prove", "table", "--json", placeOf(policy).config);
  expect(err).toBe("");
  return JSON.parse(out).tables[0].rows;
}

describe("a fact that can be unknown", () => {
  it("is a fault where it is read without a question, and none where the policy asks", async () => {
    const reason = "UNKNOWN_FACT: the fact `path`, which is unknown here";
    expect(await rows(READS)).toContainEqual(expect.objectContaining({ conditions: ["file.path is absent"], reason }));
    const asked = await rows(ASKS);
    expect(asked.filter((row) => row.reason?.includes("UNKNOWN_FACT"))).toEqual([]);
    // what is denied includes a path that is unknown
    expect(asked.map(({ conditions }) => conditions)).toEqual([
      ['file.path begins with "/lib/modules/"'],
      ['file.path does not begin with "/lib/modules/"'],
    ]);
  });

  it("is in a certificate, which is checked with the engine's answers", async () => {
    const place = placeOf(
      'export const kernel_read_file = (file) => (file.path === "/lib/modules/x.ko" && file.parameters === "" ? 0 : -1);',
    );
    const certificate = place.at("answers.cert.json");
    const made = await runCommand("prove", "table", "--certificate", certificate, place.config);
    expect(made).toMatchObject({ code: 0, err: "" });
    const checked = await runCommand("prove", "check", certificate, place.config);
    expect(checked).toMatchObject({ code: 0, err: "" });
    // one answer for each of the two facts, of the attachment and of the configuration
    expect(readFileSync(certificate, "utf8").match(/UNKNOWN_FACT/g)).toHaveLength(4);
  });

  it("is what the engine makes of it", async () => {
    const place = placeOf(READS);
    place.write(
      "policies/p.test.yaml",
      `- { module: { path: null }, expect: deny, reason: from memory }
- { module: { path: /lib/modules/x.ko }, expect: allow }
- { module: { path: /tmp/x.ko }, expect: deny, reason: from elsewhere }
- { module: { unknown: [path] }, expect: fault UNKNOWN_FACT, reason: "\`path\`, which is unknown here: ask" }
- { module: { unknown: [parameters] }, expect: deny }
`,
    );
    const { out, code } = await runCommand("test", "--no-cache", "--config", place.config);
    expect([code, out.trimEnd().split("\n").at(-1)], out).toEqual([0, "5 passed, 0 failed"]);
    place.write("policies/p.js", ASKS);
    place.write("policies/p.test.yaml", "- { module: { unknown: [path] }, expect: deny, reason: from elsewhere }\n");
    expect(await runCommand("test", "--no-cache", "--config", place.config)).toMatchObject({ code: 0 });
  });
});
