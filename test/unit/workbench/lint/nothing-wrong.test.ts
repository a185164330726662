import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkConfig } from "../../../../src/workbench/lint/configuration.js";
import { lint } from "../../../../src/workbench/lint.js";
import { runCommand } from "../../../support/command-line.js";
import { LintFolder } from "../../../support/lint.js";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const shipped = readdirSync(join(root, "policies")).filter(
  (name) => !/\.test\.ts$|\.yaml$|\.properties\.js$/.test(name),
);

/** Documents of the package, with examples of policies and configurations. */
const DOCUMENTS = [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const DOCUMENT_ERRORS = readdirSync(join(root, "docs/errors")).map((name) => `docs/errors/${name}`);

interface Example {
  readonly place: string;
  readonly language: string;
  /** The file that a reader saves it as, or the empty string. */
  readonly name: string;
  readonly text: string;
}

/** The fenced code blocks of a document. */
function examplesOf(document: string): Example[] {
  const text = readFileSync(join(root, document), "utf8");
  return Array.from(text.matchAll(/^```(\w+) ?(\S*)\n([\s\S]*?)^```$/gm), (match) => {
    const [, language, name, body] = match as unknown as string[];
    const line = text.slice(0, match.index).split("\n").length;
    return { place: `${document}:${line}`, language: language!, name: name!, text: body! };
  });
}

const examples = [...DOCUMENTS, ...DOCUMENT_ERRORS].flatMap(examplesOf);
/** Whole policies: they export a hook. The guide has one that is wrong, and shows what lint says about it. */
const isWrong = ({ name }: Example) => name === "policies/wrong.js";
/** A property of decisions, for `prove property`: no policy. */
const isProperty = ({ text }: Example) => /^export const \w+ = \(\w+, \w+, decision\b/m.test(text);
const policies = examples.filter(
  (example) =>
    /^(?:js|ts)$/.test(example.language) && /^export /m.test(example.text) && !isWrong(example) && !isProperty(example),
);
/** Whole configurations. */
const configurations = examples.filter(({ language, text }) => language === "yaml" && /^version: 1$/m.test(text));

describe("lint reports nothing", () => {
  let folder: LintFolder;
  beforeAll(() => {
    folder = new LintFolder();
  });
  afterAll(() => folder.close());

  it.each(shipped)("about policies/%s", async (name) => {
    expect((await lint([join(root, "policies", name)])).findings).toEqual([]);
  });

  it.each(policies.map(({ place, language, text }) => [place, language, text]))(
    "about the policy at %s",
    async (_, language, text) => {
      folder.write({ [`policy.${language}`]: text! });
      expect(await folder.lint(`policy.${language}`)).toEqual([]);
    },
  );

  it.each(configurations.map(({ place, text }) => [place, text]))("about the configuration at %s", (_, text) => {
    // What examples name as their `shadow` is read with them
    folder.write({ "countersign.yaml": text!, "new.yaml": "version: 1\nattachments: []\n" });
    expect(checkConfig(join(folder.path, "countersign.yaml")).findings).toEqual([]);
  });

  it.each([
    "return key === undefined ? -1 : 0;",
    "if (id === undefined || path === undefined) return -1; return 0;",
    "return typeof target === 'undefined' ? 0 : -1;",
    "if (target) return -1; return 0;",
    "return id == null && path == null ? 0 : -1;",
    "return [key, id, path, target].some((one) => one === undefined) ? 0 : -1;",
  ])("about a variable whose optional chain can be undefined: %s", async (text) => {
    const head = `import { signer_of } from "countersign";
    export function bpf_prog_load(prog, current) {
      const key = signer_of(prog, "release")?.key_id;
      const id = current.container?.id;
      const path = prog.object?.path;
      const target = current.container?.annotations;
      if (key === "5f1d" && id === "web" && path === target?.path) return -1;\n`;
    folder.write({ "policy.js": `${head}${text}\n}\n` });
    expect(await folder.lint("policy.js")).toEqual([]);
  });

  it.each([
    "if (first === undefined) return -1; return 0;",
    "if (second) return -1; return 0;",
    "if (third === undefined || fourth === undefined) return -1; return 0;",
    "if (prog.helpers[0] === undefined) return -1; return 0;",
    "if (prog.maps[0]) return -1; return 0;",
    "if (prog.maps?.[0]) return -1; return 0;",
    "const copy = first; return copy === undefined ? -1 : 0;",
  ])("about an element of a list, which can be missing: %s", async (text) => {
    const head = `export function bpf_prog_load(prog) {
      const [first] = prog.helpers;
      const second = prog.statements[1];
      const { helpers: [third], kfuncs: { 0: fourth } } = prog;
      if (first === "bpf_bind" && third === fourth && second?.name === "f") return -1;\n`;
    folder.write({ "policy.js": `${head}${text}\n}\n` });
    expect(await folder.lint("policy.js")).toEqual([]);
  });

  it("about what `init` makes", async () => {
    const demo = join(folder.path, "demo");
    expect(await runCommand("init", demo)).toMatchObject({ code: 0 });
    expect(await runCommand("lint", join(demo, "countersign.yaml"))).toMatchObject({ code: 0, err: "" });
  });

  it("and checks examples of each kind in documents", () => {
    expect(policies.length).toBeGreaterThanOrEqual(8);
    expect(configurations.length).toBeGreaterThanOrEqual(5);
    expect(examples.filter(isWrong).length).toBe(1);
  });
});
