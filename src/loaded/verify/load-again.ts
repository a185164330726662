import { LD_SRC } from "../../bpf/insn/insn.js";
import { openObject } from "../../sys/bpf.js";
import { dieWithParent, loadProgram } from "../../sys/program-load.js";
import { translatedOf } from "../code/program-parts.js";
import { Opened } from "../reads/opened.js";
import { type LoadAgain, type LoadedAgain, NAME } from "./load.js";

/**
 * The process that loads programs again for another one, which asks by messages. It closes each program at once, never
 * attaches, pins or runs it, and ends with the process that asks: the kernel kills it, also within a load.
 */
export function serveLoads(): void {
  process.on("disconnect", () => process.exit(0));
  if (dieWithParent() < 0 || process.send === undefined || !process.connected) process.exit(2);
  process.on("message", (load) => process.send?.(loadedAgain(load as LoadAgain)));
  process.send("ready");
}

function loadedAgain(load: LoadAgain): LoadedAgain {
  const opened: Opened[] = [];
  const open = (kind: "map" | "btf", id: number) => {
    const object = new Opened(() => openObject(kind, id));
    opened.push(object);
    return object.use((fd) => fd);
  };
  try {
    const fds = new Map<number, number>();
    for (const { map } of load.references) if (!fds.has(map)) fds.set(map, open("map", map));
    const refused = [...fds.values()].find((fd) => fd < 0);
    if (refused !== undefined) return { translated: refused, failed: "open its maps" };
    const btf = load.functions === null ? 0 : open("btf", load.functions.btf);
    if (btf < 0) return { translated: btf, failed: "open its BTF" };
    const functions = load.functions === null ? null : { btf, records: load.functions.records };
    const program = new Opened(() => loadProgram({ ...load, name: NAME, insns: withMaps(load, fds), functions }));
    opened.push(program);
    let failed = "load it";
    const translated = program.use((fd) => {
      failed = "read its instructions";
      return translatedOf(fd);
    });
    return { translated, failed: typeof translated === "number" ? failed : "" };
  } finally {
    for (const object of opened.reverse()) object.close();
  }
}

function withMaps({ insns, references }: LoadAgain, fds: ReadonlyMap<number, number>): Uint8Array {
  const bytes = Buffer.from(insns);
  for (const { slot, map, offset } of references) {
    const destination = bytes[slot * 8 + 1]! & 15;
    bytes[slot * 8 + 1] = destination | ((offset === null ? LD_SRC.MAP_FD : LD_SRC.MAP_VALUE) << 4);
    bytes.writeInt32LE(fds.get(map)!, slot * 8 + 4);
    bytes.writeInt32LE(offset ?? 0, slot * 8 + 12);
  }
  return bytes;
}
