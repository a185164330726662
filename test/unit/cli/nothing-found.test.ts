import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandLine } from "../../../src/cli/program.js";
import { runCommand } from "../../support/command-line.js";
import { setHeader } from "../../support/elf-patch.js";
import { example } from "../../support/examples.js";
import { switchKernel } from "../../support/switch-kernel.js";
import { own } from "../../support/workplace.js";

/** Commands fail closed: a folder in which nothing was found is an error, so that CI does not pass without files. */
let folder: string;
const at = (name: string) => join(folder, name);

const RULES = { files: "export const kernel_read_file = () => 0; export const bprm_check_security = () => 0;" };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-nothing-"));
  for (const name of ["empty", "text", "foreign", "full"]) mkdirSync(at(name));
  writeFileSync(at("text/README"), "text\n");
  // An ELF file for x86-64, in which there is no BPF
  writeFileSync(at("foreign/tool"), setHeader(example("drop-telnet"), "machine", 62));
  writeFileSync(at("full/drop-telnet.o"), example("drop-telnet"));
  writeFileSync(at("kernel.btf"), switchKernel().bytes());
  writeFileSync(at("files.js"), RULES.files);
  writeFileSync(at("c.yaml"), "version: 1\nattachments: [{ policy: files.js }]\n");
  writeFileSync(at("log.jsonl"), "");
  writeFileSync(at("key"), generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CONFIG = () => ["--config", at("c.yaml")];
const KERNEL = () => ["--btf", at("kernel.btf")];
const OUT = () => ["--out", at("out")];
const MODULES = ["--modules", own("test/unit/cli/kernel/fixtures/module.ko.xz")];

interface Row {
  /** The argument or option that takes folders, as `countersign … --help` has it. */
  readonly input: string;
  readonly words: (folder: string) => readonly string[];
  /** What of the folders has nothing that the command takes. */
  readonly without: readonly string[];
}

const ROWS: readonly Row[] = [
  {
    input: "bench path",
    words: (path) => ["bench", ...CONFIG(), "--rounds", "1", at("full"), path],
    without: ["empty", "text"],
  },
  {
    input: "list path",
    words: (path) => ["list", ...KERNEL(), ...OUT(), at("full"), path],
    without: ["empty", "text", "foreign"],
  },
  {
    input: "learn --objects",
    words: (path) => ["learn", ...CONFIG(), ...KERNEL(), ...OUT(), "--objects", path, at("log.jsonl")],
    without: ["empty", "text", "foreign"],
  },
  {
    input: "seal build path",
    words: (path) => ["seal", "build", ...MODULES, ...CONFIG(), ...KERNEL(), ...OUT(), at("full"), path],
    without: ["empty", "text", "foreign"],
  },
  {
    input: "seal build --modules",
    words: (path) => ["seal", "build", ...CONFIG(), ...KERNEL(), ...OUT(), "--modules", path],
    without: ["empty", "text", "foreign"],
  },
  {
    input: "seal build --executable",
    words: (path) => ["seal", "build", ...MODULES, ...CONFIG(), ...KERNEL(), ...OUT(), "--executable", path],
    without: ["empty"],
  },
  {
    input: "seal test --modules",
    words: (path) => ["seal", "test", "--modules", path],
    without: ["empty", "text", "foreign"],
  },
  {
    input: "scan --known",
    words: (path) => ["scan", "--known", path],
    // an executable can have BPF objects in it
    without: ["empty", "text"],
  },
  {
    input: "seal plan path",
    words: (path) => ["seal", "plan", ...CONFIG(), ...KERNEL(), path],
    without: ["empty", "text", "foreign"],
  },
];

/** Folders that are written, or whose files the command needs only if something else asks for them. */
const OTHER_FOLDERS = [
  "learn --out",
  "learn --root",
  "log --objects",
  "prove witness --out",
  "replay --objects",
  "seal build --out",
  "seal build --root",
  "seal plan --root",
  "seal doctor --lists",
  "sign --out",
];

/** The arguments and options of a command and of those below it that are said to take folders. */
function foldersOf(command: Command, path: string): string[] {
  const own = [
    ...command.registeredArguments.map((one) => [one.name(), one.description] as const),
    ...command.options.map(({ long, flags, description }) => [long ?? "", `${flags} ${description}`] as const),
  ];
  const taking = own.filter(([, text]) => /\bfolders?\b|<(?:dir|folder)>/i.test(text));
  return [
    ...taking.map(([name]) => `${path} ${name}`.trim()),
    ...command.commands.flatMap((one) => foldersOf(one, `${path} ${one.name()}`.trim())),
  ];
}

describe("a folder in which nothing is found", () => {
  it("is tried with every argument and option that takes folders", async () => {
    const known = [...ROWS.map(({ input }) => input), ...OTHER_FOLDERS];
    expect(foldersOf(await commandLine(null), "").sort()).toEqual(known.sort());
  });

  const cases = ROWS.flatMap(({ input, words, without }) => without.map((name) => [input, name, words] as const));
  it.each(cases)("is an error of `%s` (%s)", async (_, name, words) => {
    const { code, out, err } = await runCommand(...words(at(name)));
    expect({ code, out, err }).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("[NOTHING_FOUND]; name"),
    });
    expect(err).toContain(`countersign: ${at(name)}: there is no `);
    expect(existsSync(at("out"))).toBe(false);
  });

  it("is no error if an object in it cannot be read, which is one itself", async () => {
    mkdirSync(at("broken"));
    writeFileSync(at("broken/broken.o"), example("drop-telnet").subarray(0, 500));
    const { code, err } = await runCommand("list", ...KERNEL(), at("broken"));
    expect(code).toBe(2);
    expect(err).toContain("[ELF_MALFORMED]");
    expect(err).not.toContain("[NOTHING_FOUND]");
  });
});

it("`sign` fails for a file in which there is nothing to sign", async () => {
  writeFileSync(at("legacy.o"), example("legacy-count"));
  const words = ["--key", at("key"), "--type", "sshsig", "--programs", "--out", at("signatures"), at("legacy.o")];
  const { code, out, err } = await runCommand("sign", ...words);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(/\[STATEMENT_NOT_MADE\][\s\S]*legacy\.o: there is no program in it .* \[NOTHING_FOUND\]/);
});
