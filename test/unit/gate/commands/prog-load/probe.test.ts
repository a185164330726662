import { describe, expect, it } from "vitest";
import type { ProgramSubject } from "../../../../../src/bpf/model/facts.js";
import { factsOfLoad } from "../../../../../src/bpf/prog-load.js";
import { PROBES, type Probe } from "../../../../../src/bpf/tables/loader-probes.gen.js";
import { Attr, LOAD } from "../../../../../src/gate/call/attr.js";
import type { LiveLoad } from "../../../../../src/gate/commands/prog-load/live-load.js";
import { probeOf, TARGET_PROBES } from "../../../../../src/gate/commands/prog-load/probe.js";

/**
 * Helpers whose probes do not only read, as far as their instructions tell: what is added here is to be looked at. The
 * verifier refuses all but two: bpf_send_signal sends none (src/gate/commands/prog-load/probe.ts), and a socket filter
 * that returns the time is its owner's.
 */
const ACTING = [
  "bpf_probe_read",
  "bpf_probe_read_str",
  "bpf_probe_read_user",
  "bpf_probe_read_user_str",
  "bpf_probe_read_kernel",
  "bpf_probe_read_kernel_str",
  "bpf_send_signal",
  "bpf_override_return",
  "bpf_get_ns_current_pid_tgid",
  "bpf_for_each_map_elem",
  "bpf_ktime_get_coarse_ns",
];

describe("a loader's probe", () => {
  /** A load of the program, with what else there may be in attr. */
  const load = (probe: Probe, more: Readonly<Record<number, number>> = {}, insns = Buffer.from(probe.insns, "hex")) => {
    const given = new Attr(LOAD.size, LOAD.size);
    given.setU32(LOAD.progType, probe.type);
    given.setU32(LOAD.insnCount, insns.byteLength / 8);
    given.setU32(LOAD.expectedAttachType, probe.expectedAttachType);
    const facts = factsOfLoad({
      ...{ attr: given.bytes.slice(), insns: new Uint8Array(insns), license: probe.license, btf: null, kernel: null },
      ...{ funcInfo: NONE, lineInfo: NONE, coreRelos: NONE },
      fds: { mapByFd: () => null, mapByIndex: () => null },
    });
    given.setU32(LOAD.funcInfoCount, probe.funcInfoCount);
    given.bytes.set(Buffer.from(probe.name), LOAD.progName);
    for (const [offset, value] of Object.entries(more)) given.setU32(Number(offset), value);
    return { found: probeOf({ given, license: probe.license } as LiveLoad, facts as unknown as ProgramSubject), facts };
  };
  const NONE = new Uint8Array(0);
  const title = ({ loaders, name, type, insns }: Probe) => `${loaders.join()} ${name} type ${type} ${insns}`;

  it.each(PROBES.map((probe) => [title(probe), probe] as const))("is known: %s", (_, probe) => {
    const { found, facts } = load(probe);
    expect(found).toBe(probe);
    expect(facts.digest).toBe(probe.digest);
    expect(facts.effects.read_only || facts.helpers.every((helper) => ACTING.includes(helper))).toBe(true);
  });

  it.each(PROBES.map((probe) => [title(probe), probe] as const))(
    "is not recognized if one bit is set in addition: %s",
    (_, probe) => {
      for (const offset of [
        LOAD.progFlags,
        LOAD.progIfindex,
        LOAD.attachBtfId,
        LOAD.attachFd,
        LOAD.fdArray,
        LOAD.coreReloCount,
      ])
        expect(load(probe, { [offset]: 1 }).found).toBeNull();
      expect(load(probe, { [LOAD.expectedAttachType]: 1 }).found).toBeNull();
      expect(load({ ...probe, license: "MIT" }).found).toBeNull();
      expect(load({ ...probe, name: "another" }).found).toBeNull();
      // a constant that is returned, or a helper that is called
      const other = Buffer.from(probe.insns, "hex");
      other.writeInt32LE(5, other.byteLength - 12);
      expect(load(probe, {}, other).found).toBeNull();
    },
  );

  it.each(TARGET_PROBES.map((probe) => [title(probe), probe] as const))(
    "is known with a target in the kernel, and in no other way: %s",
    (_, probe) => {
      const target = { [LOAD.attachBtfId]: 1234 };
      const { found, facts } = load(probe, target);
      expect(found).toBe(probe);
      expect(facts.digest).toBe(probe.digest);
      expect(facts.effects.read_only).toBe(true);
      expect(load(probe).found).toBeNull();
      for (const offset of [LOAD.progFlags, LOAD.progIfindex, LOAD.attachFd, LOAD.fdArray, LOAD.coreReloCount])
        expect(load(probe, { ...target, [offset]: 1 }).found).toBeNull();
      // fexit, modify_return and lsm
      for (const type of [25, 26, 27])
        expect(load(probe, { ...target, [LOAD.expectedAttachType]: type }).found).toBeNull();
      const one = Buffer.from(probe.insns, "hex");
      one.writeInt32LE(1, 4);
      expect(load(probe, target, one).found).toBeNull();
    },
  );
});
