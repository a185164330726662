import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach } from "vitest";
import { own } from "../../support/workplace.js";
import { DebianGuest } from "./debian-guest.js";
import type { Ran } from "./guest.js";

/**
 * Boots one guest for all tests of a group, since booting takes most of their time. `use` fills the guest and runs its
 * script, or returns the reason for which it cannot. Tests skip for that reason, or if a program of this machine is
 * missing. The result can be called within tests. `seconds`: how long `use` may take.
 */
export function bootOnce(
  programs: readonly string[],
  use: (guest: DebianGuest) => Ran | string,
  seconds = 900,
): () => Ran {
  let booted: Ran | string | undefined;
  beforeEach((context) => {
    booted ??= boot(programs, use);
    if (typeof booted === "string") context.skip(booted);
  }, seconds * 1000);
  return () => booted as Ran;
}

function boot(programs: readonly string[], use: (guest: DebianGuest) => Ran | string): Ran | string {
  for (const program of programs)
    if (spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0) return `needs ${program}`;
  const guest = DebianGuest.make();
  if (typeof guest === "string") return guest;
  try {
    return use(guest);
  } finally {
    guest.remove();
  }
}

/**
 * The configuration of a gate in a guest with one policy. A guest has no hardware's help, and each of its processors
 * stands still while the machine does other work. The policy, and tasks that the gate waits for, get the time for that.
 */
export const GUEST_CONFIGURATION = `version: 1
log: { file: /tmp/log.jsonl }
gate: { stall: 30s }
attachments: [{ policy: policy.js, limits: { timeout: 10s } }]
`;

/** What a script wrote after each line `PART name`, up to the next one. */
export function partsOf({ output }: Ran): Readonly<Record<string, string>> {
  const found = output.split(/^PART (.*)\n/m).slice(1);
  return Object.fromEntries(found.flatMap((name, at) => (at % 2 === 0 ? [[name, found[at + 1] ?? ""]] : [])));
}

/** Compiles the programs of `links/` into the guest's /lib, and a loader of them, by its name there, into /bin. */
export function addLinks(guest: DebianGuest, loader: "links" | "replace"): void {
  addObjects(guest, "links", "replaced");
  const folder = mkdtempSync(join(tmpdir(), "links-"));
  const program = join(folder, loader);
  const source = own(`test/system/guest/links/${loader}.c`);
  execFileSync("gcc", ["-O2", "-Wall", "-Werror", "-o", program, source, "-lbpf"]);
  guest.program(program, `bin/${loader}`);
  rmSync(folder, { recursive: true });
}

/** Compiles objects of `links/` into the guest's /lib. */
export function addObjects(guest: DebianGuest, ...names: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), "objects-"));
  for (const name of names) {
    const object = join(folder, `${name}.o`);
    const flags = ["-O2", "-g", "-target", "bpf", "-I/usr/include/x86_64-linux-gnu"];
    execFileSync("clang-19", [...flags, "-c", own(`test/system/guest/links/${name}.bpf.c`), "-o", object]);
    guest.file(`lib/${name}.o`, readFileSync(object));
  }
  rmSync(folder, { recursive: true });
}
