import { readlinkSync } from "node:fs";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { Attached, type Line, needsScan, scanned } from "./scan-site.js";

const attached = new Attached();

beforeEach(async (context) => {
  needsScan(context, "gcc", "unshare");
  await attached.start();
});
afterAll(() => attached.stop());

describe("the references of scan", () => {
  const referencesOf = (name: string) => {
    const { lines } = scanned();
    return lines.find((line: Line) => line.kind === "program" && line.id === attached.ids.get(name))?.references;
  };

  it("has the processes that have descriptors of a program", () => {
    const { pid } = attached;
    const process = { by: "process", pid, descriptors: 1, exe: readlinkSync(`/proc/${pid}/exe`) };
    expect(referencesOf("scan_held")).toEqual([expect.objectContaining(process)]);
    const { lines } = scanned();
    const map = lines.find((line: Line) => line.kind === "map" && line.name === "scan_map" && isOf(line, pid));
    expect(map.references).toEqual([
      expect.objectContaining(process),
      { by: "program", id: attached.ids.get("scan_held") },
    ]);
  });

  it("has the pins of another mount namespace, where no process has a descriptor", () => {
    const namespace = Number(/\d+/.exec(readlinkSync(`/proc/${attached.pid}/ns/mnt`))?.[0]);
    const path = `${attached.pins}/scan_pinned`;
    expect(referencesOf("scan_pinned")).toEqual([{ by: "pin", path, mount_namespace: namespace }]);
  });

  it("has the links of a program, and the process that holds a link", () => {
    const { lines } = scanned();
    const link = lines.find((line: Line) => line.kind === "link" && line.program === attached.ids.get("scan_raw"));
    expect(link.references).toEqual([expect.objectContaining({ by: "process", pid: attached.pid, descriptors: 1 })]);
    expect(referencesOf("scan_raw")).toContainEqual({ by: "link", id: link.id });
  });
});

function isOf({ references }: Line, pid: number): boolean {
  return references.some((reference: Line) => reference.pid === pid);
}
