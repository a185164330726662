import { describe, expect, it } from "vitest";
import { SEAL_INIT, type SealOptions, sealFragment } from "../../../src/seal/sealing.js";
import type { BootOptions, Ran } from "../guest/guest.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileProgram, listOfValues, loaderBinary } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";

const LISTED = 1;
const UNLISTED = 2;
/** Other boots that end as these do: the short form has one of each end. */
const isNightly = process.env.COUNTERSIGN_NIGHTLY !== undefined;
const NIGHTLY = "takes a guest of its own: nightly";
const OPTIONS: SealOptions = { mode: "enforce", list: listOfValues([LISTED]) };
const SCRIPT = `
load-value ${LISTED} ${UNLISTED}
loader --canary; echo "canary: $?"
echo "pid 1: $(tr '\\0' ' ' < /proc/1/cmdline)"
loader --stop
`;

interface Boot extends BootOptions {
  /** Whether the fragment follows the guest's own initramfs, as it is appended in practice. */
  readonly appended?: boolean;
  readonly script?: string;
  readonly onFailure?: "halt" | "continue";
  readonly options?: SealOptions;
}

/** Boots with a fragment beside the guest's own initramfs, whose /init runs the script. */
function boot(kernel: SealKernel, { script = SCRIPT, onFailure = "halt", options = OPTIONS, appended, ...more }: Boot) {
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  guest.file("bin/loader", loaderBinary(), 0o755);
  guest.file("bin/load-value", compileProgram("load-value"), 0o755);
  const fragments = [sealFragment(options, onFailure)];
  const ran = guest.run(script, {
    ...more,
    ...(appended ? { following: fragments } : { fragments }),
    commandLine: `rdinit=${SEAL_INIT} ${more.commandLine ?? ""}`,
  });
  guest.remove();
  return ran;
}

/** What the loader said as pid 1. Its first line may follow what the firmware wrote. */
const said = ({ console }: Ran) => console.match(/countersign: .*/g) ?? [];

describe("a machine whose initramfs has the fragment", () => {
  it.for(testedKernels())(
    "%s: is sealed before /init: root can load what is listed, and nothing else",
    (kernel, { skip }) => {
      const ran = boot(kernel, {});
      if (typeof ran === "string") return skip(ran);
      expect(said(ran)).toEqual(["countersign: sealed"]);
      const [listed, unlisted, canary, init, stop] = ran.output.split("\n");
      expect([listed, unlisted, canary]).toEqual([
        `program ${LISTED}: loaded`,
        `program ${UNLISTED}: EPERM`,
        "canary: 0",
      ]);
      expect(init).toMatch(/^pid 1: \/bin\/sh \/init/);
      expect(JSON.parse(stop!)).toMatchObject({ step: "running", detail: expect.stringContaining("sealed") });
    },
  );

  // agent.test.ts and run.test.ts boot machines whose fragment is appended too
  it("is sealed as well if the fragment is appended to a compressed initramfs", ({ skip }) => {
    if (!isNightly) return skip(NIGHTLY);
    const ran = boot("6.12", { appended: true });
    if (typeof ran === "string") return skip(ran);
    expect(said(ran)).toEqual(["countersign: sealed"]);
    expect(ran.output).toContain(`program ${UNLISTED}: EPERM`);
  });

  it("6.1: halts, and names what the kernel lacks", ({ skip }) => {
    if (!isNightly) return skip(NIGHTLY);
    const ran = boot("6.1", { until: "System halted" });
    if (typeof ran === "string") return skip(ran);
    expect(said(ran)).toEqual([
      expect.stringMatching(/^countersign: not sealed: BTF of vmlinux: kernel 6\.1\S+ has no function .*: halting$/),
    ]);
    expect(ran.console).not.toContain("BEGIN");
  });

  it("6.1: goes on without a seal if the fragment was built so", ({ skip }) => {
    const ran = boot("6.1", { onFailure: "continue" });
    if (typeof ran === "string") return skip(ran);
    expect(said(ran)).toEqual([expect.stringMatching(/: continuing without a seal$/)]);
    expect(ran.output).toContain(`program ${UNLISTED}: loaded`);
  });

  it.for([
    ["lsm=: has no bpf", "lsm=landlock,yama"],
    ["kernel.ftrace_enabled: is 0", "sysctl.kernel.ftrace_enabled=0"],
  ] as const)("halts if the kernel would not run the guard: %s", ([reason, commandLine], { skip }) => {
    if (!isNightly && reason.startsWith("lsm=")) return skip(NIGHTLY);
    const ran = boot("6.12", { commandLine, until: "System halted" });
    if (typeof ran === "string") return skip(ran);
    expect(said(ran)).toEqual([`countersign: not sealed: ${reason}: the kernel would not run LSM programs: halting`]);
    expect(ran.console).not.toContain("BEGIN");
  });

  it("halts if the list is for another kernel", ({ skip }) => {
    if (!isNightly) return skip(NIGHTLY);
    const { header, ...list } = OPTIONS.list!;
    const other = { ...list, header: { ...header, kernelBtf: "11".repeat(32) } };
    const ran = boot("6.12", { options: { mode: "enforce", list: other }, until: "System halted" });
    if (typeof ran === "string") return skip(ran);
    expect(said(ran)).toEqual(["countersign: not sealed: list: was built for another kernel: halting"]);
  });
});
