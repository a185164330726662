import { readFileSync } from "node:fs";
import { components, type Reads } from "../reads/reads.js";
import { fileResult, namesRead, textOf, textRead } from "../reads/values.js";
import { btfIds, btfName } from "../views/btf-objects.js";
import type { Sight } from "./hidden-object.js";

/** The names of loaded modules, by the way that shows them; null for one that cannot be read. */
export type ModuleSights = Readonly<
  Record<Extract<Sight, "modules" | "sysfs" | "btf" | "btf_ids" | "traceable" | "symbols">, readonly string[] | null>
>;

export function moduleSights(reads: Reads): ModuleSights {
  return {
    symbols: modulesIn(reads, "/proc/kallsyms", /\t\[(\S+)\]$/gm),
    traceable:
      modulesIn(reads, "/sys/kernel/tracing/available_filter_functions", / \[(\S+)\]$/gm) ??
      modulesIn(reads, "/sys/kernel/debug/tracing/available_filter_functions", / \[(\S+)\]$/gm),
    btf: folders(reads, "/sys/kernel/btf"),
    btf_ids: modulesAmong(btfIds(reads).flatMap((id) => btfName(reads, id) || [])),
    sysfs: inSysfs(reads),
    modules: lines(textRead(reads, "/proc/modules", "latin1")),
  };
}

/** Not names of modules: parts of the kernel that make code. */
const NO_MODULES = new Set(["bpf", "vmlinux", "__builtin__ftrace", "__builtin__kprobes"]);

/** The names of modules in a large file, without the rest of it. */
function modulesIn(reads: Reads, path: string, pattern: RegExp): readonly string[] | null {
  const raw = reads.bytes(`@kernel/modules-in/${components(path)}`, () =>
    fileResult(() => {
      const found = new Set(Array.from(readFileSync(path, "latin1").matchAll(pattern), ([, name]) => name!));
      return Buffer.from([...found].map((name) => `${name}\n`).join(""), "latin1");
    }),
  );
  const text = textOf(raw, "latin1");
  return text === null ? null : modulesAmong(text.split("\n").slice(0, -1));
}

/** The first word of each line. */
function lines(text: string | null): readonly string[] | null {
  return text === null ? null : modulesAmong(text.split("\n").flatMap((line) => line.split(" ")[0] || []));
}

function folders(reads: Reads, path: string): readonly string[] | null {
  const names = namesRead(reads, path);
  return typeof names === "number" ? null : modulesAmong(names.map(({ name }) => name));
}

/** A module that can be unloaded has a state; parts of the kernel with parameters have none. */
function inSysfs(reads: Reads): readonly string[] | null {
  const names = folders(reads, "/sys/module");
  return names?.filter((name) => textRead(reads, `/sys/module/${name}/initstate`) !== null) ?? null;
}

const modulesAmong = (names: readonly string[]) => names.filter((name) => !NO_MODULES.has(name));
