import type { Form } from "./form.js";

/** Reads type, access, major and minor number of struct bpf_cgroup_dev_ctx into r2 to r5. */
const START = [
  "r2 = *(u32 *)(r1 + 0x0)",
  "w2 &= 0xffff",
  "r3 = *(u32 *)(r1 + 0x0)",
  "w3 >>= 0x10",
  "r4 = *(u32 *)(r1 + 0x4)",
  "r5 = *(u32 *)(r1 + 0x8)",
];

/** A condition of a device; `GOTO` is where the next block begins. */
const TYPE = ["if r2 != DEVICE_TYPE GOTO"];
const ACCESS = ["w1 = w3", "w1 &= ACCESS", "if r1 != r3 GOTO"];
const MAJOR = ["if r4 != NUMBER GOTO"];
const MINOR = ["if r5 != NUMBER GOTO"];

/** Conditions and what follows if all hold, with the distance of each jump to the next block. */
function block(conditions: readonly (readonly string[])[], then: readonly string[]): readonly string[] {
  const lines = [...conditions.flat(), ...then];
  return lines.map((line, at) => line.replace("GOTO", `goto +0x${(lines.length - 1 - at).toString(16)}`));
}

const NONE: readonly string[] = [];
const DEVICE = { type: "cgroup_device", attachType: "cgroup_device" } as const;

/** bpf_prog_allow_list_device, _major and _class of src/core/bpf-devices.c (v257). A match jumps to `r0 = 1`. */
const SYSTEMD: Form = {
  ...{ tool: "systemd", purpose: "device policy", ...DEVICE, start: START },
  blocks: [ACCESS, NONE].flatMap((access) =>
    [[], [MAJOR], [MAJOR, MINOR]].map((numbers) => block([access, TYPE, ...numbers], ["goto DISTANCE to end - 2"])),
  ),
  ends: [["r0 = 0x0", "goto +0x1 to end - 1", "r0 = 0x1", "exit"]],
};

/** A rule of the OCI runtime specification, which answers at once; `r0` is how the runtime names the register. */
function ociForm(tool: "runc" | "crun", r0: string, types: readonly (readonly string[])[]): Form {
  const answers = ["0x0", "0x1"].map((answer) => [`${r0} = ${answer}`, "exit"]);
  const conditions = types
    .flatMap((type) => [ACCESS, NONE].map((access) => [type, access]))
    .flatMap((before) => [MAJOR, NONE].map((major) => [...before, major]))
    .flatMap((before) => [MINOR, NONE].map((minor) => [...before, minor]))
    .filter((each) => each.flat().length > 0);
  return {
    ...{ tool, purpose: "device rules of a container", ...DEVICE, start: START },
    blocks: conditions.flatMap((each) => answers.map((answer) => block(each, answer))),
    ends: answers,
  };
}

export const DEVICE_FORMS: readonly Form[] = [
  SYSTEMD,
  // program of libcontainer/cgroups/devices/devicefilter.go (1.1)
  ociForm("runc", "w0", [TYPE]),
  // bpf_program_append_dev of src/libcrun/ebpf.c (1.21), which also has rules for both types
  ociForm("crun", "r0", [TYPE, NONE]),
];
