import { ERRNO } from "../../errno.js";
import { nextObjectId, openObject } from "../../sys/bpf.js";
import { btfReport } from "../../sys/btf.js";
import { objectName } from "../reads/object-results.js";
import { Opened } from "../reads/opened.js";
import type { Raw, Reads } from "../reads/reads.js";
import { numbersRead, textOf } from "../reads/values.js";

/** The ids of BTF objects: that of the kernel is the first, then those of modules and programs. */
export function btfIds(reads: Reads): readonly number[] {
  const ids = numbersRead(reads, "@bpf/btf/ids", () => {
    const found: number[] = [];
    let id = nextObjectId("btf", 0);
    for (; id > 0; id = nextObjectId("btf", id)) found.push(id);
    return id === -ERRNO.ENOENT ? found : id;
  });
  return typeof ids === "number" ? [] : ids;
}

/** `vmlinux`, or the name of a module; empty for BTF that a task loaded; null if it is gone. */
export function btfName(reads: Reads, id: number): string | null {
  return textOf(reads.bytes(`${objectName("btf", id)}/name`, () => nameOf(id)));
}

function nameOf(id: number): Raw {
  const object = new Opened(() => openObject("btf", id));
  const report = object.use(btfReport);
  object.close();
  return typeof report === "number" ? report : Buffer.from(report.ofKernel ? report.name : "");
}
