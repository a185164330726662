import { describe, expect, it } from "vitest";
import {
  matchesAlias,
  moduleName,
  modulesOfFiles,
  normalizedAlias,
} from "../../../../../src/cli/kernel/modules/module-alias.js";

describe("a pattern of modules.alias", () => {
  it.each([
    ["pci:v00008086d0000100Esv*sd*bc*sc*i*", "pci:v00008086d0000100Esv00001AF4sd00001100bc02sc00i00", true],
    ["pci:v00008086d0000100Esv*sd*bc*sc*i*", "pci:v00008086d0000100Fsv00001AF4sd00001100bc02sc00i00", false],
    ["usb:v13FDp3940d0[0-2]*dc*", "usb:v13FDp3940d01FFdc00", true],
    ["usb:v13FDp3940d0[0-2]*dc*", "usb:v13FDp3940d0300dc00", false],
    ["a[!0-2]c", "axc", true],
    ["a[!0-2]c", "a1c", false],
    ["a[]x]c", "a]c", true],
    ["a[xyz-]c", "a-c", true],
    ["a[bc", "a[bc", true],
    ["cpu:type:x86,ven*fam*mod*:feature:*0099*", "cpu:type:x86,ven0000fam0006mod00A7:feature:,0098,0099,009A", true],
    ["fs-?fs", "fs-xfs", true],
    ["*", "", true],
    ["", "", true],
    ["?", "", false],
    ["a*b*c", "aXbYbZc", true],
    ["a*b*c", "aXbYbZ", false],
  ])("%s and %s: %s", (pattern, alias, matches) => {
    expect(matchesAlias(pattern, alias)).toBe(matches);
  });

  it("is compared in time proportional to both lengths", () => {
    const pattern = `${"*a".repeat(2000)}b`;
    expect(matchesAlias(pattern, "a".repeat(20_000))).toBe(false);
  });

  it("is compared with `_` for `-`, but for those in brackets", () => {
    expect(normalizedAlias("platform:a-b[0-9]-c")).toBe("platform:a_b[0-9]_c");
  });
});

describe("names of modules", () => {
  it("are those of the kernel", () => {
    expect(moduleName("snd-hda-intel")).toBe("snd_hda_intel");
    const files = ["kernel/fs/ext4/ext4.ko", "a/nf-tables.ko.xz", "b.ko.zst", "c.ko.gz", "d.ko.bz2", "modules.dep"];
    expect(modulesOfFiles(files)).toEqual(["ext4", "nf_tables", "b", "c"]);
  });
});
