import type { Reads } from "../reads/reads.js";
import { namesRead, textRead } from "../reads/values.js";

/**
 * The taints of the kernel that modules cause, by their bits, with the letter that /sys/module/NAME/taint has
 * (Documentation/admin-guide/tainted-kernels.rst). A module that was loaded by force taints by F.
 */
const OF_MODULES: readonly (readonly [bit: number, letter: string])[] = [
  [0, "P"],
  [1, "F"],
  [10, "C"],
  [12, "O"],
  [13, "E"],
  [15, "K"],
  [18, "N"],
];

/**
 * The letters of the taints that a module has caused and that no module of /sys/module has, such as `OE`; empty if
 * there are none. A taint stays when its module goes, so that it proves nothing.
 */
export function unexplainedTaints(reads: Reads): string {
  const taints = Number(textRead(reads, "/proc/sys/kernel/tainted")?.trim() ?? 0);
  if (!Number.isSafeInteger(taints) || taints === 0) return "";
  const caused = OF_MODULES.filter(([bit]) => Math.floor(taints / 2 ** bit) % 2 === 1);
  if (caused.length === 0) return "";
  const modules = namesRead(reads, "/sys/module");
  const names = typeof modules === "number" ? [] : modules.map(({ name }) => name);
  const explained = names.map((name) => textRead(reads, `/sys/module/${name}/taint`) ?? "").join("");
  return caused
    .map(([, letter]) => letter)
    .filter((letter) => !explained.includes(letter))
    .join("");
}
