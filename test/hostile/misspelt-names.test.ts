// @module-tag deep
/**
 * Every name of the virtual module, misspelt by one letter: a letter left out, replaced, or swapped with the next one.
 * By the text of a policy each is an error at start, by its run a fault. Each name is read in one form, in turn, or in
 * every form with COUNTERSIGN_COMPLETE=1.
 */
import { describe, expect, it } from "vitest";
import type { CountersignError } from "../../src/error.js";
import { GUEST_NAMES } from "../../src/policy/model/guest.js";
import { ENGINES, type EngineName, engineCode } from "../support/engines.js";
import { Guest, link } from "../support/guest.js";
import { misspelt } from "../support/misspelt.js";
import { COMPLETE } from "../support/share.js";

const UNKNOWN = [...new Set(GUEST_NAMES.flatMap(misspelt))].filter(
  (name) => /^[a-z_]\w*$/i.test(name) && !GUEST_NAMES.includes(name),
);

/** How a policy reads a name of the module: its text, where the third line has the name. */
const FORMS: Readonly<Record<string, (name: string) => string>> = {
  import: (name) => `\n\nimport { ${name} as x } from "countersign";`,
  member: (name) => `import * as c from "countersign";\n\nconst x = () => c.${name};`,
  "optional chaining": (name) => `import * as c from "countersign";\n\nconst x = () => c?.${name};`,
  "a literal key": (name) => `import * as c from "countersign";\n\nconst x = () => c["${name}"];`,
  "a template as key": (name) => `import * as c from "countersign";\n\nconst x = () => c[\`${name}\`];`,
  "an alias": (name) => `import * as c from "countersign";\nconst d = (0, c);\nconst x = () => -d.${name};`,
  destructuring: (name) => `import * as c from "countersign";\n\nconst { ${name}: x } = c;`,
  "destructuring with a default": (name) => `import * as c from "countersign";\n\nconst { ${name}: x = 0 } = c;`,
  "assigning destructuring": (name) => `import * as c from "countersign";\nlet x;\n({ ${name}: x } = c);`,
};
const HOOK = "export const blob_verify = () => 0;";

function rejected(policy: string): CountersignError {
  try {
    link(policy);
  } catch (error) {
    return error as CountersignError;
  }
  return expect.unreachable(`linked: ${policy}`);
}

describe("a misspelt name of the virtual module", () => {
  it("is an error at start, with its place, however it is read", () => {
    const suggested = new Set<string>();
    const forms = Object.entries(FORMS);
    for (const [index, name] of UNKNOWN.entries())
      for (const [form, read] of COMPLETE ? forms : [forms[index % forms.length]!]) {
        const error = rejected(`${read(name)}\n${HOOK}`);
        const label = `${name} by ${form}`;
        expect(error.code, label).toBe("POLICY_UNKNOWN_NAME");
        expect(error.message, label).toMatch(`s \`${name}\`, which \`countersign\` does not have (did you mean \``);
        expect(error.place, label).toMatch(/^policy\.js:3:\d+$/);
        suggested.add(/did you mean `(\w+)`/.exec(error.message)![1]!);
      }
    expect(UNKNOWN.length).toBeGreaterThan(400);
    expect([...suggested].sort()).toEqual([...GUEST_NAMES].sort());
  });

  it.each(Object.keys(ENGINES) as EngineName[])(
    "is a fault on %s if its key is computed, even if it is caught",
    (name) => {
      const guest = new Guest({ code: engineCode(name) });
      const reads = ["c[key]", "c?.[key]", "(({ [key]: x }) => x)(c)", "(({ [key]: x = 0 }) => x)(c)"];
      const policy = link(`import * as c from "countersign";
const reads = [${reads.map((read) => `(key) => ${read}`).join()}];
export function blob_verify(blob, current) {
  if (current.uid === 0) reads[current.pid](blob.name);
  else try { reads[current.pid](blob.name); } catch {}
  return 0;
}`);
      UNKNOWN.forEach((key, index) => {
        const current = { pid: index % reads.length, uid: index % 3 };
        const { verdict, fault } = guest.ask(policy, { subject: { name: key }, current });
        expect(verdict, key).toBeNull();
        expect(fault?.code, key).toBe("UNKNOWN_FACT");
        expect(fault?.message, key).toContain(`read the name \`${key}\` of \`countersign\`, which does not exist`);
        expect(fault?.place, key).toMatch(/^policy\.js:2:/);
      });
    },
  );

  it.each(Object.keys(ENGINES) as EngineName[])("is none of those that exist, on %s", (name) => {
    const guest = new Guest({ code: engineCode(name) });
    const literals = GUEST_NAMES.map((one) => `c.${one} === c["${one.slice(0, 1)}" + "${one.slice(1)}"]`);
    const policy = `import * as c from "countersign";
export const blob_verify = () => (${literals.join(" &&\n")} ? 0 : -13);`;
    expect(guest.ask(policy)).toMatchObject({ verdict: 0, fault: null });
  });
});
