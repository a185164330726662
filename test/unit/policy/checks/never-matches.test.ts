import { describe, expect, it } from "vitest";
import { VOCABULARY } from "../../../../src/engine/load/vocabulary.js";
import { HOOK_NAMES } from "../../../../src/hooks/catalogue.js";
import { linkPolicy } from "../../../../src/policy/linker/linker.js";
import { NAME_KINDS, type NameKind } from "../../../../src/policy/model/vocabulary.js";

type Files = Readonly<Record<string, string>>;

const warningsOf = (source: string | Files) => {
  const files: Files = typeof source === "string" ? { "policy.js": source } : source;
  const options = { read: (path: string) => files[path]!, hookNames: HOOK_NAMES, vocabulary: VOCABULARY, root: "" };
  return linkPolicy("policy.js", options).warnings.filter(({ code }) => code === "POLICY_NEVER_MATCHES");
};

/** By kind: a hook, and the fact of this kind, called FACT in the cases below. */
const FACTS: readonly (readonly [NameKind, string, string])[] = [
  ["ProgramType", "bpf_prog_load", "subject.type"],
  ["ProgramType", "bpf_prog", "subject.type"],
  ["ProgramType", "bpf", "subject.program.type"],
  ["ProgramType", "bpf", "subject.attach.target.program.type"],
  ["AttachType", "bpf_prog_load", "subject.expected_attach_type"],
  ["AttachType", "bpf", "subject.attach.type"],
  ["MapType", "bpf_map_create", "subject.type"],
  ["MapType", "bpf_map", "subject.type"],
  ["MapType", "bpf_prog_load", "subject.maps[0].type"],
  ["MapType", "bpf", "subject.map.type"],
  ["HelperName", "bpf_prog_load", "subject.helpers[0]"],
  ["EffectName", "bpf_prog_load", "Object.keys(subject.effects)[0]"],
  ["TargetKind", "bpf", "subject.attach.target.kind"],
  ["ProgramType", "bpf_prog_load", "subject.statements[0].type"],
  ["ProgramType", "bpf_prog_load", "c.statement_of(subject, 'k').type"],
  ["SettingKind", "bpf_prog_load", "subject.statements[0].settings[0].kind"],
  ["CommandName", "bpf", "subject.name"],
  ["MapAccess", "bpf_map", "subject.access"],
  ["FilePurpose", "kernel_read_file", "subject.purpose"],
  ["FilePurpose", "bprm_check_security", "subject.purpose"],
  ["Capability", "kernel_read_file", "current.capabilities[0]"],
  ["Capability", "bpf_token_create", "current.capabilities[0]"],
];

/** Expressions in which FACT is compared with NAME. */
const COMPARED: Readonly<Record<string, string>> = {
  "with ===": "FACT === NAME",
  "with !==": "NAME !== FACT",
  "with ==": "FACT == NAME",
  "with !=": "FACT != NAME",
  "if it exists": "(FACT ?? '') === NAME",
  "with a string that is chosen": "FACT === (current.uid === 0 ? NAME : undefined)",
  "with a constant": "FACT === WANTED",
  "with a list's element": "[NAME].includes(FACT)",
  "with a list of constants": "LIST.includes(FACT)",
  "with a list by indexOf": "LIST.indexOf(FACT) >= 0",
  "with a frozen list": "FROZEN.includes(FACT)",
  "with a list that holds a list": "[...LIST].includes(FACT)",
  "with a set": "new Set([NAME]).has(FACT)",
  "with a set of constants": "SET.has(FACT)",
  "with each element": "LIST.some((one) => one === FACT)",
  "in a case": "(() => { switch (FACT) { case NAME: return true; } })()",
  "through a variable": "(() => { const it = FACT; return it === NAME; })()",
  "through a function": "is(FACT)",
};

const policy = (hook: string, fact: string, expression: string, name: string) => {
  const it = JSON.stringify(name);
  const head = `import * as c from "countersign"; const WANTED = NAME, LIST = [NAME], FROZEN = Object.freeze([NAME]), SET = new Set(LIST);
const is = (it) => it === NAME;`;
  return `${head}\nexport function ${hook}(subject, current) { return ${expression} ? 0 : -1; }`
    .replaceAll("FACT", fact)
    .replaceAll("NAME", it);
};

describe("a string that a fact can never be is a warning", () => {
  const cases = FACTS.flatMap(([kind, hook, fact]) =>
    Object.entries(COMPARED).map(([how, expression]) => [kind, fact, hook, how, expression] as const),
  );
  it.each(cases)("for the %s %s of %s, compared %s", (kind, fact, hook, _, expression) => {
    const right = VOCABULARY[kind].find((name) => name.length > 6) ?? VOCABULARY[kind].at(-1)!;
    const wrong = `${right}x`;
    expect(warningsOf(policy(hook, fact, expression, right))).toEqual([]);
    const warnings = warningsOf(policy(hook, fact, expression, wrong));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({
      message: expect.stringContaining(`no ${NAME_KINDS[kind]} is called \`${wrong}\``),
      place: expect.stringMatching(/^policy\.js:[123]:\d+$/),
      remedy: "correct the name",
    });
  });

  /** One misspelling for each name: two letters changed places, or one more letter where they are alike. */
  const misspelt = (name: string, known: readonly string[]): string => {
    for (let at = 1; at < name.length - 1; at++) {
      const swapped = name.slice(0, at) + name[at + 1]! + name[at]! + name.slice(at + 2);
      if (swapped !== name && !known.includes(swapped)) return swapped;
    }
    return `${name}x`;
  };
  const names = (Object.keys(NAME_KINDS) as NameKind[]).flatMap((kind) =>
    VOCABULARY[kind].map((name) => [kind, name] as const),
  );
  it("for each known name misspelt, and for none that is right", { tags: ["deep"] }, () => {
    expect(names.length).toBeGreaterThan(350);
    for (const [kind, name] of names) {
      const [, hook, fact] = FACTS.find(([its]) => its === kind)!;
      expect(warningsOf(policy(hook, fact, "FACT === NAME", name)), name).toEqual([]);
      const wrong = misspelt(name, VOCABULARY[kind]);
      const [warning, ...others] = warningsOf(policy(hook, fact, "FACT === NAME", wrong));
      expect(others, wrong).toEqual([]);
      expect(warning?.message, wrong).toMatch(/ \(did you mean `\w+`\?\)$/);
    }
  });

  const load = (body: string, head = "") =>
    `${head}\nexport function bpf_prog_load(prog, current) { ${body} return 0; }`;
  it.each([
    [
      "a helper that is looked for",
      `if (prog.helpers.includes("probe_read_kernel")) return -1;`,
      "bpf_probe_read_kernel",
    ],
    ["a helper in a set", `if (new Set(prog.helpers).has("bpf_probe_raed")) return -1;`, "bpf_probe_read"],
    ["a helper of some", `if (prog.helpers.some((h) => h === "bpf_probe_raed")) return -1;`, "bpf_probe_read"],
    ["a helper of a loop", `for (const h of prog.helpers) if (h === "bpf_probe_raed") return -1;`, "bpf_probe_read"],
    ["helpers in a list", `if (BAD.some((h) => prog.helpers.includes(h))) return -1;`, "bpf_probe_read"],
    [
      "helpers in a loop over a list",
      `for (const h of BAD) if (prog.helpers.includes(h)) return -1;`,
      "bpf_probe_read",
    ],
    [
      "helpers that are filtered",
      `if (prog.helpers.filter((h) => BAD.includes(h)).length) return -1;`,
      "bpf_probe_read",
    ],
    ["the beginning of a helper", `if (prog.helpers.some((h) => h.startsWith("probe_"))) return -1;`, null],
    ["a part of a type", `if (prog.type.includes("kporbe")) return -1;`, "kprobe"],
    ["a map's type", `if (prog.maps.some((m) => m.type === "hsah")) return -1;`, "hash"],
    ["a map's type in a loop", `for (const { type } of prog.maps) if (type === "hsah") return -1;`, "hash"],
    ["the types of maps", `if (prog.maps.map((m) => m.type).includes("hsah")) return -1;`, "hash"],
    ["a type out of a pattern", `const { type } = prog; if (type === "kprobes") return -1;`, "kprobe"],
    ["a type with a default", `const { type = "kprobes" } = prog; if (type === "kprobes") return -1;`, undefined],
    ["an effect", `if (EFFECTS.some((e) => prog.effects[e])) return -1;`, "redirects"],
    ["an effect's key", `if (Object.keys(prog.effects).includes("redirect")) return -1;`, "redirects"],
    [
      "an effect's entry",
      `for (const [e, on] of Object.entries(prog.effects)) if (on && e === "redirect") return -1;`,
      "redirects",
    ],
    ["an effect that is asked for", `if ("redirect" in prog.effects) return -1;`, "redirects"],
    ["an effect that is asked for by hasOwn", `if (Object.hasOwn(prog.effects, "redirect")) return -1;`, "redirects"],
  ])("for %s", (_, body, meant) => {
    const head = `const BAD = ["bpf_probe_raed"], EFFECTS = ["redirect"];`;
    const messages = warningsOf(load(body, head)).map(({ message }) => message);
    if (meant === undefined) return expect(messages).toEqual([]);
    expect(messages).toEqual([expect.stringContaining("so this comparison never matches")]);
    if (meant !== null) expect(messages[0]).toContain(`(did you mean \`${meant}\`?)`);
  });

  it("in the pattern of a parameter of an arrow function", () => {
    expect(warningsOf(`export const bpf_prog_load = ({ type }) => (type === "kprobes" ? -1 : 0);`)).toMatchObject([
      { place: "policy.js:1:54" },
    ]);
  });

  it("in lists of lists, each of which doubles the one before", () => {
    const lists = Array.from({ length: 20 }, (_, i) => `const list${i + 1} = [...list${i}, ...list${i}];`).join("\n");
    const head = `const list0 = ["kprobes"];\n${lists}`;
    expect(warningsOf(load("if (list20.includes(prog.type)) return -1;", head))).toMatchObject([
      { place: "policy.js:1:16" },
    ]);
    const choices = Array.from({ length: 16 }, (_, i) => `const one${i + 1} = list0 ? one${i} : one${i};`).join("\n");
    expect(
      warningsOf(load("if (prog.type === one16) return -1;", `const list0 = 0, one0 = "kprobes";\n${choices}`)),
    ).toMatchObject([{ place: "policy.js:1:25" }]);
  });

  it("with the type, where a program type is given by a section's name of libbpf", () => {
    const sections = [...VOCABULARY.sections].filter(([section]) => !VOCABULARY.ProgramType.includes(section));
    expect(sections.length).toBeGreaterThan(60);
    expect(sections).toContainEqual(["tc", "sched_cls"]);
    for (const [section, type] of sections)
      expect(warningsOf(load(`if (prog.type === "${section}") return -1;`))).toMatchObject([
        {
          message:
            `no program type is called \`${section}\`, so this comparison never matches ` +
            `(programs in libbpf's section \`${section}\` have the type \`${type}\`)`,
        },
      ]);
  });

  it("in a hook of another file, with the place there", () => {
    const files = {
      "policy.js": `export { check as bpf_prog_load } from "./rules.js";`,
      "rules.js": `export function check(prog) {\n  return prog.type === "kprobes" ? -1 : 0;\n}`,
    };
    expect(warningsOf(files)).toEqual([
      {
        code: "POLICY_NEVER_MATCHES",
        message: "no program type is called `kprobes`, so this comparison never matches (did you mean `kprobe`?)",
        place: "rules.js:2:24",
        remedy: "correct the name",
      },
    ]);
  });
});

describe("no warning", () => {
  it.each([
    ["of an object that is no fact", `const rule = { type: "mine" }; if (rule.type === "mine") return -1;`],
    ["of a map's value", `if (map_lookup("m", "k").type === "mine") return -1;`],
    ["of a text that is free", `if (prog.name === "kprobes" || prog.license === "mine") return -1;`],
    ["of a kfunc, whose names are open", `if (prog.kfuncs.includes("mine")) return -1;`],
    ["of a default", `if ((prog.expected_attach_type ?? "none") === "none") return -1;`],
    ["of an empty text", `if ((prog.expected_attach_type ?? "") === "") return -1;`],
    ["of a type that is not known", `if (prog.type === "unknown") return -1;`],
    ["of a helper that is not known", `if (prog.helpers.includes("helper#999")) return -1;`],
    ["of a prefix that exists", `if (prog.helpers.some((h) => h.startsWith("bpf_skb_"))) return -1;`],
    [
      "of a parameter with more than one meaning",
      `const is = (it) => it === "mine"; if (is(prog.type) || is("mine")) return -1;`,
    ],
    [
      "of a variable that is also something else",
      `let t = prog.type; if (current.uid) t = "mine"; if (t === "mine") return -1;`,
    ],
    [
      "of an effect of a newer version that is asked for",
      `const e = "opens_portals"; if ("opens_portals" in prog.effects && prog.effects[e]) return -1;`,
    ],
    [
      "of another variable of the same name",
      `const f = (prog) => prog.type === "mine"; if (f({ type: "mine" })) return -1;`,
    ],
  ])("%s", (_, body) => {
    const source = `import { map_lookup } from "countersign";\nexport function bpf_prog_load(prog, current) { ${body} return 0; }`;
    expect(warningsOf(source)).toEqual([]);
  });

  it("of one function for two hooks whose subjects are not alike", () => {
    const source = `const any = (it) => (it.type === "hash" || it.type === "xdp" ? 0 : -1);
export { any as bpf_prog_load, any as bpf_map_create };`;
    expect(warningsOf(source)).toEqual([]);
  });
});
