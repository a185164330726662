/**
 * `reveals_addresses` against the kernel's verifier: with CAP_BPF and CAP_NET_ADMIN, but without CAP_PERFMON, it
 * rejects programs that hand out addresses.
 */
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { effectsOf } from "../../src/bpf/analysis/effects.js";
import { codeOf } from "../../src/bpf/assembly/assembly.js";
import type { Code, CodeMap } from "../../src/bpf/model/code.js";
import { flowsOf, SINKS, SOURCES } from "../support/address-flows.js";
import { numbers, seedOf } from "../support/damage.js";
import { closeMaps, type Loaded, load } from "../support/kernel-load.js";
import { randomFlow } from "../support/random-flows.js";
import { CAP, withCapabilities } from "../support/thread-capabilities.js";
import { amount } from "./nightly.js";

const seed = seedOf();
const maps = new Map<CodeMap, number>();
let refusal: string | null = null;

beforeAll(() => {
  if (process.getuid?.() !== 0) refusal = "needs root to load BPF";
  else if (load(codeOf("r0 = 2; exit", { type: "xdp" }), maps).errno !== 0)
    refusal = "needs a kernel that lets root load BPF";
});
afterAll(() => closeMaps(maps));

/** After so many loads there is a pause: the kernel frees programs on a queue, which must not fill. */
const AT_ONCE = 20;
let loads = 0;

/** Loads with all capabilities, which also makes the maps, or without those that let a program have addresses. */
async function loaded(code: Code, mayHaveAddresses: boolean): Promise<Loaded> {
  loads += 1;
  if (loads % AT_ONCE === 0) await setTimeout(100);
  return mayHaveAddresses ? load(code, maps) : withCapabilities(CAP.BPF | CAP.NET_ADMIN, () => load(code, maps));
}

const reveals = (code: Code) => effectsOf(code).effects.reveals_addresses;

describe(`what the verifier says about addresses (seed ${seed})`, () => {
  it("rejects each flow that it allows with CAP_PERFMON", async (context) => {
    if (refusal !== null) return context.skip(refusal);
    const next = numbers(seed);
    const every = flowsOf(SOURCES);
    const share = amount(12, 1);
    const flows = every.filter(() => next(share) === 0);
    const allowed = [];
    for (const flow of flows) if ((await loaded(flow.code, true)).errno === 0) allowed.push(flow);
    expect(allowed.length).toBeGreaterThan(flows.length / 3);
    expect(new Set(allowed.map(({ sink }) => sink.name)).size).toBeGreaterThan(SINKS.length - 4);
    const without = [];
    for (const flow of allowed) if ((await loaded(flow.code, false)).errno === 0) without.push(flow.name);
    expect(without).toEqual([]);
  });

  it("rejects no random program for an address that leaves, of which the effect is false", async (context) => {
    if (refusal !== null) return context.skip(refusal);
    const next = numbers(seed);
    const missed = [];
    const spurious = [];
    let leaking = 0;
    let allowed = 0;
    for (let index = 0; index < amount(400, 8_000); index++) {
      const { text, code } = randomFlow(next);
      if (index === 0) await loaded(code, true);
      const { errno, why } = await loaded(code, false);
      if (errno === 0) {
        allowed += 1;
        if (reveals(code)) spurious.push(text);
      } else if (/leaks addr/.test(why)) {
        leaking += 1;
        if (!reveals(code)) missed.push(`${why}: ${text}`);
      }
    }
    expect(missed).toEqual([]);
    expect(spurious).toEqual([]);
    expect(leaking).toBeGreaterThan(20);
    expect(allowed).toBeGreaterThan(20);
  });
});
