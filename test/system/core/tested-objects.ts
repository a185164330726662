import { embeddedObjects, type InstalledObject, objectFiles } from "../../support/real-objects.js";
import { ownObjects } from "./own-objects.js";

/**
 * Every distinct object of libbpf-tools, of xdp-tools and of objects/; or what this machine lacks for them.
 */
export function testedObjects(): readonly InstalledObject[] | string {
  const own = ownObjects();
  if (typeof own === "string") return own;
  try {
    const installed = [
      ...embeddedObjects("libbpf-tools"),
      ...objectFiles("xdp-tools", "libxdp1"),
      ...embeddedObjects("xdp-tools"),
    ];
    return distinct([...installed, ...own]);
  } catch {
    return "needs Debian's libbpf-tools, xdp-tools and libxdp1";
  }
}

function distinct(objects: readonly InstalledObject[]): InstalledObject[] {
  const byContents = new Map(
    objects.toReversed().map((object) => [Buffer.from(object.bytes).toString("latin1"), object]),
  );
  return objects.filter((object) => [...byContents.values()].includes(object));
}
