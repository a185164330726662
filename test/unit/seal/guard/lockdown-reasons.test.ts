import { describe, expect, it } from "vitest";
import { LOCKDOWN_REASONS } from "../../../../src/seal/guard/lockdown-reasons.js";

describe("reasons of lockdown", () => {
  it("are denied below LOCKDOWN_INTEGRITY_MAX, but for the ones that lockdown.bpf.h names", () => {
    // the first of lockdown=confidentiality
    const limit = LOCKDOWN_REASONS.findIndex(({ name }) => name === "KCORE");
    const allowed = LOCKDOWN_REASONS.slice(0, limit).filter(({ denied }) => !denied);
    expect(allowed.map(({ name }) => name)).toEqual(["BPF_WRITE_USER"]);
    const deniedReads = LOCKDOWN_REASONS.slice(limit).filter(({ denied }) => denied);
    expect(deniedReads.map(({ name }) => name)).toEqual(["KCORE"]);
  });
});
