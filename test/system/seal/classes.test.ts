import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/config.js";
import { configuredClasses } from "../../../src/seal/classes.js";
import { type ListEntry, referenceDigest } from "../../../src/seal/list.js";
import { HASH_MAP } from "../../support/seal-list.js";
import { compiled } from "./guard/described-programs.js";
import { Loads } from "./guard/sealed-loads.js";
import { testedKernels } from "./guests/tested-kernels.js";

const CONFIGURATION = `
version: 1
attachments: []
seal:
  admit:
    - { name: device, type: cgroup_device, attach: [cgroup_device], instructions: 4 }
    - cgroup_firewall
    - { name: clock, type: cgroup_skb, helpers: [bpf_ktime_get_ns] }
    - { name: action, type: sched_act }
  mask: { types: [sched_act], helpers: [bpf_ktime_get_ns] }
`;

/** The instructions of the case `firewall`, without the fd of its map. */
const FIREWALL = [
  ...["620afcff00000000", "bfa2000000000000", "07020000fcffffff", "1811000000000000", "0000000000000000"],
  ...["8500000001000000", "b700000001000000", "9500000000000000"],
].join("");

/** The list has it with a larger map, which the class does not ask about. */
const LISTED: ListEntry = {
  digest: createHash("sha256").update(Buffer.from(FIREWALL, "hex")).digest("hex"),
  ...{ progType: 8, expectedAttachType: 0, attachBtfId: 0, progFlags: 0, gplCompatible: true },
  maps: { references: 1, digest: referenceDigest([{ map: 0, offset: 0 }]), maps: [{ ...HASH_MAP, maxEntries: 99 }] },
};

/** What each case of guard/classes.c comes to: `loaded`, or why the guard denies it with EPERM. */
const EXPECTED: Readonly<Record<string, string>> = {
  device: "loaded",
  "device, attach type": "loaded",
  "device, another attach type": "unlisted",
  "device, 4 instructions": "loaded",
  "device, 5 instructions": "unlisted",
  "device, helper": "unlisted",
  "device, map": "unlisted",
  "device, flags": "unlisted",
  "device, core_relos": "core_relos",
  "device, kfunc": "unlisted",
  "device, call by register": "unlisted",
  "device, BTF id": "unlisted",
  firewall: "loaded",
  "firewall, egress": "loaded",
  "firewall, map by its index": "loaded",
  "firewall, map of programs": "maps",
  "firewall, map of programs by its index": "maps",
  "firewall, another helper": "unlisted",
  "firewall, masked helper": "mask",
  "masked type": "mask",
  "type without a class": "unlisted",
  "type that no class has": "unlisted",
  "firewall, map of the guard": "own_object",
};

describe.for(testedKernels())("classes on %s", (kernel) => {
  it("admit programs that are of a class in every property, and the mask denies what they admit", ({ skip }) => {
    const classes = configuredClasses(parseConfig("countersign.yaml", CONFIGURATION));
    const found = compiled("classes", (file) =>
      Loads.run(kernel, file, "loader --log /lib/guard.image && classes", { entries: [LISTED], classes }),
    );
    if (typeof found === "string") return skip(found);
    const { outcomes } = found;
    expect(Object.fromEntries(Object.keys(EXPECTED).map((name) => [name, outcomes.get(name)]))).toEqual(EXPECTED);
  });
});
