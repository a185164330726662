/**
 * The agent of a sealed machine: it starts in the initramfs, is reached after the machine has left the initramfs, and
 * loads what only its policies allow. One guest, since node takes long to start where a machine is emulated.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sealedAgent } from "../../../src/cli/input/sealed-agent.js";
import { casesOf } from "../../../src/seal/attacks/rule-attacks.js";
import { cpio } from "../../../src/seal/initramfs/cpio.js";
import { SEAL_INIT, sealFragment } from "../../../src/seal/sealing.js";
import type { Ran } from "../guest/guest.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileProgram, listOfValues, loaderBinary } from "./guests/sealed-guest.js";
import { SWITCHING_INIT } from "./guests/switched-root.js";
import { testedKernels } from "./guests/tested-kernels.js";

const LISTED = 1;
const UNLISTED = 2;
const SOCKET = "/run/countersign/agent.sock";
const LOG = "/run/countersign/decisions.jsonl";

const CONFIG = `version: 1
default: { bpf_prog_load: deny }
attachments:
  - name: edge
    policy: edge.js
    limits: { timeout: 10s }
gate: { stall: 30s }
log: { file: ${LOG} }
`;
const POLICY = `import { deny } from "countersign";
export const bpf_prog_load = (prog, current) =>
  current.container?.labels?.tier === "edge" ? 0 : deny("only at the edge");
`;
/** The kernel gives init what it does not know of its command line. With these, node would end at its start. */
const VARIABLES = ["NODE_OPTIONS=--require=/missing.js", "LD_PRELOAD=/missing.so"];
/**
 * With memory.max the agent stands still, since the OOM killer spares it until root says otherwise. Neither the OOM
 * killer nor cgroup.kill asks the hook of signals.
 */
const SCRIPT = `
agent=$(pidof node)
run() { echo "== $1"; shift; "$@"; }
run variables sh -c 'tr "\\0" "\\n" < /proc/1/environ | grep NODE_OPTIONS'
run root load-value ${LISTED} ${UNLISTED}
run root-maps load-mapped
run edge in-container ${SOCKET} one edge load-value ${UNLISTED}
run edge-maps in-container ${SOCKET} one edge load-mapped
run other in-container ${SOCKET} two none load-value ${UNLISTED}
run decisions grep -o '"verdict":-1,.*"reason":"[^"]*"' ${LOG}
run attacks attack-agent "$agent" "${process.execPath}"
run name sh -c 'tr "\\0" "\\n" < /proc/'"$agent"'/cmdline | head -1'
mkdir /sys/fs/cgroup/agent
echo "$agent" > /sys/fs/cgroup/agent/cgroup.procs
echo 1 > /sys/fs/cgroup/agent/cgroup.freeze
run frozen load-value ${LISTED} ${UNLISTED}
echo 0 > /sys/fs/cgroup/agent/cgroup.freeze
run thawed in-container ${SOCKET} one edge load-value ${UNLISTED}
echo +memory > /sys/fs/cgroup/cgroup.subtree_control
echo 4096 > /sys/fs/cgroup/agent/memory.max
in-container ${SOCKET} one edge load-value ${UNLISTED} > /tmp/starved &
sleep 5
run starved load-value ${LISTED} ${UNLISTED}
echo 1000 > "/proc/$agent/oom_score_adj"
killed() { grep -c '^oom_kill [1-9]' /sys/fs/cgroup/agent/memory.events; }
for try in $(seq 1000); do killed > /dev/null && break; usleep 100000; done
run killed killed
echo 1 > /sys/fs/cgroup/agent/cgroup.kill
while [ -e "/proc/$agent/exe" ] && grep -q '[RSD] (' "/proc/$agent/status"; do usleep 100000; done
wait
run starved-edge grep -c loaded /tmp/starved
run dead load-value ${LISTED} ${UNLISTED}
run canary loader --canary
`;

async function boot(kernel: SealKernel): Promise<Ran | string> {
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  const folder = mkdtempSync(join(tmpdir(), "countersign-sealed-agent-"));
  try {
    writeFileSync(join(folder, "countersign.yaml"), CONFIG);
    writeFileSync(join(folder, "edge.js"), POLICY);
    const config = join(folder, "countersign.yaml");
    const agent = await sealedAgent({ config, socket: SOCKET, sharedPids: true });
    const init = cpio([{ path: "init", permissions: 0o755, contents: Buffer.from(SWITCHING_INIT) }]);
    guest.file("bin/loader", loaderBinary(), 0o755);
    for (const name of ["load-value", "load-mapped", "in-container", "attack-agent"])
      guest.file(`bin/${name}`, compileProgram(name), 0o755);
    return guest.run(SCRIPT, {
      following: [sealFragment({ mode: "enforce", list: listOfValues([LISTED]) }, "continue", agent), init],
      commandLine: `rdinit=${SEAL_INIT} ${VARIABLES.join(" ")}`,
      seconds: 840,
      memory: 1024,
    });
  } finally {
    guest.remove();
    rmSync(folder, { recursive: true });
  }
}

/** The lines of each section of the script's output. */
function sectionsOf(output: string): ReadonlyMap<string, readonly string[]> {
  const sections = output.split(/^== /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [name = "", ...lines] = section.trimEnd().split("\n");
      return [name, lines];
    }),
  );
}

/** Later kernels allow them to root with CAP_PERFMON, whatever the hook returns: may_access_mm of kernel/fork.c. */
const READ: Partial<Record<SealKernel, string>> = { "6.12": "EACCES" };

describe("the agent of a sealed machine", () => {
  it.for(testedKernels())(
    "%s: has programs loaded that only its policies allow, and root cannot act in its place",
    async (kernel, { skip }) => {
      const ran = await boot(kernel);
      if (typeof ran === "string") return skip(ran);
      const said = ran.console.match(/countersign: .*/g) ?? [];
      expect(said, ran.console).toEqual([`countersign: listening at ${SOCKET}`, "countersign: sealed"]);
      const sections = sectionsOf(ran.output);
      const own = [`program ${LISTED}: loaded`, `program ${UNLISTED}: EPERM`];
      const allowed = [`program ${UNLISTED}: loaded`];
      expect(Object.fromEntries(sections), ran.output).toMatchObject({
        variables: ["NODE_OPTIONS=--require=/missing.js"],
        root: own,
        "root-maps": ["program with maps: EPERM"],
        edge: allowed,
        "edge-maps": ["program with maps: loaded"],
        other: [`program ${UNLISTED}: EPERM`],
        decisions: [expect.stringContaining('"reason":"edge: only at the edge"')],
        name: ["@countersign-agent"],
        frozen: own,
        thawed: allowed,
        starved: own,
        killed: ["1"],
        "starved-edge": ["0"],
        dead: own,
        canary: [],
      });
      const attacks = [...said, ...(sections.get("attacks") ?? [])].join("\n");
      for (const name of casesOf("agent")) expect(attacks, name).toContain(name);
      expect(sections.get("attacks")).toEqual([
        "SIGKILL: EPERM",
        "SIGSTOP: EPERM",
        "pidfd SIGKILL: EPERM",
        "ptrace: EPERM",
        "pidfd_getfd: EPERM",
        "process_vm_readv: EPERM",
        "memory: EACCES",
        `environment: ${READ[kernel] ?? "DONE"}`,
        `mappings: ${READ[kernel] ?? "DONE"}`,
        "executable: EACCES",
        "file: EACCES",
        "mount namespace: EACCES",
        "namespaces of the pidfd: EPERM",
        "uprobe: EACCES",
        "mount namespaces: several, 0 with the file",
      ]);
    },
  );
});
