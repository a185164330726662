import { readFileSync } from "node:fs";
import { components, type Raw, type Reads } from "../reads/reads.js";
import { fileRead, fileResult, namesRead, textOf, textRead } from "../reads/values.js";
import { btfIds, btfName } from "../views/btf-objects.js";
import type { Sight } from "./hidden-object.js";
import { tracingFile } from "./tracing-file.js";

/** The names of loaded modules, by the way that shows them; null for one that cannot be read. */
export type ModuleSights = Readonly<
  Record<Extract<Sight, "modules" | "sysfs" | "btf" | "btf_ids" | "traceable" | "symbols">, readonly string[] | null>
>;

export function moduleSights(reads: Reads): ModuleSights {
  return {
    symbols: lines(namesIn(reads, "/proc/kallsyms")),
    traceable: lines(tracingFile(reads, "available_filter_functions", namesIn)),
    btf: folders(reads, "/sys/kernel/btf"),
    btf_ids: modulesAmong(btfIds(reads).flatMap((id) => btfName(reads, id) || [])),
    sysfs: inSysfs(reads),
    modules: lines(fileRead(reads, "/proc/modules")),
  };
}

/** Not names of modules: parts of the kernel that make code. */
const NO_MODULES = new Set(["bpf", "vmlinux", "__builtin__ftrace", "__builtin__kprobes"]);

/** Ends a line of a symbol or function that belongs to a module. */
const OF_MODULE = /[ \t]\[(\S+)\]$/gm;

/** The names of the modules that lines of a large file end with, each once in a line, without the rest of the file. */
function namesIn(reads: Reads, path: string): Raw {
  return reads.bytes(`@kernel/modules-in/${components(path)}`, () =>
    fileResult(() => {
      const found = new Set(Array.from(readFileSync(path, "latin1").matchAll(OF_MODULE), ([, name]) => name!));
      return Buffer.from([...found].map((name) => `${name}\n`).join(""), "latin1");
    }),
  );
}

/** The first word of each line; null for an errno. */
function lines(raw: Raw): readonly string[] | null {
  const text = textOf(raw, "latin1");
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
