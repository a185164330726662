/** The commands around the guard, with node in a guest: what they say is what the guard did. */
import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { TargetKernel } from "../../../src/cli/kernel/target-kernel.js";
import { encodeList } from "../../../src/seal/list.js";
import type { GuardRecord } from "../../../src/seal/status.js";
import { mismatch } from "../../support/record-schema.js";
import { loadFile, type ReplayedLoad } from "./differential/load-file.js";
import { SealGuest } from "./guests/seal-guest.js";
import { compileProgram, valueInsns } from "./guests/sealed-guest.js";

const LISTED = 1;
const UNLISTED = 2;

const load = (value: number): ReplayedLoad => ({
  ...{ btf: null, maps: [], type: 1, expectedAttachType: 0, attachBtfId: 0, flags: 0, relocation: false },
  ...{ license: "GPL", name: "value", insns: valueInsns(value), funcInfo: new Uint8Array(0), references: [] },
});

const SCRIPT = `
export NO_COLOR=1
seal() { echo "> seal $*"; node /countersign/bin/countersign.js seal "$@" 2>&1; echo "< $?"; }
seal status
seal start --audit --list /lib/programs.list
replay-loads /lib/loads
seal status --json
seal log
seal stop
seal start --list /lib/programs.list --accept-loaded
replay-loads /lib/loads
seal status --json
seal status
seal log --after 2
seal lock
seal require-signatures
replay-loads /lib/loads
seal status --json
seal doctor --list /lib/programs.list --json
seal stop
`;

interface Step {
  readonly lines: readonly string[];
  readonly code: number;
}

describe("seal status, log, lock and doctor", () => {
  const steps: Step[] = [];
  /** What the loads gave, in the order of the script: the errno of the listed one, then of the other. */
  let loads: readonly string[] = [];
  let missing: string | null = null;

  beforeAll(async () => {
    const guest = SealGuest.make("6.12");
    if (typeof guest === "string") {
      missing = guest;
      return;
    }
    guest.countersign();
    guest.file("bin/replay-loads", compileProgram("replay-loads"), 0o755);
    guest.file("lib/loads", loadFile([load(LISTED), load(UNLISTED)]));
    guest.file("lib/programs.list", await listFor(guest.kernel.image));
    const { output, console } = guest.run(SCRIPT, { seconds: 850, memory: 2048 });
    guest.remove();
    for (const [, text = "", code] of output.matchAll(/^> seal [^\n]*\n(.*?)^< (\d+)$/gms))
      steps.push({ lines: text.trim().split("\n"), code: Number(code) });
    loads = [...output.matchAll(/^\d load (\d+)$/gm)].map(([, errno]) => errno!);
    expect(steps.length, console.slice(-3000)).toBe(14);
  });

  const json = (step: Step) => step.lines.map((line) => JSON.parse(line));

  it("know whether there is a guard, and loads fail as they say", ({ skip }) => {
    if (missing !== null) return skip(missing);
    expect(steps[0]).toEqual({ lines: ["not sealed: no guard runs on this machine"], code: 2 });
    expect(loads).toEqual(["0", "0", "0", "1", "1", "1"]);
  });

  it("count what audit would deny", ({ skip }) => {
    if (missing !== null) return skip(missing);
    const [status] = json(steps[2]!);
    expect(steps[2]!.code).toBe(0);
    expect(status).toMatchObject({ state: "audit", mode: "audit", started: "late", since: null, list: { entries: 1 } });
    expect(status.denied).toMatchObject({ unlisted: 1 });
    const [start, ...records] = json(steps[3]!) as GuardRecord[];
    expect(start).toMatchObject({ type: "start", origin: "guard", kernel: expect.stringMatching(/^6\.12/) });
    expect(records.map(mismatchOf)).toEqual(records.map(() => null));
    const unlisted = records.filter(({ denied_by }) => denied_by!.rule === "unlisted");
    expect(unlisted).toMatchObject([
      {
        ...{ origin: "guard", mode: "audit", verdict: 0, enforced_verdict: -1, hook: "bpf_prog_load" },
        ...{ current: { uid: 0, comm: "replay-loads" }, subject: { name: "type 1, attach type 0, 2 instructions" } },
      },
    ]);
    expect(steps[4]).toEqual({ lines: [expect.stringMatching(/^stopped: \d+ programs detached$/)], code: 0 });
  });

  it("show the seal, since when, and by what", ({ skip }) => {
    if (missing !== null) return skip(missing);
    const [status] = json(steps[6]!);
    expect(steps[6]!.code).toBe(0);
    expect(status).toMatchObject({ state: "sealed", started: "late", locked: false, secure_boot: "no EFI" });
    expect(status.list).toMatchObject({ generation: "1", entries: 1 });
    expect(status.denied.unlisted).toBe(1);
    expect(status.last).toContainEqual(expect.objectContaining({ reason: "unlisted", hook: "bpf_prog_load" }));
    expect(status).toMatchObject({
      files: { sha256: null, modules: null, executables: null, modules_by_ticket: false },
      classes: { admitted: 0, mask: { types: 0, helpers: 0 } },
    });
    expect(Date.parse(status.since)).toBeGreaterThan(0);
    const text = steps[7]!.lines.join("\n");
    expect(text).toMatch(/^state +sealed$/m);
    expect(text).toContain("Secure Boot is off (no EFI): root cannot undo the seal within this boot");
    expect(text).toContain("replay-loads");
    expect(
      json(steps[8]!)
        .slice(1)
        .every(({ mode, verdict }) => mode === "enforce" && verdict === -1),
    ).toBe(true);
  });

  it("lock the machine, which denies listed programs too", ({ skip }) => {
    if (missing !== null) return skip(missing);
    expect(steps[9]).toEqual({ lines: ["locked: no program can be loaded until the next boot"], code: 0 });
    expect(steps[10]!.code).toBe(0);
    const [status] = json(steps[11]!);
    expect(status).toMatchObject({ state: "sealed and locked", locked: true, signatures_required: true });
    expect(status.denied.locked_down).toBeGreaterThanOrEqual(2);
  });

  it("diagnose the guest, and do not stop what is sealed", ({ skip }) => {
    if (missing !== null) return skip(missing);
    const findings = json(steps[12]!) as { name: string; state: string }[];
    const states = Object.fromEntries(findings.map(({ name, state }) => [name, state]));
    expect(states).toMatchObject({ BPF_LSM: "ok", BTF: "ok", JIT: "ok", "cgroup v2": "ok", ftrace_enabled: "ok" });
    expect(states).toMatchObject({ "Secure Boot": "weak", UKI: "weak" });
  });
});

function mismatchOf(record: GuardRecord): string | null {
  return mismatch(record as never);
}

/** A list with one program for the kernel of a guest. */
async function listFor(image: string): Promise<Uint8Array> {
  const { btfSha256: kernelBtf } = await TargetKernel.open(image, { progress: async () => ({ step() {}, stop() {} }) });
  const digest = createHash("sha256").update(valueInsns(LISTED)).digest("hex");
  const none = { references: 0, digest: "00".repeat(32), maps: [] };
  const numbers = { progType: 1, expectedAttachType: 0, attachBtfId: 0, progFlags: 0 };
  return encodeList([{ digest, ...numbers, gplCompatible: true, maps: none }], {
    ...{ generation: 1n, kernelBtf, configuration: "ab".repeat(32), release: "" },
  });
}
