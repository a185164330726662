import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ATTACK_MODULES, attackModules } from "../../../../src/seal/attacks/attack-modules.js";

describe("the modules of attacks", () => {
  it("are found in the folders of a kernel's modules, and no others", () => {
    const folder = mkdtempSync(join(tmpdir(), "attack-modules-"));
    try {
      mkdirSync(join(folder, "kernel/drivers/net"), { recursive: true });
      for (const name of ["kernel/drivers/net/dummy.ko", "kernel/drivers/net/veth.ko", "kernel/dummy.ko.md5", "msr.ko"])
        writeFileSync(join(folder, name), name);
      const found = attackModules(folder);
      expect([...found.keys()].toSorted()).toEqual(["dummy", "msr"]);
      expect(Buffer.from(found.get("dummy")!).toString()).toBe("kernel/drivers/net/dummy.ko");
      for (const name of found.keys()) expect(ATTACK_MODULES).toContain(name);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("are none if there is no folder", () => {
    expect(attackModules(null).size).toBe(0);
    expect(attackModules("/nonexistent/modules").size).toBe(0);
  });
});
