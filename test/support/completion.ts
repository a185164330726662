import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HOOK_NAMES } from "../../src/hooks/catalogue.js";
import { runCommand } from "./command-line.js";

/** What a person has typed after `countersign `, and what every shell offers for its last word, sorted. */
export const OFFERED: readonly (readonly [typed: string, offered: readonly string[]])[] = [
  ["ch", ["check"]],
  ["seal bu", ["build"]],
  ["help insp", ["inspect"]],
  ["keyring im", ["import"]],
  ["check --ho", ["--hook"]],
  ["seal build --exec", ["--executable"]],
  ["check --hook ", HOOK_NAMES],
  ["check --hook bpf_m", ["bpf_map", "bpf_map_create"]],
  ["check --config ", ["b c.yaml", "d.yml", "e.yaml", "folder"]],
  ["check --json --config e", ["e.yaml"]],
  ["check --config e.yaml --hook blob", ["blob_verify"]],
  ["check --label a=b --hook blob", ["blob_verify"]],
  ["check --as ", ["f.json", "folder"]],
  ["config upgrade ", ["b c.yaml", "d.yml", "e.yaml", "folder"]],
  ["top --log ", ["folder", "g.jsonl"]],
  ["check p", ["p.o", "p.txt"]],
  ["check --json p.o p.", ["p.o", "p.txt"]],
  ["verify --trust p", ["p.o", "p.txt"]],
  ["init ", ["folder"]],
  ["check --uid ", []],
  ["check --uid check --hook blob", ["blob_verify"]],
  ["completion ", ["bash", "fish", "zsh"]],
  ["run -- unlikely-pro", ["unlikely-program"]],
  ["run -- unlikely-program p", ["p.o", "p.txt"]],
  ["frob ", []],
];

/** A folder with files of several extensions, a program, and the completions of a shell. */
export async function completionFolder(shell: string, file: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-completion-"));
  for (const name of ["b c.yaml", "d.yml", "e.yaml", "f.json", "g.jsonl", "p.o", "p.txt"])
    writeFileSync(join(folder, name), "");
  mkdirSync(join(folder, "folder"));
  writeFileSync(join(folder, "folder/unlikely-program"), "#!/bin/sh\n", { mode: 0o755 });
  const { code, out, err } = await runCommand("completion", shell);
  if (code !== 0) throw new Error(err);
  writeFileSync(join(folder, file), out);
  return folder;
}

/** The environment of a shell that finds `unlikely-program` of that folder. */
export function completionEnv(folder: string): NodeJS.ProcessEnv {
  return { ...process.env, HOME: folder, PATH: `${join(folder, "folder")}:${process.env.PATH}`, LC_ALL: "C.UTF-8" };
}
