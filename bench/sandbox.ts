import { readFileSync } from "node:fs";
import type { ProgramSubject } from "../src/bpf/model/facts.js";
import { HOOK_NAMES } from "../src/hooks/catalogue.js";
import { Domain } from "../src/policy/domain.js";
import { type LinkedPolicy, linkPolicy } from "../src/policy/linker/linker.js";
import type { Current } from "../src/policy/model/current.js";
import { hash } from "../src/trust/base/digest.js";
import { subjectsOf } from "../test/support/file-subjects.js";
import { attachmentRows } from "./attachments.js";
import { peerRows } from "./peers.js";
import type { Figure, Missing, Row } from "./row.js";
import { threadRows } from "./threads.js";

export const title = "The sandbox";

const LIMITS = { steps: 1_000_000, memory: 8 * 2 ** 20, stack: 256 * 2 ** 10, timeout: 1000 };
const UNSIGNED = "policies/allow-unsigned-tc.js";
const LABEL = `export function bpf_prog_load(prog, current) {
  return current.container?.labels.tier === "edge" ? 0 : -1;
}`;
const PLAIN = `export const bpf_prog_load = (prog) => prog.type === "sched_cls" && !prog.effects.reads_kernel_memory ? 0 : -1;`;
const HASH = `import { hash } from "countersign";
export const bpf_prog_load = (prog) => hash("sha256", prog.insns) === prog.digest ? 0 : -1;`;
const MAP = `import { map_lookup } from "countersign";
export const bpf_prog_load = (prog) => map_lookup("allowed", prog.digest)?.type === prog.type ? 0 : -1;`;

const root = new URL("../../../", import.meta.url);
const file = (path: string) => readFileSync(new URL(path, root));
const link = (path: string, text = file(path).toString()): LinkedPolicy =>
  linkPolicy(path, { read: () => text, hookNames: HOOK_NAMES, root: "policies" });

/** A tc program of an example, as the engine knows it. */
export function program(): ProgramSubject {
  const [subject] = subjectsOf("drop-telnet.o", file("examples/drop-telnet.o"), "bpf_prog_load");
  return subject as ProgramSubject;
}

/** The facts of a program as JSON, with the length of bytes in their place. */
export function factsOf(prog: ProgramSubject): string {
  const plain = (value: object): unknown => {
    if (value instanceof Uint8Array) return { length: value.length };
    if (Array.isArray(value) || value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, plain(held)]));
  };
  return JSON.stringify(plain({ ...prog, evidence: undefined }));
}

export function current(pid: number): Current {
  const labels = { app: `web-${pid}`, tier: "edge", team: "platform" };
  const container = { id: `c${pid}`, name: "web", labels, annotations: {} };
  const namespaces = { mnt: 4026531841, pid: 4026531836, net: 4026531840 };
  return {
    pid,
    tid: pid,
    uid: 0,
    euid: 0,
    gid: 0,
    comm: "tc",
    exe: "/usr/sbin/tc",
    cgroup: "/",
    capabilities: ["CAP_BPF"],
    namespaces,
    container,
  };
}

export async function rows(): Promise<(Row | Missing | Figure)[]> {
  const prog = program();
  const sent = factsOf(prog);
  const facts = `${sent.length} characters of facts`;
  const domain = new Domain({ keyrings: ["platform"] });
  const allowed = new Map<string, unknown>([[prog.digest, { type: prog.type }]]);
  const functions = {
    verify_signature: () => -126,
    signer_of: () => null,
    verify_program: () => -126,
    statement_of: () => -1,
    signer_of_program: () => null,
    hash,
    map_lookup: (_: string, key: string) => allowed.get(key),
    map_update: () => 0,
    map_delete: () => 0,
  };
  const ask = (policy: LinkedPolicy, subject: ProgramSubject, who: Current) => {
    const { verdict } = domain.ask(policy, LIMITS, "bpf_prog_load", subject, who, functions);
    if (verdict !== 0) throw new Error(`a benchmark's verdict is ${verdict}`);
  };
  const [unsigned, plain, label, hashing, map] = [
    link(UNSIGNED),
    link("plain.js", PLAIN),
    link("label.js", LABEL),
    link("hash.js", HASH),
    link("map.js", MAP),
  ];
  const who = current(1);
  let pid = 1;
  return [
    {
      name: "unsigned, known facts",
      note: `allow-unsigned-tc; a statement found absent; ${facts}`,
      run: () => ask(unsigned, prog, who),
      asked: [
        { of: "isolated-vm, facts copied in", atMost: 0.5 },
        { of: "casbin, cheapest attribute rule", atMost: 1 },
        { of: "cedar-wasm, preparsed", atMost: 1 / 25 },
      ],
    },
    { name: "known facts, no helper", run: () => ask(plain, prog, who) },
    {
      name: "`current` changing, a label read",
      note: "a new container with new labels each time",
      run: () => ask(label, prog, current(pid++)),
      asked: [{ of: "isolated-vm, `current` changing", atMost: 0.75 }],
    },
    { name: "a helper that crosses", note: "SHA-256 of the instructions", run: () => ask(hashing, prog, who) },
    { name: "a map look-up", run: () => ask(map, prog, who) },
    { name: "first-seen facts", note: "a new subject each time", run: () => ask(unsigned, { ...prog }, who) },
    ...(await peerRows(sent, current)),
    ...(await attachmentRows(prog, who)),
    ...(await threadRows(prog, who)),
  ];
}
