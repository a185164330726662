import { describe, expect, it } from "vitest";
import type { Limits } from "../../../../src/policy/attachment.js";
import { type Exploration, explore } from "../../../../src/prove/explorer/exploration.js";
import { DEFAULT_LIMITS } from "../../../../src/sandbox/shared/limits.js";

const NAMES = { keyrings: ["platform"], maps: [] };
const BOUNDS = { paths: 100, timeout: 600_000 };
/** Steps that are used up long before the time is, on a slow machine, too. */
const LIMITS = { ...DEFAULT_LIMITS, steps: 4_000, timeout: 10_000 };

function explored(text: string, limits: Limits = LIMITS): Exploration {
  const files = { read: () => `import { deny } from "countersign";\n${text}`, root: "." };
  return explore({ file: "policy.js", files }, "bpf_prog_load", NAMES, limits, BOUNDS);
}

/** All that an exploration found, as text. */
function found({ paths, symbols, origins }: Exploration): string {
  return JSON.stringify([paths, [...symbols], [...origins]], (_, value) => (value instanceof Map ? [...value] : value));
}

const DECIDED = `const seen = []; export const bpf_prog_load = (prog, current) => {
  seen.push(prog.name); if (current.uid === 0 && prog.effects.read_only) return seen.length === 1 ? 0 : -99;
  return prog.type === "xdp" ? deny("xdp") : -5; };`;

/** Policies that try to leave something to the next path, or to the next policy. */
const LEAVING: Readonly<Record<string, string>> = {
  "variables of the file": `let n = 0; export const bpf_prog_load = (prog) => prog.name === "a" ? -++n : -(++n);`,
  "properties of a function": `const f = () => 0; export const bpf_prog_load = (prog) => {
    if (f.n === 1) return -2; f.n = 1; return prog.name === "a" ? 0 : -1; };`,
  "properties of intrinsics": `export const bpf_prog_load = (prog) => {
    try { Math.left = 1; } catch {} try { Array.prototype.left = 1; } catch {} try { globalThis.left = 1; } catch {}
    return prog.name === "a" ? 0 : -1; };`,
  "all memory": `const all = []; export const bpf_prog_load = (prog) => {
    if (prog.name === "a") return 0; for (;;) all.push("x".repeat(1000) + all.length); };`,
  "a deep stack": `const deep = (n) => 1 + deep(n + 1); export const bpf_prog_load = (prog) =>
    prog.name === "a" ? 0 : deep(0);`,
  "no steps": `export const bpf_prog_load = (prog) => { if (prog.name === "a") return 0; for (;;); };`,
  "an exception": `export const bpf_prog_load = (prog) => { if (prog.name === "a") return 0; throw prog; };`,
};

describe("a policy that is explored after others", () => {
  const alone = found(explored(DECIDED));

  it.each(Object.entries(LEAVING))(
    "has the same paths after one that leaves %s, which has its own again",
    (_, text) => {
      const first = found(explored(text));
      expect(found(explored(DECIDED))).toBe(alone);
      expect(found(explored(text))).toBe(first);
      expect(found(explored(DECIDED))).toBe(alone);
    },
  );

  it("has the same paths after one with other limits", { tags: ["deep"] }, () => {
    const small = { ...LIMITS, stack: 32 * 1024, memory: 4 * 1024 * 1024 };
    expect(explored(DECIDED, small).paths.length).toBe(explored(DECIDED).paths.length);
    expect(found(explored(DECIDED))).toBe(alone);
  });

  it("begins each path with the state that its file declares", () => {
    const ends = explored(DECIDED).paths.map(({ end }) => end.kind === "verdict" && end.verdict);
    expect([...ends].sort()).toEqual([-1, -1, -5, -5, 0]);
    const counted = explored(LEAVING["variables of the file"]!).paths.map(({ end }) => "verdict" in end && end.verdict);
    expect(counted).toEqual([-1, -1]);
  });
});

describe("limits of an exploration", () => {
  const only = (limits: Partial<Limits>) => {
    const { paths } = explored(DECIDED, { ...LIMITS, ...limits });
    return paths.map(({ end }) => (end.kind === "not decided" ? end.why : end.kind));
  };

  it("leave the paths not decided for which the explorer has no memory or no steps", { tags: ["deep"] }, () => {
    const memory = 64 * 1024;
    expect(only({ memory })).toEqual([`a limit of the exploration: ran out of its ${memory} bytes of memory`]);
    expect(only({ steps: 1 })).toEqual(["a limit of the exploration: used more than its 50 steps"]);
  });
});
