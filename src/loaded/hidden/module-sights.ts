import { components, type Raw, type Reads } from "../reads/reads.js";
import { fileRead, fileResult, namesRead, textOf, textRead } from "../reads/values.js";
import { wholeFile } from "../reads/whole-file.js";
import { btfIds, btfName } from "../views/btf-objects.js";
import type { Sight } from "./hidden-object.js";
import { tracingFile } from "./tracing-file.js";

/** The names of loaded modules, by the way that shows them; null for one that cannot be read. */
export type ModuleSights = Readonly<
  Record<Extract<Sight, "modules" | "sysfs" | "btf" | "btf_ids" | "traceable" | "symbols">, readonly string[] | null>
>;

/** `kallsyms` is the text of /proc/kallsyms, or a negative errno. */
export function moduleSights(reads: Reads, kallsyms: () => Raw): ModuleSights {
  return {
    symbols: lines(namesIn(reads, "/proc/kallsyms", kallsyms)),
    traceable: lines(tracingFile(reads, "available_filter_functions", namesInFile)),
    btf: folders(reads, "/sys/kernel/btf"),
    btf_ids: modulesAmong(btfIds(reads).flatMap((id) => btfName(reads, id) || [])),
    sysfs: inSysfs(reads),
    modules: lines(fileRead(reads, "/proc/modules")),
  };
}

/** Not names of modules: parts of the kernel that make code. */
const NO_MODULES = new Set(["bpf", "vmlinux", "__builtin__ftrace", "__builtin__kprobes"]);

const namesInFile = (reads: Reads, path: string) => namesIn(reads, path, () => fileResult(() => wholeFile(path)));

/** The names of the modules that lines of a large file end with, each once in a line, without the rest of the file. */
function namesIn(reads: Reads, path: string, read: () => Raw): Raw {
  return reads.bytes(`@kernel/modules-in/${components(path)}`, () => {
    const text = read();
    if (typeof text === "number") return text;
    return Buffer.from([...modulesOfLines(text)].map((name) => `${name}\n`).join(""), "latin1");
  });
}

const [NEWLINE, OPENED, CLOSED, SPACE, TAB] = [0x0a, 0x5b, 0x5d, 0x20, 0x09];

/** What lines have in brackets at their ends, after a space or tab. Most lines follow one with the same name. */
function modulesOfLines(text: Uint8Array): ReadonlySet<string> {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  const names = new Set<string>();
  let last: Buffer = Buffer.alloc(0);
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, end + 1)) {
    if (bytes[end - 1] !== CLOSED) continue;
    const start = bytes.lastIndexOf(OPENED, end - 1) + 1;
    if (bytes[start - 2] !== SPACE && bytes[start - 2] !== TAB) continue;
    const name = bytes.subarray(start, end - 1);
    if (name.equals(last)) continue;
    last = name;
    if (/^\S+$/.test(name.toString("latin1"))) names.add(name.toString("latin1"));
  }
  return names;
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
