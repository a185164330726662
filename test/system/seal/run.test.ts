/**
 * `countersign run` on a sealed machine with an agent: what it loads is allowed by its own policies, by those of the
 * agent, and by the agent's ticket. One guest, since node takes long to start where a machine is emulated.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sealedAgent } from "../../../src/cli/input/sealed-agent.js";
import { probeEntries } from "../../../src/seal/build/probe-entries.js";
import { encodeList, parseList } from "../../../src/seal/list.js";
import { SEAL_INIT, sealFragment } from "../../../src/seal/sealing.js";
import type { Ran } from "../guest/guest.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileObject, compileProgram, listOfValues, loaderBinary } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";

const BPFTOOL = "/usr/sbin/bpftool";
const SOCKET = "/run/countersign/agent.sock";
const LOG = "/run/countersign/decisions.jsonl";
const LISTED = 3;
const UNLISTED = 4;

/** The agent allows the programs of unlisted.bpf.c and load-mapped.c, and none else. */
const AGENT = {
  "agent.yaml": `version: 1
default: { bpf_prog_load: deny }
attachments:
  - { name: agent, policy: agent.js, limits: { timeout: 10s } }
gate: { stall: 30s }
log: { file: ${LOG} }
`,
  "agent.js": `import { deny } from "countersign";
export const bpf_prog_load = (prog) =>
  prog.name === "unlisted" || prog.maps.length > 0 ? 0 : deny("the agent knows no such program");
`,
};
/** Configurations of `run`. */
const RUN = {
  allow: "version: 1\ndefault: { bpf_prog_load: allow }\nattachments: []\ngate: { stall: 30s }\n",
  deny: "version: 1\ndefault: { bpf_prog_load: deny }\nattachments: []\ngate: { stall: 30s }\n",
};

const LOAD = "bpftool prog load /lib/unlisted.o /sys/fs/bpf/it";
/** What one `run` loads: the agent allows the first two, and denies the others, the last one although it is listed. */
const LOADS = `
${LOAD} && echo "unlisted.o: loaded"
load-mapped
bpftool prog load /lib/listed.o /sys/fs/bpf/other && echo "listed.o: loaded"
load-value ${LISTED}
`;
/** Each step, in the order in which the one guest runs it. */
const ALL_STEPS: Readonly<Record<string, string>> = {
  "without run": `${LOAD}; load-value ${LISTED} ${UNLISTED}`,
  "run allows": "guarded allow sh /lib/loads",
  "run denies": `guarded deny ${LOAD}`,
  "the agent ends meanwhile": `guarded allow sh /lib/end-agent ${LOAD}`,
  "the agent has ended": `guarded allow load-value ${LISTED} ${UNLISTED}`,
};

/** What the policies of a configuration deny is tested on the running kernel too: node takes long to start here. */
const NIGHTLY = ["run denies"];
const STEPS = Object.fromEntries(
  Object.entries(ALL_STEPS).filter(
    ([name]) => process.env.COUNTERSIGN_NIGHTLY !== undefined || !NIGHTLY.includes(name),
  ),
);

const SCRIPT = `
export NO_COLOR=1
mount -t tmpfs -o mode=1777 tmpfs /root
printf '#!/bin/sh\\nexec node /countersign/bin/countersign.js "$@"\\n' > /bin/countersign; chmod 755 /bin/countersign
guarded() { config=$1; shift; countersign run --config "/lib/$config.yaml" -- "$@" < /dev/null; }
${Object.entries(STEPS)
  .map(([name, step]) => `echo "PART ${name}"; ${step}; echo "exit $?"; rm -f /sys/fs/bpf/it`)
  .join("\n")}
echo "PART log"
grep -o '"verdict":-1,.*"reason":"[^"]*"' ${LOG}
`;

/** cgroup.kill does not ask the hook of signals. */
const END_AGENT = `
agent=$(pidof node | tr ' ' '\\n' | while read -r each; do
  if grep -q '^@countersign-agent' "/proc/$each/cmdline"; then echo "$each"; fi
done)
mkdir /sys/fs/cgroup/agent
echo "$agent" > /sys/fs/cgroup/agent/cgroup.procs
echo 1 > /sys/fs/cgroup/agent/cgroup.kill
while [ -e "/proc/$agent/exe" ] && grep -q '[RSD] (' "/proc/$agent/status"; do usleep 100000; done
exec "$@"
`;

async function boot(kernel: SealKernel): Promise<Ran | string> {
  if (!existsSync(BPFTOOL)) return "needs bpftool";
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  const folder = mkdtempSync(join(tmpdir(), "countersign-run-under-seal-"));
  try {
    for (const [name, text] of Object.entries(AGENT)) writeFileSync(join(folder, name), text);
    const agent = await sealedAgent({ config: join(folder, "agent.yaml"), socket: SOCKET });
    const { header, entries } = listOfValues([LISTED]);
    const list = parseList(encodeList([...entries, ...probeEntries()], header));
    guest.countersign();
    guest.program(BPFTOOL, "bin/bpftool");
    guest.file("bin/loader", loaderBinary(), 0o755);
    for (const name of ["load-value", "load-mapped"]) guest.file(`bin/${name}`, compileProgram(name), 0o755);
    for (const name of ["listed", "unlisted"]) guest.file(`lib/${name}.o`, compileObject(name));
    for (const [name, text] of Object.entries(RUN)) guest.file(`lib/${name}.yaml`, text);
    guest.file("lib/end-agent", END_AGENT);
    guest.file("lib/loads", LOADS);
    return guest.run(SCRIPT, {
      following: [sealFragment({ mode: "enforce", list }, "continue", agent)],
      commandLine: `rdinit=${SEAL_INIT}`,
      seconds: 1700,
      memory: 2048,
    });
  } finally {
    guest.remove();
    rmSync(folder, { recursive: true });
  }
}

describe("run on a sealed machine", () => {
  const timeout = 1_800_000;
  it.for(testedKernels())(
    "%s: loads what both its policies and the agent allow",
    { timeout },
    async (kernel, { skip }) => {
      const ran = await boot(kernel);
      if (typeof ran === "string") return skip(ran);
      const found = ran.output.split(/^PART (.*)\n/m).slice(1);
      const parts = new Map(found.flatMap((name, at) => (at % 2 === 0 ? [[name, found[at + 1]!] as const] : [])));
      const lines = (text: string) => text.match(/^(?:program|unlisted\.o:|listed\.o:|exit|countersign: \d+) .*$/gm);
      const reasons = (text: string) =>
        new Set(Array.from(text.matchAll(/^ {2}denied \S+ .*?: (.*)$/gm), ([, reason]) => reason));
      const log = parts.get("log") ?? "";
      parts.delete("log");
      const results = Array.from(parts, ([name, text]) => [name, { lines: lines(text), reasons: [...reasons(text)] }]);
      const byGuard =
        "gate: the agent of this sealed machine, or its guard, denied it: see the agent's log and `seal log`";
      const counts = expect.stringMatching(/^countersign: \d+ allowed, \d+ denied/);
      const expected = {
        "without run": { lines: ["program 3: loaded", "program 4: EPERM", "exit 0"], reasons: [] },
        "run allows": {
          lines: ["unlisted.o: loaded", "program with maps: loaded", "program 3: EPERM", counts, "exit 0"],
          reasons: [byGuard],
        },
        "run denies": { lines: [counts, "exit 255"], reasons: [expect.stringContaining("default for bpf_prog_load")] },
        "the agent ends meanwhile": {
          lines: [counts, "exit 255"],
          reasons: ["gate: the agent of this sealed machine has ended"],
        },
        "the agent has ended": {
          lines: ["program 3: loaded", "program 4: EPERM", counts, "exit 0"],
          reasons: [byGuard],
        },
      };
      const all = Object.entries(expected).filter(([name]) => name in STEPS);
      expect(Object.fromEntries(results), ran.console).toEqual(Object.fromEntries(all));
      expect(log).toContain('"reason":"agent: the agent knows no such program"');
    },
  );
});
