import { readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Engine } from "../../../../src/engine/decision/engine.js";
import { ERRNO } from "../../../../src/errno.js";
import type { Decision } from "../../../../src/hooks/decision.js";
import { hash } from "../../../../src/trust/base/digest.js";
import { DATA, Rotation } from "../../../support/rotation.js";
import { COMPLETE } from "../../../support/share.js";
import { task } from "../../../task.js";

let rotation: Rotation;
let engine: Engine;
const opened: Engine[] = [];
const ROTATIONS = COMPLETE ? 200 : 40;

async function start(generations: number, keyring: object = {}): Promise<void> {
  rotation = new Rotation(generations, keyring);
  engine = await reopen();
}

async function reopen(sealed?: Engine["sealed"]): Promise<Engine> {
  const next = await Engine.open(rotation.config, { sealed });
  opened.push(next);
  return next;
}

function ask(signature: Uint8Array, by = engine): Decision {
  const subject = { name: "blob", digest: hash("sha256", DATA), data: DATA, signature };
  return by.decide({ hook: "blob_verify", subject, current: task() });
}

const log = (): Record<string, unknown>[] =>
  readFileSync(join(rotation.folder, "decisions.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

/**
 * Moves the clock, so that a test need not wait for the files to settle: always ahead of theirs, which nobody moves.
 */
const later = (milliseconds: number): void => {
  const real = performance.timeOrigin + performance.now();
  vi.setSystemTime(Math.max(Date.now(), real) + milliseconds);
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  for (const one of opened.splice(0)) one.close();
  rotation.remove();
});

describe("a keyring that follows its files", () => {
  it(`decides during ${ROTATIONS} rotations, never by a mixture of old and new files, and loses no decision`, {
    tags: ["deep"],
  }, async () => {
    const rotations = ROTATIONS;
    await start(rotations + 1);
    let asked = 0;
    const check = (held: number, generation: number): void => {
      const answers = [
        ask(rotation.signature(held)),
        ask(rotation.signature(Math.max(0, held - 1), held)),
        ask(rotation.signature(held, Math.max(0, held - 1))),
      ];
      asked += answers.length;
      const [pure, ...mixed] = answers.map(({ verdict }) => verdict);
      expect(pure).toBe(0);
      if (held > 0) expect(mixed).toEqual([-ERRNO.ENOKEY, -ERRNO.ENOKEY]);
      for (const { keyrings } of answers) expect(keyrings).toEqual({ k: generation });
    };
    check(0, 1);
    for (let turn = 1; turn <= rotations; turn++) {
      if (turn % 2 === 0) rotation.swap(turn);
      else rotation.write(turn);
      // within the interval the generation before holds, as a whole
      check(turn - 1, turn);
      later(1_000);
      check(turn, turn + 1);
    }
    expect(log().filter(({ id }) => id !== undefined)).toHaveLength(asked);
    expect(log().filter(({ type }) => type === "keyring")).toHaveLength(rotations);
    expect(engine.keyringStatus()).toEqual([{ name: "k", generation: rotations + 1, failures: 0, sealed: false }]);
  });

  it("keeps the last valid files if the new ones cannot be used, and reports this once", async () => {
    await start(2);
    writeFileSync(
      join(rotation.folder, "current/left.pem"),
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    for (let turn = 0; turn < 3; turn++) {
      later(1_000);
      expect(ask(rotation.signature(0))).toMatchObject({ verdict: 0, keyrings: { k: 1 } });
    }
    expect(engine.keyringStatus()).toMatchObject([{ generation: 1, failures: 1 }]);
    const events = log().filter(({ type }) => type === "keyring");
    expect(events).toEqual([
      expect.objectContaining({
        level: "warn",
        keyring: "k",
        generation: 1,
        error: expect.stringMatching(/^keyring `k`: .*left\.pem: .* \[CERTIFICATE_MALFORMED\]/),
      }),
    ]);
    expect(process.emitWarning).toHaveBeenCalledTimes(1);
    rotation.write(1);
    later(1_000);
    expect(ask(rotation.signature(1))).toMatchObject({ verdict: 0, keyrings: { k: 2 } });
  });

  it("keeps the last valid files if one is removed", async () => {
    await start(1);
    rmSync(join(rotation.folder, "current/right.pem"));
    later(1_000);
    expect(ask(rotation.signature(0))).toMatchObject({ verdict: 0, keyrings: { k: 1 } });
    expect(log().find(({ type }) => type === "keyring")?.error).toContain("[FILE_UNREADABLE]");
  });

  it("keeps its generation if only a file's time changed", async () => {
    await start(1);
    utimesSync(join(rotation.folder, "current/left.pem"), 1, 1);
    later(1_000);
    expect(ask(rotation.signature(0)).keyrings).toEqual({ k: 1 });
    expect(log().filter(({ type }) => type === "keyring")).toEqual([]);
  });

  it("remembers nothing of a generation before", async () => {
    await start(2);
    const signature = rotation.signature(0);
    expect(ask(signature).verdict).toBe(0);
    expect(ask(signature).verdict).toBe(0);
    rotation.swap(1);
    later(1_000);
    expect(ask(signature)).toMatchObject({ verdict: -ERRNO.ENOKEY, keyrings: { k: 2 } });
  });
});

describe("a sealed keyring", () => {
  it("stays as it was read, and says that its files have changed", async () => {
    await start(2, { sealed: true });
    rotation.swap(1);
    later(1_000);
    expect(ask(rotation.signature(0))).toMatchObject({ verdict: 0, keyrings: { k: 1 } });
    expect(ask(rotation.signature(1)).verdict).toBe(-ERRNO.ENOKEY);
    expect(engine.keyringStatus()).toEqual([{ name: "k", generation: 1, failures: 1, sealed: true }]);
    expect(log().find(({ type }) => type === "keyring")?.error).toContain("is sealed, and its files have changed");
  });

  it("outlives the engine that read it, and a configuration that unseals it", { tags: ["deep"] }, async () => {
    await start(2, { sealed: true });
    rotation.swap(1);
    const text = readFileSync(join(rotation.folder, "countersign.yaml"), "utf8");
    writeFileSync(join(rotation.folder, "countersign.yaml"), text.replace('"sealed":true', '"sealed":false'));
    const next = await reopen(engine.sealed);
    later(1_000);
    expect(ask(rotation.signature(0), next).verdict).toBe(0);
    expect(ask(rotation.signature(1), next).verdict).toBe(-ERRNO.ENOKEY);
    const fresh = await reopen();
    expect(ask(rotation.signature(1), fresh).verdict).toBe(0);
  });
});

it(`${ROTATIONS} rotations by another process, under a load of decisions: none by a mixture, none lost, and the last one holds`, {
  tags: ["deep"],
}, async () => {
  vi.useRealTimers();
  const generations = ROTATIONS + 1;
  await start(generations);
  const pure = Array.from({ length: generations }, (_, turn) => rotation.signature(turn));
  const mixed = Array.from({ length: generations - 1 }, (_, turn) => rotation.signature(turn, turn + 1));
  const elsewhere = rotation.swapElsewhere(generations, 20);
  const ended = new Promise((resolve) => elsewhere.once("exit", resolve));
  let running = true;
  ended.then(() => {
    running = false;
  });
  let asked = 0;
  let generation = 1;
  while (running) {
    const turn = asked % mixed.length;
    const decision = ask(mixed[turn] as Buffer);
    expect(decision.verdict).toBe(-ERRNO.ENOKEY);
    expect(ask(pure[turn] as Buffer).keyrings.k).toBeGreaterThanOrEqual(generation);
    generation = decision.keyrings.k as number;
    asked += 2;
    if (turn % 10 === 0) await pause(1);
  }
  for (let verdict = -1; verdict !== 0; asked += 1) {
    await pause(20); // until the engine has looked at the files again, after they have settled
    verdict = ask(pure[generations - 1] as Buffer).verdict;
  }
  expect(log().filter(({ id }) => id !== undefined)).toHaveLength(asked);
});
