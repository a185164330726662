import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeAll, describe, expect, it } from "vitest";
import { HOOK_NAMES } from "../../src/hooks/catalogue.js";
import { DEFAULT_LIMITS } from "../../src/policy/attachment.js";
import { Domain } from "../../src/policy/domain.js";
import { type LinkedPolicy, linkPolicy } from "../../src/policy/linker.js";
import type { Outcome } from "../../src/policy/outcome.js";
import { FUNCTIONS } from "../support/guest.js";
import { task } from "../task.js";

const DECISIONS = Number(process.env.SOAK ?? 1_000_000);
const policies = fileURLToPath(new URL("../../policies/", import.meta.url));
const HOSTILE = [
  "for (;;);",
  "return 'x'.repeat(1e8).length;",
  "const f = () => f() + 1; try { f(); } catch { return 0; }",
  "const kept = []; for (let i = 0; i < 900; i++) kept.push({ i, text: 'x' + i }); throw new Error(kept.length);",
];

/** One of each kind of answer that the policies that ship can give, over and over, with a hostile neighbour among them. */
describe(`${DECISIONS} decisions by ten policies with a hostile neighbour`, () => {
  const link = (name: string, text: string) => linkPolicy(name, { read: () => text, hookNames: HOOK_NAMES, root: "" });
  let shipped: LinkedPolicy[];
  let hostile: LinkedPolicy[];
  beforeAll(() => {
    const names = readdirSync(policies).filter((name) => /^[^.]+\.(js|ts)$/.test(name));
    shipped = names.map((name) => link(name, readFileSync(join(policies, name), "utf8")));
    hostile = HOSTILE.map((body, index) =>
      link(
        `hostile${index}.js`,
        `export function bpf_prog_load() { ${body} }\nexport function blob_verify() { ${body} }`,
      ),
    );
  });

  it("loses nothing, gets nothing wrong, and keeps its memory", () => {
    const domain = new Domain();
    const effects = { reads_kernel_memory: false, redirects: false, read_only: true };
    const program = { insn_cnt: 5, helpers: [], maps: [], effects, signature: null, kernel_signature: null };
    const subjects = ["xdp", "sched_cls", "kprobe"].map((type) => ({
      ...program,
      type,
      name: type,
      digest: type,
      insns: new Uint8Array(40),
      raw_insns: new Uint8Array(40),
      data: new Uint8Array(8),
    }));
    const ask = (policy: LinkedPolicy, index: number): Outcome => {
      const subject = subjects[index % subjects.length]!;
      const labels = { tier: index % 2 === 0 ? "edge" : "dev" };
      const current = task({ uid: index % 5, container: { id: "c", name: null, labels, annotations: {} } });
      return domain.ask(
        policy,
        { ...DEFAULT_LIMITS, fuel: 20_000, wall: 10_000 },
        policy.hooks[0]!,
        subject,
        current,
        FUNCTIONS,
      );
    };
    const words = ({ verdict, fault, reason, fuel }: Outcome) => `${verdict} ${fault?.code} ${reason} ${fuel}`;

    const expected = new Map<string, string>();
    let after10k = 0;
    let wrong = 0;
    let made = 0;
    for (let index = 0; made < DECISIONS; index++) {
      // every thousandth decision is a hostile one: it may cost all the others their module
      const policy =
        index % 1000 === 999 ? hostile[((index / 1000) % hostile.length) | 0]! : shipped[index % shipped.length]!;
      const key = `${policy.digest} ${index % subjects.length} ${index % 2} ${index % 5}`;
      const answer = words(ask(policy, index));
      const before = expected.get(key) ?? answer;
      expected.set(key, before);
      if (answer !== before) wrong += 1;
      made += 1;
      if (made === 10_000) after10k = memory();
    }
    expect(wrong).toBe(0);
    expect(expected.size).toBeGreaterThanOrEqual(10 * 2);
    expect(memory()).toBeLessThan(after10k * 1.2);
  }, 900_000);
});

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes that the process has, once what is garbage is gone: the modules that were replaced are. */
function memory(): number {
  for (let i = 0; i < 3; i++) collect();
  return process.memoryUsage.rss();
}
