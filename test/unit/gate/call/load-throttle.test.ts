import { describe, expect, it } from "vitest";
import { LoadThrottle } from "../../../../src/gate/call/load-throttle.js";
import { ReleaseCounter } from "../../../../src/gate/call/release-counter.js";
import { numbers } from "../../../support/damage.js";
import { FakeProgramIds } from "../../../support/fake-program-ids.js";

const LIMIT = 200;
const START = 5_000_000;
const SEED = 32;

/** A gate whose kernel and clock are those of the test. */
class Throttled {
  readonly kernel = new FakeProgramIds();
  readonly total = new ReleaseCounter();
  now = START;
  waits = 0;
  /** When programs were released. */
  readonly releases: number[] = [];
  readonly #counters = new Map<string, ReleaseCounter>();
  throttle: LoadThrottle;

  constructor(
    readonly containers: readonly string[] = [""],
    limit = LIMIT,
  ) {
    this.throttle = new LoadThrottle(this.total, limit, this.kernel.next, () => this.now);
    for (const key of containers) this.#counters.set(key, new ReleaseCounter());
    this.#serve();
  }

  /** Another thread takes over. */
  takeOver(): void {
    this.throttle = new LoadThrottle(this.total, LIMIT, this.kernel.next, () => this.now);
    this.#serve();
  }

  #serve(): void {
    for (const [key, { memory }] of this.#counters) this.throttle.serve(key, memory);
  }

  /** Loads a program, after as many pauses as it must wait. Returns its id. */
  load(key = ""): number {
    for (let pause = this.throttle.pause(key); pause > 0; pause = this.throttle.pause(key)) {
      this.waits += 1;
      this.now += pause;
    }
    return this.make(key);
  }

  /** Loads a program if it need not wait. */
  tryLoad(key = ""): number | null {
    return this.throttle.pause(key) === 0 ? this.make(key) : null;
  }

  make(key: string): number {
    const id = this.kernel.load();
    this.throttle.loaded(id, key);
    return id;
  }

  close(...ids: readonly number[]): void {
    this.kernel.release(...ids);
    for (const _ of ids) this.releases.push(this.now);
  }

  /** Maximum number of releases in any second. */
  get most(): number {
    let [most, from] = [0, 0];
    for (const [to, time] of this.releases.entries()) {
      while (this.releases[from]! <= time - 1000) from += 1;
      most = Math.max(most, to - from + 1);
    }
    return most;
  }
}

describe("loads of programs that stay", () => {
  it.each([1, 200, 2000])("never wait: 5,000, %i in a millisecond", (perMillisecond) => {
    const gate = new Throttled();
    for (let load = 0; load < 5000; load += 1) {
      expect(gate.tryLoad()).not.toBeNull();
      if (load % perMillisecond === 0) gate.now += 1;
    }
    expect(gate.kernel.calls).toBeLessThan(10 * 5000);
  });

  it("never wait if the loader closes its feature probes: 1,024 after 40", () => {
    const gate = new Throttled();
    for (let probe = 0; probe < 40; probe += 1) gate.close(gate.tryLoad()!);
    for (let load = 0; load < 1024; load += 1) expect(gate.tryLoad()).not.toBeNull();
  });
});

describe("loads of programs that are closed", () => {
  it("wait if more than the limit are released in a second, for 60 seconds", () => {
    const gate = new Throttled();
    while (gate.now < START + 60_000) {
      gate.close(gate.load());
      gate.now += 0.2;
    }
    expect(gate.most).toBeLessThanOrEqual(LIMIT);
    expect(gate.releases.length).toBeGreaterThan(60 * LIMIT * 0.75);
    expect(gate.waits).toBeGreaterThan(60);
  });

  it("never wait at half of the limit, in whatever rhythm", () => {
    const next = numbers(SEED);
    for (const burst of [1, 10, 50, 100]) {
      const gate = new Throttled();
      for (let round = 0; round < 200; round += 1) {
        const ids = Array.from({ length: burst }, () => gate.tryLoad());
        expect(ids).not.toContain(null);
        gate.now += next(10);
        gate.close(...(ids as number[]));
        gate.now += burst * 12;
      }
    }
  });

  it("do not wait for releases of long ago, although no load looked meanwhile", () => {
    const gate = new Throttled();
    const ids = Array.from({ length: 1000 }, () => gate.tryLoad()!);
    gate.now += 5000;
    gate.close(...ids);
    gate.now += 30_000;
    expect(gate.tryLoad()).not.toBeNull();
  });

  it("take one system call for many of them below the limit", () => {
    const gate = new Throttled([""], 100_000);
    for (let load = 0; load < 10_000; load += 1) {
      gate.close(gate.tryLoad()!);
      gate.now += 0.1;
    }
    expect(gate.kernel.calls).toBeLessThan(50);
  });

  it.each([
    [2, 0],
    [8, 0],
    [16, 0],
    [64, 64],
  ])("exceed the limit only by what tasks hold open beyond an eighth of it: %i tasks", (tasks, beyond) => {
    const gate = new Throttled();
    const next = numbers(SEED);
    const open: number[] = [];
    while (gate.now < START + 20_000) {
      open.push(gate.load());
      while (open.length >= tasks || (open.length > 0 && next(10) < 3))
        gate.close(...open.splice(next(open.length), 1));
      gate.now += next(30) / 100;
    }
    expect(gate.most).toBeLessThanOrEqual(LIMIT + beyond);
    expect(gate.waits).toBeGreaterThan(0);
  });

  it("are as many as at the limit if all are closed at once, again and again", () => {
    const gate = new Throttled();
    while (gate.now < START + 120_000) {
      const ids = Array.from({ length: 2000 }, () => {
        gate.now += 0.1;
        return gate.load();
      });
      gate.close(...ids);
    }
    const seconds = (gate.now - START) / 1000;
    expect(gate.releases.length / seconds).toBeLessThanOrEqual(LIMIT * 1.1);
  });

  it("count for the thread that takes over", () => {
    const gate = new Throttled();
    while (gate.now < START + 10_000) {
      for (let load = 0; load < 300 && gate.now < START + 10_000; load += 1) gate.close(gate.load());
      gate.takeOver();
      gate.now += 0.2;
    }
    expect(gate.most).toBeLessThanOrEqual(LIMIT);
  });

  it("have another limit after a reload", () => {
    const gate = new Throttled([""], 10);
    for (let load = 0; load < 10; load += 1) gate.close(gate.tryLoad()!);
    expect(gate.tryLoad()).toBeNull();
    gate.throttle.limit = 1000;
    for (let load = 0; load < 500; load += 1) gate.close(gate.tryLoad()!);
  });
});

describe("loads of several containers", () => {
  it("never wait in one that closes nothing, whatever others do", () => {
    const gate = new Throttled(["storm", "calm"]);
    while (gate.now < START + 10_000) {
      const id = gate.tryLoad("storm");
      if (id !== null) gate.close(id);
      expect(gate.tryLoad("calm")).not.toBeNull();
      gate.now += 2;
    }
  });

  it.each(["closes each of its programs", "closes thousands at once"])(
    "never wait in one that closes few, if another one %s",
    (how) => {
      const gate = new Throttled(["storm", "calm"]);
      let held: number[] = [];
      let waited = 0;
      while (gate.now < START + 20_000) {
        for (let load = 0; load < 5; load += 1) {
          const id = gate.tryLoad("storm");
          if (id === null) waited += 1;
          else if (how === "closes each of its programs") gate.close(id);
          else held.push(id);
        }
        if (held.length > 4000) {
          gate.close(...held);
          held = [];
        }
        if (Math.floor(gate.now) % 50 === 0) {
          const id = gate.tryLoad("calm");
          expect(id).not.toBeNull();
          gate.close(id!);
        }
        gate.now += 1;
      }
      expect(waited).toBeGreaterThan(1000);
    },
  );

  it.each([2, 5, 20])("release no more than the limit together: %i that close all", (count) => {
    const keys = Array.from({ length: count }, (_, index) => `c${index}`);
    const gate = new Throttled(keys);
    const loads = new Map(keys.map((key) => [key, 0]));
    while (gate.now < START + 20_000) {
      for (const key of keys) {
        const id = gate.tryLoad(key);
        if (id === null) continue;
        gate.close(id);
        loads.set(key, loads.get(key)! + 1);
      }
      gate.now += 3;
    }
    expect(gate.most).toBeLessThanOrEqual(LIMIT);
    const all = [...loads.values()];
    expect(Math.min(...all)).toBeGreaterThan(Math.max(...all) / 2);
  });

  it("do not wait in a container that is not served yet, or no more", () => {
    const gate = new Throttled([""], 1);
    gate.close(gate.tryLoad()!);
    expect(gate.tryLoad()).toBeNull();
    expect(gate.tryLoad("another")).not.toBeNull();
    gate.throttle.forget("");
    expect([gate.tryLoad(), gate.throttle.announce("")]).toEqual([expect.any(Number), false]);
  });
});
