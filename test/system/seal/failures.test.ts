import { describe, expect, it } from "vitest";
import { type ImageOptions, imageOf } from "../../../src/seal/image/image.js";
import { HEADER, MAP, PROGRAM } from "../../../src/seal/image/image-layout.js";
import { GUARD_VERSION } from "../../../src/seal/list/list-header.js";
import { STATUS } from "../../../src/seal/status/status-layout.js";
import { amount } from "../nightly.js";
import { ProgramSigner } from "./guests/program-signer.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileProgram, guardObject, loaderBinary, loaderOfVersion } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";

const OPTIONS: ImageOptions = { mode: 2, guardVersion: GUARD_VERSION, onFailure: "halt" };

const OTHER_VERSION = GUARD_VERSION - 1;
const OTHER_IN_FORCE = {
  step: "version",
  detail: `a guard of version ${OTHER_VERSION} is in force, and this loader is of version ${GUARD_VERSION}`,
};

/** The image of the guard that ships, changed so that one step fails. */
function image(change: (bytes: Buffer) => void = () => {}, options: Partial<ImageOptions> = {}): Buffer {
  const bytes = Buffer.from(imageOf(guardObject(), { ...OPTIONS, ...options }));
  change(bytes);
  return bytes;
}

/** Where the structs of a range begin, and how many there are. */
function structs(bytes: Buffer, range: number, size: number): readonly number[] {
  const offset = bytes.readUInt32LE(range);
  return Array.from({ length: bytes.readUInt32LE(range + 4) / size }, (_, index) => offset + index * size);
}

const lastProgram = (bytes: Buffer): number => structs(bytes, HEADER.ranges.programs, PROGRAM.size).at(-1)!;
const lastMap = (bytes: Buffer): number => structs(bytes, HEADER.ranges.maps, MAP.size).at(-1)!;

interface Failure {
  readonly image: Uint8Array;
  /** The words before and after `loader`. */
  readonly before?: string;
  readonly options?: string;
  readonly expected: object;
}

/** restart.test.ts does it more often, without keys. */
const RESTARTS = amount(1, 3);

const EPERM = { errno: "EPERM" };
/** Steps of the loader in their order (failure.h), each with what makes it fail as late as it can. */
const FAILURES: Readonly<Record<string, Failure>> = {
  "start, without root": { image: image(), before: "as-user", expected: { step: "start", place: "user" } },
  "start, in a pid namespace": {
    image: image(),
    before: "unshare -p -f",
    expected: { step: "start", place: "namespaces" },
  },
  "image, cut short": { image: image().subarray(0, -8), expected: { step: "image" } },
  "image, of another version": {
    image: image(undefined, { guardVersion: OTHER_VERSION }),
    expected: { step: "image", detail: "is of another version of Countersign than its loader" },
  },
  "version, of a guard under audit": {
    image: image(),
    before: "beside other-loader /lib/other",
    expected: OTHER_IN_FORCE,
  },
  "version, of a guard under audit, for audit": {
    image: image(undefined, { mode: 1 }),
    before: "beside other-loader /lib/other",
    expected: OTHER_IN_FORCE,
  },
  "version, of a guard under audit that is to be stopped": {
    image: image(),
    before: "beside other-loader /lib/other",
    options: "--stop",
    expected: OTHER_IN_FORCE,
  },
  "version, of a guard whose status has another size": {
    image: image(),
    before: `hold-status ${STATUS.size + 8} ${OTHER_VERSION}`,
    expected: OTHER_IN_FORCE,
  },
  "kernel, which lacks a hook": {
    image: image((bytes) => bytes.write("bpf_lsm_missing\0", lastProgram(bytes) + PROGRAM.target)),
    expected: { step: "kernel", detail: expect.stringMatching(/has no function `bpf_lsm_missing`/) },
  },
  "kernel, whose ftrace is off": {
    image: image(),
    before: "without_ftrace",
    expected: { step: "enforced", place: "kernel.ftrace_enabled" },
  },
  "list, of another kernel": { image: image(undefined, { kernelBtf: "11".repeat(32) }), expected: { step: "list" } },
  "list, of another kernel, while a guard audits": {
    image: image(undefined, { kernelBtf: "11".repeat(32) }),
    before: "beside loader /lib/audit",
    expected: { step: "list" },
  },
  "keys, of which the kernel takes none": {
    image: image(undefined, { keys: { programs: [Buffer.from("3000", "hex")] } }),
    expected: { step: "keys", place: "certificate 0 of countersign-programs", errno: "EBADMSG" },
  },
  "btf, which is malformed": {
    image: image((bytes) => bytes.writeUInt8(0, bytes.readUInt32LE(HEADER.ranges.btf))),
    expected: { step: "btf", errno: "EINVAL" },
  },
  "map, which is too large": {
    image: image((bytes) => bytes.writeUInt32LE(0x7fffffff, lastMap(bytes) + MAP.fields.value_size)),
    expected: { step: expect.stringMatching(/^(?:map|image)$/) },
  },
  "program, which the verifier rejects": {
    // r0 = r5, which has no value at the start of a program
    image: image((bytes) => bytes.write("bf50000000000000", insnsOf(bytes, lastProgram(bytes)), "hex")),
    expected: { step: "program", errno: "EACCES", detail: "R5 !read_ok" },
  },
  "pins, whose folder is there": {
    image: image(),
    before: "with_folder",
    expected: { step: "pins", errno: "EEXIST" },
  },
  "attach, where another program is alone on the root cgroup": {
    image: image(),
    before: "hold-sysctl",
    expected: { step: "attach", place: "program guard_sysctl (cgroup/sysctl)", ...EPERM },
  },
  "loaded, a program that the caller does not know": {
    image: image(),
    before: "hold_multi",
    options: "--loaded 1000000",
    expected: { step: "loaded", place: expect.stringMatching(/^program \d+$/) },
  },
  "canary, which the guard allows": {
    image: unattached(image(undefined, { keys: { programs: [ProgramSigner.make().certificate] } })),
    expected: { step: "canary", place: "canary program" },
  },
  "agent, which has ended": {
    image: image(),
    options: "--agent 99999",
    expected: { step: "agent", place: "process 99999", errno: "ESRCH" },
  },
  "latch, which the guard refuses": {
    // No map gets the loader's process id, so that the guard does not know it.
    image: image((bytes) => bytes.writeUInt32LE(0, HEADER.ranges.patches + 4), {
      keys: { lists: [ProgramSigner.make().certificate], programs: [ProgramSigner.make().certificate] },
    }),
    expected: { step: "latch", ...EPERM },
  },
};

/** Nothing is attached, so that nothing is denied. */
function unattached(bytes: Buffer): Uint8Array {
  for (const program of structs(bytes, HEADER.ranges.programs, PROGRAM.size))
    bytes.writeUInt32LE(0, program + PROGRAM.fields.attach);
  return bytes;
}

function insnsOf(bytes: Buffer, program: number): number {
  return bytes.readUInt32LE(program + PROGRAM.ranges.insns);
}

/** Programs are freed some time after their last fd is closed. */
const PREPARE = `
state() { machine-state; grep countersign /proc/keys; ls /sys/fs/bpf; cat /proc/mounts; cat /proc/sys/kernel/ftrace_enabled; }
with_folder() { mkdir /sys/fs/bpf/countersign; "$@"; rmdir /sys/fs/bpf/countersign; }
without_ftrace() {
  echo 0 2>/dev/null > /proc/sys/kernel/ftrace_enabled || { echo "kernel.ftrace_enabled stays"; return; }
  "$@"
  echo 1 > /proc/sys/kernel/ftrace_enabled
}
beside() {
  by=$1
  $by "$2" > /dev/null || echo "no guard audits"
  shift 2
  state > /tmp/audited
  "$@"
  state > /tmp/after
  cmp -s /tmp/audited /tmp/after || echo "the guard under audit was changed"
  $by --stop > /dev/null || echo "the guard under audit is gone"
}
hold_multi() { hold-sysctl --multi "$@"; }
compare() {
  for try in $(seq 300); do
    state > /tmp/after
    cmp -s /tmp/before /tmp/after && { echo "as before"; return; }
    usleep 100000
  done
  diff /tmp/before /tmp/after
}
state > /tmp/before
grep -q unknown /tmp/before && exit 3
`;

function script(): string {
  const lines = Object.entries(FAILURES).map(
    ([name, { before = "", options = "" }], index) =>
      `echo "PART ${name}"; ${before} loader ${options} /lib/image-${index}; compare`,
  );
  return `${PREPARE}${lines.join("\n")}
echo "PART restarts"; loader /lib/audit-keys; for round in $(seq ${RESTARTS}); do loader --stop; loader /lib/audit-keys; done
echo "PART end"; loader /lib/whole; loader --canary; echo "canary: $?"\n`;
}

type Parts = Readonly<Record<string, string>> | string;

function run(kernel: SealKernel): Parts {
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  guest.file("bin/loader", loaderBinary(), 0o755);
  guest.file("bin/other-loader", loaderOfVersion(OTHER_VERSION), 0o755);
  for (const name of ["machine-state", "hold-sysctl", "hold-status", "as-user"])
    guest.file(`bin/${name}`, compileProgram(name), 0o755);
  for (const [index, failure] of Object.values(FAILURES).entries()) guest.file(`lib/image-${index}`, failure.image);
  guest.file("lib/whole", image());
  guest.file("lib/audit", image(undefined, { mode: 1 }));
  guest.file("lib/other", image(undefined, { mode: 1, guardVersion: OTHER_VERSION }));
  const keys = { programs: [ProgramSigner.make().certificate] };
  guest.file("lib/audit-keys", image(undefined, { mode: 1, keys }));
  const { output } = guest.run(script(), { seconds: 850 });
  guest.remove();
  const found = output.split(/^PART (.*)\n/m).slice(1);
  return Object.fromEntries(found.flatMap((name, at) => (at % 2 === 0 ? [[name, found[at + 1]!]] : [])));
}

describe.for(testedKernels())("a guard that cannot be sealed, on %s,", (kernel) => {
  let parts: Parts | undefined;

  it.for(Object.keys(FAILURES))("leaves the machine as it was: %s", (name, { skip }) => {
    parts ??= run(kernel);
    if (typeof parts === "string") return skip(parts);
    const [answer, ...rest] = parts[name]?.trim().split("\n") ?? [];
    if (answer === "kernel.ftrace_enabled stays") return skip("Linux 7.3 does not turn ftrace off (EOPNOTSUPP)");
    expect(JSON.parse(answer ?? "{}")).toMatchObject({ sealed: false, ...FAILURES[name]!.expected });
    expect(rest).toEqual(["as before"]);
  });

  /** Maps, programs and keyrings of a guard that was stopped are freed in the background. */
  it("can be started at once after it was stopped", ({ skip }) => {
    parts ??= run(kernel);
    if (typeof parts === "string") return skip(parts);
    const answers = parts.restarts?.trim().split("\n") ?? [];
    const started = { mode: "audit", version: GUARD_VERSION };
    const stopped = { stopped: expect.any(Number) };
    expect(answers.map((line) => JSON.parse(line))).toMatchObject(
      Array.from({ length: 1 + 2 * RESTARTS }, (_, at) => (at % 2 === 0 ? started : stopped)),
    );
  });

  it("can be sealed after all these failures", ({ skip }) => {
    parts ??= run(kernel);
    if (typeof parts === "string") return skip(parts);
    const [answer, canary] = parts.end?.trim().split("\n") ?? [];
    expect(JSON.parse(answer ?? "{}")).toMatchObject({ sealed: true });
    expect(canary).toBe("canary: 0");
  });
});
