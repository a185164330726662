/**
 * A process of its own, started with --expose-gc by test/system/soak.test.ts: what it measures is its own memory alone.
 * `node soaking.mjs POLICIES DECISIONS` prints what came of it as JSON.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HOOK_NAMES } from "../../src/hooks/catalogue.js";
import { Domain } from "../../src/policy/domain.js";
import { type LinkedPolicy, linkPolicy } from "../../src/policy/linker/linker.js";
import type { Outcome } from "../../src/policy/model/outcome.js";
import { DEFAULT_LIMITS } from "../../src/sandbox/shared/limits.js";
import { task } from "../task.js";
import { FUNCTIONS } from "./guest.js";

const HOSTILE = [
  "for (;;);",
  "return 'x'.repeat(1e8).length;",
  "return [].indexOf.call({ length: 2 ** 53 - 1 }, 1);",
  "const f = () => f() + 1; try { f(); } catch { return 0; }",
  "const kept = []; for (let i = 0; i < 900; i++) kept.push({ i, text: 'x' + i }); throw new Error(kept.length);",
  "const o = {}; for (let i = 0; i < 5000; i++) o['n' + i] = i; throw new Error(Object.keys(o).length);",
];
const LIMITS = { ...DEFAULT_LIMITS, timeout: 10_000 };

const [, , policies = "", wanted = ""] = process.argv;
const link = (name: string, text: string) => linkPolicy(name, { read: () => text, hookNames: HOOK_NAMES, root: "" });
const names = readdirSync(policies).filter((name) => /^[^.]+\.(js|ts)$/.test(name));
const shipped = names.map((name) => link(name, readFileSync(join(policies, name), "utf8")));
const hostile = HOSTILE.map((body, index) =>
  link(`hostile${index}.js`, `export function bpf_prog_load() { ${body} }\nexport function blob_verify() { ${body} }`),
);

const domain = new Domain();
const effects = { reads_kernel_memory: false, redirects: false, read_only: true };
const program = {
  insn_cnt: 5,
  helpers: [],
  maps: [],
  effects,
  signature: null,
  kernel_signature: null,
  kernel_keyring: null,
  statements: [],
  mismatches: [],
};
const subjects = ["xdp", "sched_cls", "kprobe"].map((type) => ({
  ...program,
  ...{ type, name: type, digest: type },
  ...{ insns: new Uint8Array(40), raw_insns: new Uint8Array(40), data: new Uint8Array(8) },
}));

function ask(policy: LinkedPolicy, index: number): string {
  const subject = subjects[index % subjects.length]!;
  const labels = { tier: index % 2 === 0 ? "edge" : "dev" };
  const current = task({ uid: index % 5, container: { id: "c", name: null, labels, annotations: {} } });
  return words(domain.ask(policy, LIMITS, policy.hooks[0]!, subject, current, FUNCTIONS));
}

/** What must be the same each time. */
const words = ({ verdict, fault, reason, steps }: Outcome) => `${verdict} ${fault?.code} ${reason} ${steps}`;

/** Bytes that the process has, once what is garbage is gone: the modules that were replaced are. */
function memory(): number {
  for (let i = 0; i < 3; i++) (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage.rss();
}

const expected = new Map<string, string>();
let wrong = 0;
let after10k = 0;
for (let index = 0; index < Number(wanted); index++) {
  // every thousandth decision is a hostile one: it may cost all the others their module
  const bad = index % 1000 === 999;
  const policy = bad ? hostile[Math.floor(index / 1000) % hostile.length]! : shipped[index % shipped.length]!;
  const key = `${policy.digest} ${index % subjects.length} ${index % 2} ${index % 5}`;
  const answer = ask(policy, index);
  const before = expected.get(key) ?? answer;
  expected.set(key, before);
  if (answer !== before) wrong += 1;
  if (index === 10_000) after10k = memory();
}
console.log(
  JSON.stringify({ wrong, policies: shipped.length, answers: [...expected.values()], after10k, after: memory() }),
);
