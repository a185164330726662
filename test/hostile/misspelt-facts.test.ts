// @module-tag deep
/**
 * Every declared fact, misspelt by one letter: a letter left out, replaced, or swapped with the next one. Each is read
 * in every way that the language has. Runs a tenth of the family, the same one each time; all of it with
 * COUNTERSIGN_COMPLETE=1, as `npm run test:complete` does.
 */
import { describe, expect, it } from "vitest";
import type { CountersignError } from "../../src/error.js";
import { HOOK_NAMES } from "../../src/hooks/catalogue.js";
import { linkPolicy } from "../../src/policy/linker/linker.js";
import type { Current } from "../../src/policy/model/current.js";
import { propertyOf } from "../../src/policy/model/fact-kinds.js";
import { SUBJECTS } from "../../src/policy/model/facts.gen.js";
import { type Place, places, sample } from "../support/declared-facts.js";
import { ENGINES, type EngineName, engineCode } from "../support/engines.js";
import { Guest, link } from "../support/guest.js";
import { misspelt } from "../support/misspelt.js";
import { COMPLETE, drawing, SHARE } from "../support/share.js";

/** Misspelt names of one policy: more would take too much to compile. */
const CHUNK = 60;

/** How a property `name` of an expression is read; a statement. */
const FORMS: Readonly<Record<string, (object: string, name: string) => string>> = {
  member: (object, name) => `${object}.${name};`,
  "optional chaining": (object, name) => `${object}?.${name};`,
  "a literal key": (object, name) => `${object}["${name}"];`,
  destructuring: (object, name) => `const { ${name}: value } = ${object};`,
  "destructuring with a default": (object, name) => `const { ${name}: value = 0 } = ${object};`,
};
/** These the linker does not follow. */
const COMPUTED: typeof FORMS = {
  "a computed key": (object, name) => `${object}["${name.slice(0, 1)}" + "${name.slice(1)}"];`,
  "a computed key of a pattern": (object, name) =>
    `const { ["${name.slice(0, 1)}" + "${name.slice(1)}"]: value } = ${object};`,
};

/** All that can be read of each hook, and of who asks: of hooks with the same subject once. */
const OBJECTS: readonly (readonly [hook: keyof typeof SUBJECTS, place: Place])[] = HOOK_NAMES.filter(
  (hook, index) => HOOK_NAMES.findIndex((other) => SUBJECTS[other] === SUBJECTS[hook]) === index,
).flatMap((hook) => [
  ...places(SUBJECTS[hook], "subject").map((place) => [hook, place] as const),
  ...(hook === "bpf_prog_load" ? places("Current", "current").map((place) => [hook, place] as const) : []),
]);

/** Names that a place does not have, each a letter from one that it has. */
function unknownAt({ kind, names }: Place): string[] {
  const all = new Set(names.flatMap(misspelt));
  return [...all].filter((name) => /^[a-z_]\w*$/.test(name) && propertyOf(kind, name) === undefined);
}

const drawn = drawing();

describe(`a misspelt fact, by the run of a policy (${SHARE})`, () => {
  const READS = Object.entries({ ...FORMS, ...COMPUTED });

  it.each(Object.keys(ENGINES) as EngineName[])(
    "is a fault on %s however it is read, even if it is caught",
    (engine) => {
      const guest = new Guest({ code: engineCode(engine) });
      let asked = 0;
      for (const [hook, place] of OBJECTS) {
        const subject = Object.freeze(sample(SUBJECTS[hook])) as object;
        const who = sample("Current") as Current;
        const cases = unknownAt(place).flatMap((name) => READS.map(([form, read]) => ({ name, form, read })));
        const chosen = drawn(cases);
        for (let first = 0; first < chosen.length; first += CHUNK) {
          const chunk = chosen.slice(first, first + CHUNK);
          const functions = chunk.map(({ name, read }, index) => `function read${index}(it) { ${read("it", name)} }`);
          // what is read in a function of its own is not seen by the linker
          const policy = link(`${functions.join("\n")}
          const reads = [${chunk.map((_, index) => `read${index}`).join()}];
          const pick = (subject, current) => ${place.path};
          export const ${hook} = (subject, current) => {
            const { pid, tid } = current;
            const it = pick(subject, current);
            if (tid === 0) reads[pid](it);
            else try { reads[pid](it); } catch {}
            return 0;
          };`);
          for (const [pid, { name, form }] of chunk.entries())
            for (const tid of [0, 1]) {
              const { verdict, fault } = guest.ask(policy, { hook, subject, current: { ...who, pid, tid } });
              const label = `${place.path}.${name} by ${form}`;
              expect(verdict, label).toBeNull();
              expect(fault?.code, label).toBe("UNKNOWN_FACT");
              expect(fault?.message, label).toContain(`\`${name}\``);
              // the text does not spell the name; quickjs has no position for patterns, and quickjs-ng for calls alone
              if (form in FORMS || (engine === "quickjs" && form === "a computed key"))
                expect(fault?.place, label).toMatch(new RegExp(`^policy\\.js:${pid + 1}:`));
              asked += 1;
            }
        }
      }
      expect(asked).toBeGreaterThan(COMPLETE ? 40_000 : 4_000);
    },
  );

  it("is none of those that are declared", () => {
    const guest = new Guest();
    for (const [hook, place] of OBJECTS) {
      const statements = place.names.flatMap((name) => READS.map(([, read]) => `{ ${read(place.path, name)} }`));
      const policy = link(`const reads = (subject, current) => {\n${statements.join("\n")}\n};
        export const ${hook} = (subject, current) => { reads(subject, current); return 0; };`);
      const question = { hook, subject: sample(SUBJECTS[hook]) as object, current: sample("Current") as Current };
      expect(guest.ask(policy, question), place.path).toMatchObject({ verdict: 0, fault: null });
    }
  });
});

describe(`a misspelt fact, by the text of a policy (${SHARE})`, () => {
  const linked = (hook: string, statement: string) => {
    const text = `export function ${hook}(subject, current) {\n${statement}\nreturn 0;\n}`;
    return linkPolicy("policy.js", { read: () => text, hookNames: HOOK_NAMES, root: "" });
  };

  it("is an error at start, with its place, however it is read", () => {
    let rejected = 0;
    for (const [hook, place] of OBJECTS)
      for (const name of unknownAt(place))
        for (const [form, read] of drawn(Object.entries(FORMS))) {
          const label = `${place.path}.${name} by ${form}`;
          let error: CountersignError | undefined;
          try {
            linked(hook, read(place.path, name));
          } catch (thrown) {
            error = thrown as CountersignError;
          }
          expect(error?.code, label).toBe("POLICY_UNKNOWN_FACT");
          expect(error?.message, label).toContain(`reads \`${name}\``);
          expect(error?.place, label).toMatch(/^policy\.js:2:\d+$/);
          rejected += 1;
        }
    expect(rejected).toBeGreaterThan(COMPLETE ? 14_000 : 1_400);
  });

  it("is none of those that are declared", () => {
    for (const [hook, place] of OBJECTS) {
      const statements = place.names.flatMap((name) =>
        Object.values(FORMS).map((read) => `{ ${read(place.path, name)} }`),
      );
      expect(linked(hook, statements.join("\n")).warnings, place.path).toEqual([]);
    }
  });
});
