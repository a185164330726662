import { PROBES } from "../../bpf/tables/loader-probes.gen.js";
import type { ListEntry, ProgramMaps } from "../list/list-entry.js";
import { referenceDigest } from "../list/reference-digest.js";

const NO_MAPS: ProgramMaps = { references: 0, digest: referenceDigest([]), maps: [] };

/** The map of probe_kern_global_data of libbpf: an array of 32 bytes, in which the program writes 42 at offset 16. */
const GLOBAL_DATA: ProgramMaps = {
  references: 1,
  digest: referenceDigest([{ map: 0, offset: 16 }]),
  maps: [
    {
      ...{ mapType: 2, keySize: 4, valueSize: 32, maxEntries: 1, mapFlags: 0, mapExtra: 0n },
      ...{ contents: null, settings: [], inner: null },
    },
  ],
};

/** ld_imm64 with src_reg 2: a reference to a map's value. */
const REFERENCE = /^1821/;

/**
 * The programs that libbpf loads to find out what the kernel supports. Gates allow them without asking policies, and so
 * does a list: without them libbpf writes programs in another form. They do nothing but return.
 */
export function probeEntries(): readonly ListEntry[] {
  return PROBES.filter(({ loaders }) => loaders.some((loader) => loader.startsWith("libbpf "))).map((probe) => ({
    digest: probe.digest,
    progType: probe.type,
    expectedAttachType: probe.expectedAttachType,
    attachBtfId: 0,
    progFlags: 0,
    gplCompatible: true,
    maps: REFERENCE.test(probe.insns) ? GLOBAL_DATA : NO_MAPS,
  }));
}
