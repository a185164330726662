import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HOOK_NAMES } from "../../../../src/hooks/catalogue.js";
import { runCommand } from "../../../support/command-line.js";
import { own } from "../../../support/workplace.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-init-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (name: string) => readFileSync(join(folder, name), "utf8");
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const editor = (...words: readonly string[]) => runCommand("init", "--editor", ...words, folder);

/** What the user's `typescript` says about the project: `FILE:LINE CODE`. */
function mistakes(): string[] {
  const { stdout } = spawnSync(
    process.execPath,
    [own("node_modules/typescript/bin/tsc"), "--project", join(folder, "jsconfig.json"), "--pretty", "false"],
    { cwd: folder, encoding: "utf8" },
  );
  const errors = stdout.matchAll(/^(\S+)\((\d+),\d+\): error (TS\d+)/gm);
  return Array.from(errors, ([, file, line, code]) => `${file}:${line} ${code}`);
}

describe("countersign init", () => {
  it("makes a project that only its owner may read the keys of", async () => {
    const { code, out } = await runCommand("init", "--json", folder);
    expect(code).toBe(0);
    const { files } = JSON.parse(out) as { files: string[] };
    expect(files).toEqual(expect.arrayContaining(["countersign.yaml", "keys/ca.key", "program.o"]));
    expect(files.filter((name) => /editor|jsconfig|\.countersign/.test(name))).toEqual([]);
    expect(statSync(join(folder, "keys/ca.key")).mode & 0o777).toBe(0o600);
  });

  it("does not write into a directory with files", async () => {
    write("other", "");
    expect(await runCommand("init", folder)).toMatchObject({ code: 2, err: expect.stringContaining("[USAGE]") });
    expect(await editor()).toMatchObject({
      code: 2,
      err: expect.stringMatching(/\[USAGE\].*with a countersign\.yaml/),
    });
  });

  it("says where it cannot write", async (context) => {
    if (process.getuid?.() === 0) return context.skip("root may write everywhere");
    mkdirSync(join(folder, "locked"), { mode: 0o500 });
    const { code, err } = await runCommand("init", join(folder, "locked"));
    expect([code, err]).toEqual([2, expect.stringContaining("[FILE_UNREADABLE]")]);
  });
});

/** Lines in a function of hook `bpf_prog_load`, and the error of each. */
const PLANTED = {
  "if (prog.licence) return 0;": "TS2551",
  "if (prog.effects.reads_kernel_memroy) return 0;": "TS2551",
  "if (prog.type === 7) return 0;": "TS2367",
  'verify_program("platform");': "TS2554",
  'if (prog.digest === "0") return "allow";': "TS2322",
  "console.log(prog.name);": "TS2584",
};

/** The name of the type of a hook's function, by the rule of docs/policies.md. */
function typeOf(hook: string): string {
  const name = hook.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return name === "BpfMap" ? "BpfMapHook" : name;
}

describe("countersign init --editor", () => {
  it("has the user's typescript find each planted mistake at its line, and no other", { tags: ["deep"] }, async () => {
    expect((await editor()).code).toBe(0);
    const head = '/** @type {import("countersign").BpfProgLoad} */\nexport function bpf_prog_load(prog) {\n';
    const expected = Object.entries(PLANTED).map(([line, code], index) => {
      const file = `policies/planted-${index}.js`;
      const body = `  ${line}\n  return verify_program(prog, "a");\n}\n`;
      write(file, `import { verify_program } from "countersign";\n${head}${body}`);
      return `${file}:4 ${code}`;
    });
    for (const hook of HOOK_NAMES) {
      const comment = `/** @type {import("countersign").${typeOf(hook)}} */`;
      const text = `export const ${hook} = (subject, current) => (current.uid === 0 ? 0 : subject.planted);`;
      write(`policies/hook-${hook}.js`, `${comment}\n${text}\n`);
      expected.push(`policies/hook-${hook}.js:2 TS2339`);
    }
    write("policies/untyped.js", "export function bpf_map_create(map) {\n  return map.max_entrys;\n}\n");
    expected.push("policies/untyped.js:1 TS7006");
    expect(mistakes().sort()).toEqual(expected.sort());
  });

  it("names the schema of the package in the configuration's first line", async () => {
    await editor();
    const [, schema = ""] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(read("countersign.yaml")) ?? [];
    expect(read(schema)).toBe(readFileSync(own("schema/config.schema.json"), "utf8"));
  });

  it("adds only its own files to a project, and says what to change in the others", async () => {
    write("countersign.yaml", "version: 1\n");
    const first = JSON.parse((await editor("--json")).out);
    expect(first.files).toEqual(["jsconfig.json", ".countersign/countersign.d.ts", ".countersign/config.schema.json"]);
    expect(first.advice).toEqual([
      expect.stringContaining('/** @type {import("countersign").BpfProgLoad} */'),
      expect.stringContaining("# yaml-language-server: $schema=.countersign/config.schema.json"),
    ]);
    expect(read("countersign.yaml")).toBe("version: 1\n");
  });

  it("keeps settings, and writes types again that are old", async () => {
    write("countersign.yaml", "# yaml-language-server: $schema=x.json\n");
    write("tsconfig.json", "{}");
    mkdirSync(join(folder, ".countersign"));
    write(".countersign/countersign.d.ts", "old");
    const { files, advice } = JSON.parse((await editor("--json")).out);
    expect(files).toEqual([".countersign/countersign.d.ts", ".countersign/config.schema.json"]);
    expect(advice).toEqual([expect.any(String), expect.stringContaining("compilerOptions")]);
    expect(read("tsconfig.json")).toBe("{}");
    expect(read(".countersign/countersign.d.ts")).toBe(readFileSync(own("types/countersign.d.ts"), "utf8"));
  });

  it("rejects a configuration that is a directory, and a folder of copies that is a file", async () => {
    mkdirSync(join(folder, "countersign.yaml"));
    expect(await editor()).toMatchObject({ code: 2, err: expect.stringContaining("[FILE_UNREADABLE]") });
    rmSync(join(folder, "countersign.yaml"), { recursive: true });
    write("countersign.yaml", "version: 1\n");
    write(".countersign", "");
    expect(await editor()).toMatchObject({ code: 2, err: expect.stringContaining("[FILE_UNREADABLE]") });
  });
});
