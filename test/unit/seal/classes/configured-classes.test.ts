import { describe, expect, it } from "vitest";
import { HELPERS, PROGRAM_TYPES } from "../../../../src/bpf/tables/names.gen.js";
import { parseConfig } from "../../../../src/config/config.js";
import { EXCLUDED_HELPERS, EXCLUDED_TYPES } from "../../../../src/seal/classes/excluded.js";
import { configuredClasses, KNOWN_CLASSES } from "../../../../src/seal/classes.js";
import { rejection } from "../../../support/rejection.js";

const classesOf = (seal: string) =>
  configuredClasses(parseConfig("c.yaml", `version: 1\nattachments: []\nseal: { ${seal} }\n`));

describe("the classes of a configuration", () => {
  it("are none unless it names some", () => {
    const config = parseConfig("c.yaml", "version: 1\nattachments: []\n");
    expect(configuredClasses(config)).toEqual({ admit: [], mask: { types: [], helpers: [] } });
  });

  it("have the kernel's numbers, and admit loads that name no attach type", () => {
    const { admit, mask } = classesOf(
      "admit: [cgroup_device, { name: own, type: cgroup_skb, attach: [cgroup_inet_egress], " +
        "helpers: [bpf_map_lookup_elem], maps: [lpm_trie], instructions: 9 }], " +
        "mask: { types: [kprobe], helpers: [bpf_probe_write_user] }",
    );
    expect(admit).toEqual([
      { name: "cgroup_device", type: 15, attachTypes: [0, 6], helpers: [], mapTypes: [], instructions: 4096, maps: 0 },
      { name: "own", type: 8, attachTypes: [0, 1], helpers: [1], mapTypes: [11], instructions: 9, maps: 64 },
    ]);
    expect(mask).toEqual({ types: [2], helpers: [36] });
  });

  it.each(Object.keys(KNOWN_CLASSES))("can have the named class %s", (name) => {
    expect(classesOf(`admit: [${name}]`).admit.map((row) => row.name)).toEqual(KNOWN_CLASSES[name]!.map(() => name));
  });

  it.each(Object.keys(EXCLUDED_TYPES))("exclude the type %s", (type) => {
    expect(PROGRAM_TYPES).toContain(type);
    expect(rejection(() => classesOf(`admit: [{ name: own, type: ${type} }]`))).toMatchObject({
      code: "SEAL_CLASS_EXCLUDED",
      place: "c.yaml:3:17",
      message: expect.stringContaining(`\`${type}\``),
    });
  });

  it.each([4, 36, 45, 58, 112, 113, 114, 115, 166, 167, 168, 187])("exclude the helper %d", (number) => {
    expect([...EXCLUDED_HELPERS.keys()]).toContain(number);
    const text = `admit: [{ name: own, type: cgroup_skb, helpers: [${HELPERS[number]}] }]`;
    expect(rejection(() => classesOf(text))).toMatchObject({ code: "SEAL_CLASS_EXCLUDED" });
  });

  it("exclude maps that hold more than bytes", () => {
    const text = "admit: [{ name: own, type: cgroup_skb, maps: [hash, prog_array] }]";
    expect(rejection(() => classesOf(text))).toMatchObject({
      code: "SEAL_CLASS_EXCLUDED",
      message: "no class admits `prog_array` maps: they hold more than bytes",
    });
  });

  it.each([
    ["an unknown class", "admit: [cgroup_devices]", /no class `cgroup_devices` \(did you mean `cgroup_device`\?\)/],
    ["an unknown type", "admit: [{ name: own, type: cgroup_skbs }]", /`cgroup_skbs` is no program type/],
    ["the type 0", "admit: [{ name: own, type: unspec }]", /`unspec` is no program type/],
    ["an unknown attach type", "admit: [{ name: own, type: sk_msg, attach: [none] }]", /`none` is no attach type/],
    ["an unknown helper", "mask: { helpers: [bpf_none] }", /`bpf_none` is no helper/],
    ["an unknown type in the mask", "mask: { types: [none] }", /`none` is no program type/],
    ["too many rows", `admit: [${Array(6).fill("cgroup_bind").join(", ")}]`, /has 18 rows, where 16 is the most/],
    ["too many classes", `admit: [${Array(17).fill("cgroup_device").join(", ")}]`, /more than 16 classes/],
    ["a class without type", "admit: [{ name: own }]", /type/],
    ["an unknown key", "admits: []", /unknown key/],
  ])("reject %s", (_, text, message) => {
    expect(rejection(() => classesOf(text))).toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(message),
    });
  });
});
