// @module-tag deep
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runCommand } from "../support/command-line.js";
import { Workplace } from "../support/workplace.js";

const place = new Workplace("  - policy: policies/limit.js");
const LIMIT = 'import { deny } from "countersign";\nexport const bpf_prog_load = (prog) => {\n';
place.write("policies/limit.js", `${LIMIT}  return prog.insn_cnt > 9 ? deny("large") : 0;\n};\n`);
place.write("other/policies/limit.js", `${LIMIT}  return prog.insn_cnt > 8 ? deny("large") : 0;\n};\n`);
const other = place.write("other/countersign.yaml", "version: 1\nattachments: [{ policy: policies/limit.js }]\n");
const properties = place.write(
  "properties.js",
  "export const p = (prog, _, { verdict }) => verdict <= prog.insn_cnt;\n",
);
const certificate = place.at("limit.cert.json");
mkdirSync(place.at("folder"));
place.write("empty", "");
place.write("binary", Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0xff, 0xfe, 0]));
place.write("other.json", '{ "a": 1 }\n');

/** Commands that explore a configuration, which is the last word. */
const EXPLORERS: readonly (readonly string[])[] = [
  ["table"],
  ["property", properties, "--config"],
  ["property", "--config"],
  ["compare", other],
  ["dead"],
  ["witness", "--row", "1", "--out", place.at("none")],
];

/** Every command, with a configuration in each place where one is taken. */
const COMMANDS: readonly (readonly [name: string, words: (config: string) => readonly string[]])[] = [
  ...EXPLORERS.map((words) => [words[0]!, (config: string) => [...words, config]] as const),
  ["compare, the old one", (config) => ["compare", config, other]],
  ["witness --compare", (config) => ["witness", "--compare", config, "--out", place.at("none"), other]],
  ["check", (config) => ["check", certificate, config]],
];

const BAD: readonly (readonly [what: string, file: string, error: RegExp])[] = [
  ["missing", "missing", /: cannot be read: ENOENT \[FILE_UNREADABLE\]; name a configuration on the command line/],
  ["a folder", "folder", /: is not a regular file \[FILE_UNREADABLE\]; name a configuration on the command line/],
  ["binary", "binary", /: is not UTF-8 text \[FILE_UNREADABLE\]; name a configuration on the command line/],
  ["empty", "empty", /:1:1: is empty \[CONFIG_INVALID\]; /],
  ["JSON of something else", "other.json", /:1:\d+: unknown key `a` .*\[CONFIG_INVALID\]; /],
];

/** What is wrong, of a command that says so on stderr, in one line for each error, and writes nothing. */
async function complaint(...words: readonly string[]): Promise<string> {
  const before = filesIn(place.folder);
  const { code, out, err } = await runCommand("prove", ...words);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(/^(?:countersign: [^\n]+ \[[A-Z_]+\]; [^\n]+\n)+$/);
  expect(filesIn(place.folder)).toEqual(before);
  return err;
}

const filesIn = (folder: string) => readdirSync(folder, { recursive: true }).sort();

describe("a configuration of a prove command", () => {
  it.each(COMMANDS.flatMap(([name, words]) => BAD.map((bad) => [name, ...bad, words] as const)))(
    "%s: %s",
    async (_, __, file, error, words) => {
      const made = await runCommand("prove", "table", "--certificate", certificate, other);
      expect(made.err).toBe("");
      expect(await complaint(...words(place.at(file)))).toMatch(error);
    },
  );
});

describe("a file that a prove command reads", () => {
  it.each(BAD.map(([what, file]) => [what, file]))("is rejected as properties: %s", async (_, file) => {
    const path = place.at(file);
    expect(await complaint("property", path, "--config", place.config)).toContain(`countersign: ${path}:`);
    const words = ["--property", "p", "--properties", path, "--out", place.at("none"), place.config];
    expect(await complaint("witness", ...words)).toContain(`countersign: ${path}:`);
  });

  it.each(BAD.map(([what, file]) => [what, file]))("is rejected as a certificate: %s", async (_, file) => {
    const { code, out, err } = await runCommand("prove", "check", place.at(file), place.config);
    expect(out).toBe("");
    expect(err).toMatch(/^countersign: [^\n]+\n$/);
    expect(err).toContain(`countersign: ${place.at(file)}: `);
    expect([code, err]).toEqual(
      err.includes("[PROOF_MALFORMED]") ? [1, expect.any(String)] : [2, expect.stringContaining("[FILE_UNREADABLE]")],
    );
  });
});

describe("a certificate of properties", () => {
  it("is rejected without their file, which the remedy asks for", async () => {
    const made = place.at("p.cert.json");
    const words = ["property", properties, "--config", place.config, "--certificate", made];
    expect(await runCommand("prove", ...words)).toMatchObject({ err: "" });
    const { code, err } = await runCommand("prove", "check", made, place.config);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/\[PROOF_OUTDATED\]; name the file that has `p` with --prop/),
    ]);
    const checked = await runCommand("prove", "check", made, place.config, "--properties", properties);
    expect(checked).toMatchObject({ code: 0, err: "" });
  });
});

describe("a file that a prove command writes", () => {
  it.each(
    ["--html", "--certificate"].flatMap((option) =>
      [
        ["folder", /: is not a regular file \[FILE_UNREADABLE\]; name a file/],
        ["empty/in/a/file", /: cannot be written: ENOTDIR \[FILE_UNREADABLE\]; /],
        ["folder/", /\[FILE_UNREADABLE\]; /],
      ].map(([path, error]) => [option, path as string, error as RegExp] as const),
    ),
  )("%s %s", async (option, path, error) => {
    expect(await complaint("table", option, `${place.folder}/${path}`, place.config)).toMatch(error);
  });

  it.each(["--html", "--certificate"])("%s with an empty name", async (option) => {
    expect(await complaint("table", option, "", place.config)).toContain("is empty [USAGE]; name a file");
  });

  it.each(["--html", "--certificate"])("%s /dev/full", async (option) => {
    if (!existsSync("/dev/full")) return;
    expect(await complaint("table", option, "/dev/full", place.config)).toContain("[FILE_UNREADABLE]");
  });
});

describe("a limit that an exploration reaches", () => {
  const explorers = EXPLORERS.filter(([name]) => name !== "witness");

  it.each(explorers.map((words) => [words[0]!, words] as const))("is named with its option: %s", async (_, words) => {
    const { code, out } = await runCommand("prove", ...words, place.config, "--max-paths", "1");
    expect([code, out]).toEqual([2, expect.stringContaining("more paths than 1 (raise --max-paths)")]);
  });

  it("is named with its option if no certificate can be made", async () => {
    const words = ["--certificate", place.at("none.json"), "--max-paths", "1", place.config];
    expect(await complaint("table", ...words)).toMatch(/more paths than 1 \[PROOF_UNSUPPORTED\]; raise --max-paths$/m);
  });
});

describe("a configuration without attachments", () => {
  const none = place.write("none.yaml", "version: 1\nattachments: []\n");

  it.each([
    [["table"], 0, /^no tables: the configuration has no attachments$/m],
    [["property", "--config"], 0, /^nothing to prove: /],
    [["dead"], 0, /^no dead code$/m],
    [["compare", none], 0, /^equal: neither configuration has an attachment/],
    [["table", "--certificate", place.at("none.json")], 2, /none\.yaml: has no attachments to certify \[USAGE\]/],
    [["table", "--attachment", "a"], 2, /there is no attachment `a` \[USAGE\]; leave the name out: there are none$/m],
  ] as const)("%j", async (words, code, message) => {
    const { out, err, ...ended } = await runCommand("prove", ...words, none);
    expect([ended.code, out + err]).toEqual([code, expect.stringMatching(message)]);
  });
});
