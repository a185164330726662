import { describe, expect, it } from "vitest";
import { DROPPED, METHODS, NAMINGS, policyWith, USED } from "../../../support/deny-calls.js";
import { link } from "../../../support/guest.js";

const PLAIN = NAMINGS["by its name"]!;
const errorOf = (given: Readonly<Record<string, string>>): unknown => {
  try {
    link(given);
    return null;
  } catch (error) {
    return error;
  }
};
const unused = {
  code: "POLICY_UNUSED_DENIAL",
  message: "the value of `deny` is not used here, so nothing is denied",
  place: expect.stringMatching(/^policy\.js:3:\d+$/),
  remedy: "write `return deny(…)`",
};

describe("a call of deny whose value is dropped is an error at start", () => {
  it.each(Object.entries(DROPPED))("in %s, however deny is named", (_, statement) => {
    for (const [name, naming] of Object.entries(NAMINGS)) {
      expect(errorOf(policyWith(naming, statement)), name).toMatchObject(unused);
      const dropped = errorOf(policyWith(naming, statement)) as { place: string };
      const line = policyWith(naming, statement)["policy.js"]!.split("\n")[2]!;
      // the place is that of the call, without the parentheses around it
      expect(line.slice(Number(dropped.place.split(":")[2]) - 1), name).toMatch(/^(\(|no|never|deny|c|d|rules|more)/);
    }
  });

  it("with a tagged template, and on the left of &&", () => {
    expect(errorOf(policyWith(PLAIN, "deny`no`;"))).toMatchObject({ ...unused, place: "policy.js:3:1" });
    expect(errorOf(policyWith(PLAIN, 'blob, deny("no") && 0;'))).toMatchObject({ ...unused, place: "policy.js:3:7" });
  });

  it.each(["forEach", ...METHODS])("with deny given to %s", (method) => {
    const place = `policy.js:3:${method.length + 8}`;
    expect(errorOf(policyWith(PLAIN, `["a"].${method}(deny);`))).toMatchObject({ ...unused, place });
  });

  it("in a file that the policy imports, with the place there", () => {
    const given = {
      "policy.js": `import { check } from "./rules.js";\nexport const blob_verify = (blob) => check(blob);`,
      "rules.js": `import { deny } from "countersign";\nexport function check(blob) {\n  if (blob) deny("no");\n  return 0;\n}`,
    };
    expect(errorOf(given)).toMatchObject({ ...unused, place: "rules.js:3:13" });
  });

  it("at the first of several places", () => {
    expect(errorOf(policyWith(PLAIN, 'const a = deny("no");\nvoid deny("no");'))).toMatchObject({
      place: "policy.js:3:11",
    });
  });
});

describe("a call of deny whose value is used is none", () => {
  it.each(Object.entries(USED))("%s, however deny is named", (_, statement) => {
    for (const [name, naming] of Object.entries(NAMINGS))
      expect(errorOf(policyWith(naming, statement)), name).toBe(null);
  });

  it.each([
    ["a parameter of the same name", `const f = (deny) => { deny("no"); }; f(() => -1);`],
    ["a variable of the same name", `const deny = () => -1; deny("no");`],
    ["a function of the same name", `function deny() { return -1; } deny("no");`],
    ["an alias that can be something else", `let f = deny; if (blob) f = () => 0; f("no");`],
    ["a property of the same name", `({ deny: () => 0 }).deny("no");`],
    ["another function of the module", `import_note("no");`],
  ])("nor is %s", (_, statement) => {
    const head = `import { deny, note as import_note } from "countersign";`;
    expect(errorOf(policyWith({ head, callee: "deny" }, statement))).toBe(null);
  });
});
