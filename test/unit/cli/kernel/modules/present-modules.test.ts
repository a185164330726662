import { describe, expect, it } from "vitest";
import { ModuleIndex } from "../../../../../src/cli/kernel/modules/module-index.js";
import { MODULE_SETS, SET_NAMES } from "../../../../../src/cli/kernel/modules/module-sets.js";
import { neededModules, presentModules } from "../../../../../src/cli/kernel/modules/present-modules.js";
import { DEPMOD } from "../../../../support/module-tree.js";

const text = (name: keyof typeof DEPMOD) => DEPMOD[name].join("\n");
const index = new ModuleIndex({
  dep: text("modules.dep"),
  alias: text("modules.alias"),
  softdep: text("modules.softdep"),
  weakdep: text("modules.weakdep"),
  builtin: text("modules.builtin"),
});
const NOTHING = { loaded: null, initramfs: null, devices: null };
const present = (machine: object, sets: readonly string[] = []) => {
  const { modules, absent } = presentModules(index, { ...NOTHING, ...machine }, sets);
  const why: Record<string, unknown> = Object.fromEntries(modules.map((module) => [module.name, module.why]));
  return absent.length === 0 ? why : { ...why, absent };
};

describe("the modules that a machine needs", () => {
  it("are those that are loaded, with dependencies, and soft dependencies by an alias", () => {
    expect(present({ loaded: ["ext4"] })).toEqual({
      ext4: "loaded",
      jbd2: "with ext4",
      libcrc32c: "with ext4",
      crc32c_generic: "with ext4",
      crc32c_intel: "with ext4",
    });
  });

  it("are those in the initramfs, with weak dependencies, and `post:` ones", () => {
    expect(present({ initramfs: ["nvme", "overlay"] })).toEqual({
      nvme: "in the initramfs",
      sch_ingress: "with nvme",
      overlay: "in the initramfs",
      usbhid: "with overlay",
    });
  });

  it("are those whose alias matches a device", () => {
    const devices = [
      "pci:v0000144Dd0000A80Asv0000144Dsd0000A801bc01sc08i02",
      "virtio:d00000001v00001AF4",
      "platform:leds_of-device",
      "acpi:LNXSYSTM:",
    ];
    expect(present({ devices })).toEqual({
      nvme: "device pci:v0000144Dd0000A80Asv0000144Dsd0000A8…",
      sch_ingress: "with nvme",
      virtio_net: "device virtio:d00000001v00001AF4",
      failover: "with virtio_net",
      leds_of_device: "device platform:leds_of-device",
    });
  });

  it.each([
    ["filesystems", ["ext4", "jbd2", "overlay"]],
    ["firewall", ["nf_tables"]],
    ["containers", ["overlay"]],
    ["tc", ["sch_ingress"]],
    ["usb", ["usbhid"]],
  ])("are those of the set %s", (set, names) => {
    const found = Object.entries(present({}, [set])).filter(([, why]) => why === `set ${set}`);
    expect(found.map(([name]) => name)).toEqual(names);
  });

  it("has a case above for each set, and no module twice in one", () => {
    expect(SET_NAMES).toEqual(["filesystems", "firewall", "containers", "tc", "usb"]);
    for (const { modules } of MODULE_SETS) expect(new Set(modules).size).toBe(modules.length);
  });

  it("leaves out what the image has built in, and names what the kernel lacks", () => {
    expect(present({ loaded: ["fuse", "gone-away"], initramfs: ["lost"] })).toEqual({ absent: ["gone_away", "lost"] });
  });
});

describe("modules that are named", () => {
  it("can be written with `-`, and bring what modprobe loads with them", () => {
    const { modules } = neededModules(index, [
      { name: "crc32c-intel", why: "" },
      { name: "nf-tables", why: "mine" },
    ]);
    expect(modules).toEqual([
      { name: "crc32c_intel", why: "" },
      { name: "libcrc32c", why: "with nf_tables" },
      { name: "nf_tables", why: "mine" },
    ]);
  });
});
