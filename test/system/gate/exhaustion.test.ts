import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { amount } from "../nightly.js";
import { needs, needsGate, Site, UNTHROTTLED } from "./site.js";

const CLIENTS = amount(50, 2000);
const LARGE = amount(3, 50);
const INSNS = 1_000_000;
/** How often each thing that is too large is asked for: the kernel takes seconds to refuse the largest map. */
const TIMES = amount(1, 5);
/**
 * Bytes that the gate may take beside what it takes for nothing: of which it copies at most 48 MiB of records and 16
 * MiB of log.
 */
const MORE = 256 * 2 ** 20;

describe("a gate that many ask, or that is asked for much", () => {
  let site: Site;
  let attack: (name: string, ...words: readonly string[]) => string;

  beforeAll(() => {
    // where the machine is busy, 48 MiB take a while to be copied
    site = new Site("export const bpf_prog_load = () => 0;", `gate: { stall: 10s, ${UNTHROTTLED} }\n`);
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc");
    attack = (name, ...words) => [site.attack(name), ...words].join(" ");
    site.forgetLog();
  });

  /** What a command printed, and the most memory that the gate, which is its parent, has taken by then, in bytes. */
  const run = (command: string) => {
    const { stdout, stderr, status } = site.run("sh", "-c", `${command}; grep VmHWM: /proc/$PPID/status`);
    expect([status, stderr]).toEqual([0, ""]);
    const [, said = "", peak] = /^(.*)VmHWM:\s+(\d+) kB\n$/s.exec(stdout) ?? [];
    return { said, peak: Number(peak) * 1024 };
  };
  const loads = () => site.log.filter(({ hook }) => hook === "bpf_prog_load");

  it(`answers ${CLIENTS} clients at once, each about its own program`, () => {
    const { said } = run(attack("clients", String(CLIENTS), "2"));
    expect(said).toBe(`loaded ${CLIENTS}\nown ${CLIENTS}\n`);
    expect(new Set(loads().map(({ subject }) => subject.digest)).size).toBe(CLIENTS);
    expect(new Set(loads().map(({ current }) => current.pid)).size).toBe(CLIENTS);
  });

  it(`answers ${LARGE} clients that load 1,000,000 instructions at once, and small ones beside them`, () => {
    const idle = run("true").peak;
    const { said, peak } = run(attack("clients", String(LARGE), String(INSNS), "20"));
    expect(said).toBe(`loaded ${LARGE + 20}\nown ${LARGE + 20}\n`);
    expect(loads().filter(({ verdict }) => verdict === 0)).toHaveLength(LARGE + 20);
    // one load after the other is copied and analysed, and the facts of few are kept
    expect(peak - idle, "bytes").toBeLessThan(1.5 * 2 ** 30);
  });

  it.each([
    [
      "counts",
      `E2BIG: ${10 * TIMES}\nEINVAL: ${TIMES}\n`,
      "more instructions, records, fds, log or attr than anybody may have",
    ],
    ["records", `EINVAL: ${TIMES}\n`, "as many records as are copied"],
    ["logs", `done: ${TIMES}\n`, "the largest log that the kernel takes"],
    ["types", `EINVAL: ${TIMES}\n`, "16 MiB of BTF"],
    ["maps", `ENOMEM: ${TIMES}\n`, "the largest map that the kernel takes"],
  ])("takes no more memory for what is too large: %s", (way, outcome) => {
    // where hook `bpf` is served, BTF is copied, too
    site.policy("export const bpf_prog_load = () => 0; export const bpf = () => 0;");
    const idle = run("true").peak;
    const { said, peak } = run(attack("exhaust", way, String(TIMES)));
    expect(said).toBe(outcome);
    expect(peak - idle, "bytes").toBeLessThan(MORE);
  });

  it("keeps of programs that are gone no more than of a few", () => {
    site.policy("export const bpf_prog_load = () => 0;");
    const idle = run("true").peak;
    const count = amount(20, 900);
    const { said, peak } = run(attack("exhaust", "programs", String(count), "100000"));
    expect(said).toBe(`done: ${count}\n`);
    // 100,000 instructions take 800 kB, and more than two copies of them are made
    expect(peak - idle, "bytes").toBeLessThan(2 ** 29);
  });
});
