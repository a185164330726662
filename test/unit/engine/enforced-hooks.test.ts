import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/config.js";
import { requireEnforced } from "../../../src/engine/enforced-hooks.js";
import type { CountersignError } from "../../../src/error.js";
import { HOOK_NAMES, HOOKS, type HookName } from "../../../src/hooks/catalogue.js";

/** The error of a configuration whose attachments serve these hooks; null where the gate takes it. */
function errorOf(yaml: string, ...hooks: readonly (readonly HookName[])[]): CountersignError | null {
  const listed = hooks.map((_, number) => `{ name: a${number}, policy: p.js }`);
  const config = parseConfig("c.yaml", `version: 1\n${yaml}\nattachments: [${listed.join(", ")}]\n`);
  const attached = config.attachments.map(({ name, place }, number) => ({ name, place, hooks: hooks[number]! }));
  try {
    requireEnforced(config, attached);
    return null;
  } catch (error) {
    return error as CountersignError;
  }
}

/** The hooks that the gate asks nobody about: read from the table by a person, not by the code under test. */
const UNENFORCED: readonly HookName[] = ["bprm_check_security"];

describe("a configuration for the gate", () => {
  it.each(HOOK_NAMES)("may attach to %s only if the gate enforces it, or is told that it does not", (hook) => {
    const error = errorOf("", [hook]);
    if (!UNENFORCED.includes(hook)) {
      expect(error).toBeNull();
      return;
    }
    expect(error).toMatchObject({ code: "HOOK_NOT_ENFORCED", place: "c.yaml:3:15" });
    expect(error!.message).toBe(`\`a0\` is attached to ${hook}, but the gate does not enforce ${hook}`);
    expect(error!.remedy).toBe(`remove \`a0\`; or write \`not_enforced: [${hook}]\` under \`gate\` to run without`);
    expect(errorOf(`gate: { not_enforced: [${hook}] }`, [hook])).toBeNull();
  });

  const cases = HOOK_NAMES.flatMap((hook) => (["deny", "audit"] as const).map((rule) => ({ hook, rule })));
  it.each(cases)(
    "may have a default of $rule for $hook only if the gate enforces it, or is told that it does not",
    ({ hook, rule }) => {
      const error = errorOf(`default: { ${hook}: ${rule} }`);
      if (!UNENFORCED.includes(hook)) {
        expect(error).toBeNull();
        return;
      }
      expect(error).toMatchObject({ code: "HOOK_NOT_ENFORCED", place: "c.yaml" });
      expect(error!.message).toBe(`the default is ${rule} for ${hook}, but the gate does not enforce ${hook}`);
      expect(error!.remedy).toContain("remove the default");
      expect(errorOf(`default: { ${hook}: ${rule} }\ngate: { not_enforced: [${hook}] }`)).toBeNull();
    },
  );

  it.each(HOOK_NAMES)("lists %s as not enforced only if it is not", (hook) => {
    const take = () => errorOf(`gate: { not_enforced: [${hook}] }`);
    if (HOOKS[hook].served.gate)
      expect(take).toThrow(`\`${hook}\` is enforced by the gate, so it cannot be listed as not enforced`);
    else expect(take()).toBeNull();
  });

  it("is told how to narrow an attachment that serves other hooks, and of every part that is at fault", () => {
    const error = errorOf(
      "default: { bprm_check_security: deny }",
      ["bpf_prog_load", "bprm_check_security", "blob_verify"],
      ["bpf"],
      ["bprm_check_security"],
    );
    expect(error!.message).toBe(
      "`a0` is attached to bprm_check_security; `a2` is attached to bprm_check_security; " +
        "the default is deny for bprm_check_security, but the gate does not enforce bprm_check_security",
    );
    expect(error!.remedy).toBe(
      "narrow `a0` with `hooks: [bpf_prog_load, blob_verify]`; remove `a2`; remove the default; " +
        "or write `not_enforced: [bprm_check_security]` under `gate` to run without",
    );
  });
});
