import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { seedOf } from "../../support/damage.js";
import { amount } from "../nightly.js";
import { BIN, needs, needsGate, Site } from "./site.js";

/** Each test kills gates at so many points: on a busy machine each takes seconds. */
const [TESTS, POINTS] = [amount(2, 20), 10];
/**
 * Milliseconds within which the gate is killed, from when loads begin, or from when so many programs were got: a busy
 * machine may not do one load in the time.
 */
const WITHIN = 150;
const FIRST = 4;
const THREADS = 3;
/** Every third program is refused, so that both outcomes are under way. */
const POLICY = "export const bpf_prog_load = (prog) => (prog.digest.charCodeAt(0) % 3 === 0 ? -1 : 0);";

describe("a gate that is killed under load", () => {
  let site: Site;

  beforeAll(() => {
    site = new Site(POLICY);
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc");
  });

  /** SHA-256 of `r0 = value; exit`. */
  const digest = (value: number) => {
    const insns = Buffer.from("b7000000000000009500000000000000", "hex");
    insns.writeInt32LE(value, 4);
    return createHash("sha256").update(insns).digest("hex");
  };

  /**
   * Kills a gate so long after its command has begun, with so many programs, and gives what the command said once all
   * of it has ended.
   */
  const killedAfter = (delay: number, first: number) =>
    new Promise<{ readonly out: string; readonly complaint: string }>((resolve) => {
      const words = ["run", "--quiet", "--config", join(site.folder, "countersign.yaml"), "--", site.attack("flood")];
      const gate = spawn(process.execPath, [BIN, ...words, String(THREADS), String(first)], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      let out = "";
      let complaint = "";
      gate.stderr.on("data", (chunk: Buffer) => {
        complaint += chunk.toString();
      });
      gate.stdout.on("data", (chunk: Buffer) => {
        if (out === "") setTimeout(() => gate.kill("SIGKILL"), delay);
        out += chunk.toString();
      });
      // the command outlives the gate, and holds the pipe
      gate.once("close", () => resolve({ out, complaint }));
    });

  const seed = seedOf();
  const parts = Array.from({ length: TESTS }, (_, index) => [index + 1, Math.imul(seed, index + 1) >>> 0] as const);

  it.each(parts)(
    "fails every pending and later bpf(2), and nothing was loaded that the log does not have: part %i",
    async (_, first) => {
      console.info(`SEED=${seed}`);
      let state = first;
      let loaded = 0;
      for (let point = 0; point < POINTS; point += 1) {
        site.forgetLog();
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        const { out, complaint } = await killedAfter((state / 2 ** 32) * WITHIN, point % 2 === 0 ? 0 : FIRST);
        const lines = out.trim().split("\n");
        expect([lines[0], lines.at(-1)], `point ${point}: ${complaint}`).toEqual(["begun", "later: ENOSYS"]);
        const allowed = new Set(site.log.filter(({ verdict }) => verdict === 0).map(({ subject }) => subject.digest));
        const missing = lines.slice(1, -1).filter((value) => !allowed.has(digest(Number(value))));
        expect(missing).toEqual([]);
        loaded += lines.length - 2;
      }
      expect(loaded).toBeGreaterThan(POINTS);
    },
  );
});
