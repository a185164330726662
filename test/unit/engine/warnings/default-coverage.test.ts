import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../../src/config/config.js";
import { defaultWarnings } from "../../../../src/engine/warnings/default-coverage.js";
import { HOOK_NAMES } from "../../../../src/hooks/catalogue.js";
import { warningLine } from "../../../../src/warning.js";

/** Attachments as flow mappings, without their policies: all of them are asked at `bpf_prog_load`. */
function warnings(defaults: string, ...attachments: string[]) {
  const listed = attachments.map((text, number) => `{ name: a${number}, policy: p.js, ${text} }`);
  const config = parseConfig(
    "c.yaml",
    `version: 1\ndefault: { ${defaults} }\nattachments: [${listed.join(", ")}]\nmode: enforce\n`,
  );
  return defaultWarnings(
    config,
    config.attachments.map(() => new Set(["bpf_prog_load"])),
  );
}

const DENY = "bpf_prog_load: deny";
const UNSCOPED = "mode: enforce";
const SCOPED = 'mode: enforce, scope: { labels: "tier=edge" }';
const AUDIT = "mode: audit";

describe("a default of deny", () => {
  it.each([
    ["no attachment", [], "no attachment enforces bpf_prog_load"],
    ["an attachment in audit", [AUDIT], "no attachment enforces bpf_prog_load"],
    ["a scoped attachment", [SCOPED], "each attachment that enforces bpf_prog_load has a scope"],
    ["a scoped and an audit attachment", [SCOPED, AUDIT], "each attachment that enforces bpf_prog_load has a scope"],
  ])("is warned of with %s", (_, attachments, message) => {
    const [warning, ...more] = warnings(DENY, ...attachments);
    expect(more).toEqual([]);
    expect(warning).toMatchObject({ code: "DEFAULT_NOT_COVERED", place: "c.yaml" });
    expect(warning!.message).toContain(message);
    expect(warning!.remedy).toContain("set the default to `audit`");
    expect(warningLine(warning!)).toMatch(/^c\.yaml: .* \[DEFAULT_NOT_COVERED\]; /);
  });

  it.each([
    ["an enforcing attachment without a scope", [UNSCOPED]],
    ["one besides a scoped one", [SCOPED, UNSCOPED]],
  ])("is not warned of with %s", (_, attachments) => {
    expect(warnings(DENY, ...attachments)).toEqual([]);
  });

  it("is warned of at each hook by itself", () => {
    const all = HOOK_NAMES.map((hook) => `${hook}: deny`).join(", ");
    expect(warnings(all, UNSCOPED)).toHaveLength(HOOK_NAMES.length - 1);
  });

  it.each(["", "bpf_prog_load: allow", "bpf_prog_load: audit"])("is not warned of where it is `%s`", (defaults) => {
    for (const attachments of [[], [SCOPED], [AUDIT], [SCOPED, AUDIT]])
      expect(warnings(defaults, ...attachments)).toEqual([]);
  });
});
