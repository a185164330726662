import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { CLASSES_SIZE } from "../../../src/seal/classes/class-table.js";
import { encodeFileList, parseFileList } from "../../../src/seal/files.js";
import { fsVerityDigest } from "../../../src/seal/fs-verity.js";
import { GUARD_HOOKS } from "../../../src/seal/guard/hooks.js";
import { fragment } from "../../../src/seal/initramfs/fragment.js";
import { encodeList, signedPart } from "../../../src/seal/list.js";
import { SEAL_INIT } from "../../../src/seal/sealing.js";
import { own } from "../../support/workplace.js";
import { ANY_THREAD, type Call, callsIn, contentsOf, FAULT, sitesIn } from "./guard/call-sites.js";
import { compiled, describedPrograms, entryOf, ticketsOf } from "./guard/described-programs.js";
import { compiledGuard, Loads, type LoadsOptions, type Sealing, sealedImage } from "./guard/sealed-loads.js";
import { kernelBtfOf } from "./guests/kernel-btf.js";
import { ProgramSigner } from "./guests/program-signer.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileProgram, listOfValues, loaderBinary, valueInsns } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";

/** Programs of guard/programs.c, by how guard/tickets.c has them allowed. */
const LISTED = ["cgroup", "maps", "outer", "lsm", "indexed"];
const WITH_TICKETS = ["sysctl", "named", "references", "fmod_ret"];

/** The guard whose calls fail as guard/failing.h has it. */
const failingGuard = (): Uint8Array => compiledGuard(["-include", own("test/system/seal/guard/failing.h"), "-w"]);

/** Callees that cannot fail, and why. */
const INFALLIBLE: Readonly<Record<string, string>> = {
  bpf_get_current_pid_tgid: "returns -EINVAL only where there is no task, as in an interrupt",
  bpf_get_current_uid_gid: "is only recorded",
  bpf_get_current_task_btf: "returns what the processor has",
  bpf_ktime_get_boot_ns: "reads the clock",
  bpf_spin_lock: "returns nothing",
  bpf_spin_unlock: "returns nothing",
  bpf_set_retval: "returns 0, and stores the number",
  bpf_key_put: "returns nothing",
  bpf_task_release: "returns nothing",
};

/** Programs that only look up whether there is storage of a task, which cannot fail. */
const LOOKING_UP = ["guard_bpf", "guard_ptrace", "guard_kill"];

/** What guard/refusals.c asks for. */
const REFUSALS = 53;
const REFUSED_EXECUTABLES = 4;

const signers = { right: ProgramSigner.make(), other: ProgramSigner.make() };

/** A list for guard/refusals.c, changed after it was signed. */
function listFiles(
  name: string,
  { by, kernelBtf, changed }: { by: ProgramSigner; kernelBtf: string; changed: number },
): [string, Uint8Array][] {
  const { entries, header } = listOfValues([1]);
  const list = encodeList(entries, { ...header, generation: 2n, kernelBtf });
  const signature = by.sign(signedPart(list));
  if (changed !== 0) list[list.length - changed]! ^= 1;
  return [
    [`lib/${name}.list`, list],
    [`lib/${name}.sig`, signature],
  ];
}

/** A disk with an executable that no list has. */
function diskOf(unlisted: Uint8Array, folder: string): string {
  const [root, disk] = [join(folder, "root"), join(folder, "disk")];
  mkdirSync(root);
  writeFileSync(join(root, "unlisted"), unlisted, { mode: 0o755 });
  execFileSync("mkfs.ext4", ["-q", "-b", "4096", "-O", "verity", "-d", root, disk, "64M"]);
  return disk;
}

/** Of no file. */
const DIGEST = fsVerityDigest(Buffer.from("listed"));

const PREPARE = `
mkdir -p /memory /mnt
mount -t tmpfs tmpfs /memory
cp /bin/ok /memory/ok
[ -e /lib/virtio_blk.ko ] && insmod /lib/virtio_blk.ko
mount -t ext4 /dev/vda /mnt
`;

interface Prepared {
  readonly file: string;
  readonly sealing: Sealing;
  readonly options: LoadsOptions;
  /** The calls of the guard by their numbers. */
  readonly sites: ReadonlyMap<number, Call>;
}

/** Has a guest in which every program of the guard has something to deny. */
async function withRefusals<R>(kernel: SealKernel, use: (prepared: Prepared) => R): Promise<R | string> {
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  const folder = mkdtempSync(join(tmpdir(), "seal-faults-"));
  try {
    const kernelBtf = await kernelBtfOf(guest);
    const modules = guest.kernel.modules(["msr", "dummy", "virtio_blk"]);
    const ok = compileProgram("ok");
    const digests = {
      modules: [createHash("sha256").update(modules.get("dummy")!).digest("hex")],
      executables: [DIGEST],
    };
    const insns = valueInsns(1);
    return compiled("tickets", (file) => {
      const programs = describedPrograms(file);
      const targets = programs.flatMap(({ target }) => target ?? []);
      const open = Loads.run(kernel, file, `tickets ids ${targets.join(" ")}`);
      if (typeof open === "string") return open;
      const listed = programs.filter(({ name }) => LISTED.includes(name));
      const sealing: Sealing = {
        entries: listed.map((program) => entryOf(program, open.ids)),
        object: failingGuard(),
        keys: { lists: [signers.right.certificate], programs: [signers.right.certificate] },
        files: parseFileList(encodeFileList(digests)),
      };
      const files = Object.fromEntries([
        ["lib/tickets", ticketsOf(programs)],
        ["lib/insns", insns],
        ["lib/insns.sig", signers.other.sign(insns)],
        ["bin/ok", ok],
        ...[...modules].map(([name, bytes]) => [`lib/${name}.ko`, bytes] as const),
        ...listFiles("other", { by: signers.other, kernelBtf, changed: 0 }),
        ...listFiles("changed", { by: signers.right, kernelBtf, changed: CLASSES_SIZE + 1 }),
        ...listFiles("classes", { by: signers.right, kernelBtf, changed: 1 }),
      ]);
      const disk = diskOf(ok, folder);
      const devices = ["-drive", `file=${disk},if=none,id=disk,format=raw`, "-device", "virtio-blk-pci,drive=disk"];
      return use({ file, sealing, options: { files, devices }, sites: sitesIn(Buffer.from(sealedImage(sealing))) });
    });
  } finally {
    guest.remove();
    rmSync(folder, { recursive: true });
  }
}

/** First contents of guard_fault by which the calls of all threads are counted, and the first one of a site fails. */
function faultOfAll(): Uint8Array {
  const fault = Buffer.alloc(FAULT.size);
  fault.writeUInt32LE(ANY_THREAD, FAULT.thread);
  fault.writeUInt32LE(1, FAULT.nth);
  return fault;
}

const numbers = (line: string): readonly number[] => (line.match(/\d+/g) ?? []).map(Number);
const nameOf = ({ program, callee }: Call): string => `${program} ${callee}`;

/** A guest that is sealed before the root starts, where the guard lets executables of the initramfs start. */
const atBoot = (sealing: Sealing, options: LoadsOptions): LoadsOptions => ({
  ...options,
  fragments: [fragment(loaderBinary(), sealedImage(sealing), null)],
  commandLine: `rdinit=${SEAL_INIT}`,
});

interface Ran {
  readonly late: string;
  readonly boot: string;
  readonly sites: ReadonlyMap<number, Call>;
}

describe.each(testedKernels())("the guard on %s, if a helper fails", (kernel) => {
  let ran: Ran | string;

  beforeAll(async () => {
    ran = await withRefusals(kernel, ({ file, sealing, options, sites }) => {
      const late = Loads.run(kernel, file, `${PREPARE}tickets faults`, sealing, options);
      const executables = parseFileList(encodeFileList({ modules: null, executables: [DIGEST] }));
      const early = atBoot({ ...sealing, files: executables }, options);
      const boot = Loads.run(kernel, file, `${PREPARE}tickets executables`, null, early);
      return typeof late === "string" || typeof boot === "string"
        ? "needs a guest"
        : { late: late.output, boot: boot.output, sites };
    });
  });

  it("denies what it denies otherwise, whichever call it is", ({ skip }) => {
    if (typeof ran === "string") return skip(ran);
    const { late, boot, sites } = ran;
    const passed = [...`${late}${boot}`.matchAll(/^passed (.*): (\d+)$/gm)].map(
      ([, name, site]) => `${name}: ${site === "0" ? "no call failed" : nameOf(sites.get(Number(site))!)}`,
    );
    expect(passed).toEqual([]);
    expect(late.match(/^refused /gm)).toHaveLength(REFUSALS);
    expect(boot.match(/^refused /gm)).toHaveLength(REFUSED_EXECUTABLES);
  });

  it("denies what a list or a ticket allows, whichever call it is", ({ skip }) => {
    if (typeof ran === "string") return skip(ran);
    const lines = ran.late.split("\n").filter((line) => line.startsWith("call ") || line.startsWith("faults "));
    const loaded = (name: string) =>
      expect.stringMatching(new RegExp(`^faults of ${name}: loaded after [1-9]\\d* denied, 0 loaded$`));
    expect(lines).toEqual([...LISTED.filter((name) => name !== "indexed"), ...WITH_TICKETS].map(loaded));
  });

  it("has had each callee of each program fail", ({ skip }) => {
    if (typeof ran === "string") return skip(ran);
    const { late, boot, sites } = ran;
    const failed = new Set(
      [...`${late}${boot}`.matchAll(/^failed:(.*)$/gm)].flatMap(([, list]) =>
        numbers(list!).map((site) => nameOf(sites.get(site)!)),
      ),
    );
    const calls = callsIn(Buffer.from(sealedImage({ entries: [] })));
    const fallible = calls.filter(
      ({ program, callee }) =>
        INFALLIBLE[callee] === undefined && !(callee === "bpf_task_storage_get" && LOOKING_UP.includes(program)),
    );
    expect(fallible.map(nameOf).filter((name) => !failed.has(name))).toEqual([]);
    expect(new Set(fallible.map(({ program }) => program)).size).toBe(GUARD_HOOKS.length + 1);
  });

  it("is not sealed if a call of the latch fails", async ({ skip }) => {
    const latched = await withRefusals(kernel, ({ file, sealing, options, sites }) => {
      const counting: Sealing = { ...sealing, files: null, fault: faultOfAll() };
      const first = Loads.run(kernel, file, "loader /lib/guard.image && tickets calls", counting, options);
      if (typeof first === "string") return first;
      const called = numbers(/^called:(.*)$/m.exec(first.output)![1]!).filter(
        (site) => sites.get(site)!.program === "guard_bpf",
      );
      const at = contentsOf(Buffer.from(sealedImage(counting)), "guard_fault") + FAULT.site;
      const rounds = called.map((site) => {
        const bytes = [site & 0xff, site >> 8].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
        return `printf '${bytes}' | dd of=/lib/guard.image bs=1 seek=${at} conv=notrunc 2>/dev/null
loader /lib/guard.image > /tmp/answer; echo "site ${site}: $(grep -o '"sealed":[a-z]*' /tmp/answer)"`;
      });
      const second = Loads.run(kernel, file, rounds.join("\n"), counting, options);
      return typeof second === "string" ? second : { called, output: second.output };
    });
    if (typeof latched === "string") return skip(latched);
    expect(latched.called.length).toBeGreaterThan(10);
    const lines = latched.output.split("\n").filter((line) => line.startsWith("site "));
    expect(lines).toEqual(latched.called.map((site) => `site ${site}: "sealed":false`));
  });
});
