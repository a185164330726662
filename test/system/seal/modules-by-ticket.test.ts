/**
 * Modules by ticket: the agent of a sealed machine loads for its containers what its policies allow, parameters
 * included, and nobody else loads what is not listed. One guest, since node takes long to start where a machine is
 * emulated.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sealedAgent } from "../../../src/cli/input/sealed-agent.js";
import { casesOf } from "../../../src/seal/attacks/rule-attacks.js";
import { encodeFileList, parseFileList } from "../../../src/seal/files.js";
import { cpio } from "../../../src/seal/initramfs/cpio.js";
import { SEAL_INIT, sealFragment } from "../../../src/seal/sealing.js";
import { reasonNumber } from "../../../src/seal/status/reasons.js";
import type { Ran } from "../guest/guest.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileProgram, loaderBinary } from "./guests/sealed-guest.js";
import { SWITCHING_INIT } from "./guests/switched-root.js";
import { ATTACKED, testedKernels } from "./guests/tested-kernels.js";

const SOCKET = "/run/countersign/agent.sock";
const LOG = "/run/countersign/decisions.jsonl";
/** Only the generic kernel has a module that is always denied. */
const GENERIC: SealKernel = "6.12-generic";
const LOADS = 8;
/** Cases of the attacks, beside those below. */
const CHANGED = "parameters changed meanwhile";
const NEVER = "always denied";

/** Containers without the label have no policy, and the default allows what they load. */
const CONFIG = `version: 1
attachments:
  - name: modules
    policy: modules.js
    scope: { labels: "tier in (edge)" }
    limits: { timeout: 10s }
gate: { stall: 30s }
log: { file: ${LOG} }
`;
const policy = (known: readonly string[]) => `import { deny } from "countersign";
const known = ${JSON.stringify(known)};
export const kernel_read_file = (file) => {
  if (!known.includes(file.sha256)) return deny("an unknown module");
  return ["", "numdummies=2"].includes(file.parameters) ? 0 : deny("other parameters");
};
`;

/** Of a task of the agent's containers, by the name of a case: call, file and parameters. */
const BY_TICKET: Readonly<Record<string, readonly [call: string, file: string, parameters: string]>> = {
  "allowed, by its file": ["finit", "dummy.ko", "numdummies=2"],
  "allowed, from memory": ["init", "dummy.ko", "numdummies=2"],
  "allowed, compressed": ["compressed", "dummy.ko.xz", ""],
  "parameters that the policy denies": ["finit", "dummy.ko", "numdummies=3"],
  "denied by the policy": ["finit", "msr.ko", ""],
  "denied by the policy, from memory": ["init", "msr.ko", ""],
  "allowed, and not signed": ["finit", "unsigned.ko", ""],
};

/** What root tries without the agent. */
const BY_ROOT: Readonly<Record<string, readonly [call: string, file: string, parameters: string]>> = {
  "root, by its file": ["finit", "dummy.ko", "numdummies=2"],
  "root, from memory": ["init", "dummy.ko", ""],
  "root, compressed": ["compressed", "dummy.ko.xz", ""],
};

const load = (name: string, [call, file, parameters]: readonly [string, string, string]) =>
  `load-module "${name}" ${call} /bin/${file} "${parameters}"`;
const inContainer = (label: string, command: string) => `in-container ${SOCKET} ${label} ${label} ${command}`;
const ALLOWED = ["finit", "dummy.ko", "numdummies=2"] as const;

/** The kernel starts /bin/asked in the place of modprobe. */
const ASKED = `#!/bin/sh
${load("requested by the kernel", [...ALLOWED])} > /tmp/requested
`;

const SCRIPT = `
[ -e /bin/arcnet.ko ] && insmod /bin/arcnet.ko && echo "listed: loaded"
${Object.entries(BY_ROOT)
  .map(([name, given]) => load(name, given))
  .join("\n")}
echo /bin/asked > /proc/sys/kernel/modprobe
mount -t nosuch none /tmp 2>/dev/null
cat /tmp/requested
${Object.entries(BY_TICKET)
  .map(([name, given]) => inContainer("edge", load(name, given)))
  .join("\n")}
${inContainer("none", load("no policy in its scope", [...ALLOWED]))}
[ -e /bin/arc-rimi.ko ] && ${inContainer("edge", load(NEVER, ["finit", "arc-rimi.ko", ""]))}
echo "== ${CHANGED}"
${inContainer("edge", `change-parameters /bin/dummy.ko numdummies=2 numdummies=3 ${LOADS}`)}
lock-seal || echo "not locked"
echo "== locked"
${inContainer("edge", load("allowed", [...ALLOWED]))}
[ -e /bin/arcnet.ko ] && rmmod arcnet && insmod /bin/arcnet.ko && echo "listed: loaded"
echo "== reasons"
grep -o '"reason":"[^"]*"' ${LOG} | sort -u
echo "== denials"
denials | cut -d' ' -f2 | sort -u
`;

/** The module without the signature at its end (struct module_signature of include/linux/module_signature.h). */
function unsigned(module: Uint8Array): Uint8Array {
  const bytes = Buffer.from(module);
  const end = bytes.length - "~Module signature appended~\n".length;
  return bytes.subarray(0, end - 12 - bytes.readUInt32BE(end - 4));
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function boot(kernel: SealKernel): Promise<Ran | string> {
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  const folder = mkdtempSync(join(tmpdir(), "countersign-modules-by-ticket-"));
  try {
    const dummy = guest.kernel.module("dummy");
    const files = new Map<string, Uint8Array>([
      ["dummy.ko", dummy],
      ["dummy.ko.xz", execFileSync("xz", ["--check=crc32", "--lzma2=dict=1MiB", "-c"], { input: dummy })],
      ["unsigned.ko", unsigned(dummy)],
      ...[...guest.kernel.modules(["arc-rimi"])].map(([name, bytes]) => [`${name}.ko`, bytes] as const),
    ]);
    const known = [...files.values()].map(digestOf);
    const listed = [...guest.kernel.modules(["arcnet"])];
    for (const [name, bytes] of [...files, ...listed.map(([name, bytes]) => [`${name}.ko`, bytes] as const)])
      guest.file(`bin/${name}`, bytes);
    guest.file("bin/asked", ASKED, 0o755);
    guest.file("bin/msr.ko", guest.kernel.module("msr"));
    writeFileSync(join(folder, "countersign.yaml"), CONFIG);
    writeFileSync(join(folder, "modules.js"), policy(known));
    const agent = await sealedAgent({ config: join(folder, "countersign.yaml"), socket: SOCKET, sharedPids: true });
    const init = cpio([{ path: "init", permissions: 0o755, contents: Buffer.from(SWITCHING_INIT) }]);
    guest.file("bin/loader", loaderBinary(), 0o755);
    for (const name of ["load-module", "in-container", "change-parameters", "denials", "lock-seal"])
      guest.file(`bin/${name}`, compileProgram(name), 0o755);
    const digests = listed.map(([, bytes]) => digestOf(bytes));
    const list = parseFileList(encodeFileList({ modules: digests, executables: null, modulesByTicket: true }));
    return guest.run(SCRIPT, {
      following: [sealFragment({ mode: "enforce", list: null, files: list }, "continue", agent), init],
      commandLine: `rdinit=${SEAL_INIT}`,
      seconds: 840,
      memory: 1024,
    });
  } finally {
    guest.remove();
    rmSync(folder, { recursive: true });
  }
}

/** In the short form it is the generic one that is booted, although it takes longer. */
const { COUNTERSIGN_NIGHTLY, COUNTERSIGN_KERNEL } = process.env;
const isShort = COUNTERSIGN_NIGHTLY === undefined && COUNTERSIGN_KERNEL === undefined;
const KERNELS = isShort ? [GENERIC] : testedKernels(undefined, ATTACKED);

describe("modules by ticket", () => {
  it.for(KERNELS)(
    "%s: are loaded for containers of the agent with what its policies allowed, and for nobody else",
    { timeout: 900_000 },
    async (kernel, { skip }) => {
      const ran = await boot(kernel);
      if (typeof ran === "string") return skip(ran);
      expect(ran.console).toContain("countersign: sealed");
      const [first = "", ...sections] = ran.output.split(/^== /m);
      const results = Object.fromEntries(
        Array.from(first.matchAll(/^(.+): (.+)$/gm), ([, name, result]) => [name, result]),
      );
      const module = `EPERM ${reasonNumber("module")}`;
      const isGeneric = kernel === GENERIC;
      expect(results, ran.output).toEqual({
        "root, by its file": module,
        "root, from memory": module,
        "root, compressed": module,
        "requested by the kernel": module,
        "allowed, by its file": "ok",
        "allowed, from memory": "ok",
        "allowed, compressed": "ok",
        "parameters that the policy denies": "EPERM",
        "denied by the policy": "EPERM",
        "denied by the policy, from memory": "EPERM",
        "allowed, and not signed": "EPERM",
        "no policy in its scope": "EPERM",
        ...(isGeneric ? { listed: "loaded", [NEVER]: "ENOMEM" } : {}),
      });
      const isTried = (name: string) => name !== CHANGED && (isGeneric || name !== NEVER);
      for (const name of casesOf("modules-by-ticket").filter(isTried))
        expect(results[name], name).toMatch(/^(?:EPERM|ENOMEM)/);
      const lines = (section: string) =>
        sections
          .find((each) => each.startsWith(section))
          ?.trim()
          .split("\n")
          .slice(1);
      // each was loaded with the parameters on which the policy decided
      expect(lines(CHANGED), ran.output).toEqual([`${LOADS} loaded, some denied`, `2 devices: ${LOADS}`]);
      expect(lines("locked"), ran.output).toEqual(["allowed: EPERM", ...(isGeneric ? ["listed: loaded"] : [])]);
      for (const reason of [
        "modules: an unknown module",
        "modules: other parameters",
        "gate: the guard denied the module",
      ])
        expect(lines("reasons")?.join("\n")).toContain(`"reason":"${reason}`);
      const denied = ["module", "kernel_change", ...(isGeneric ? ["never"] : [])];
      for (const name of denied) expect(lines("denials"), name).toContain(`${reasonNumber(name)}`);
    },
  );
});
