import { describe, expect, it } from "vitest";
import { UuidV7 } from "../../../src/log/uuid-v7.js";

const NOW = Date.UTC(2026, 0, 2);
const make = (times: readonly number[], ids = new UuidV7()) => times.map((time) => ids.next(time));

describe("a UUID of version 7", () => {
  const one = make([NOW])[0] as string;

  it("has its version and its variant where RFC 9562 has them", () => {
    for (const id of make(Array.from({ length: 10_000 }, () => NOW)))
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("begins with the milliseconds, in 48 bits", () => {
    expect(Number.parseInt(one.replaceAll("-", "").slice(0, 12), 16)).toBe(NOW);
    expect(make([0x017f22e279b0])[0]?.slice(0, 15)).toBe("017f22e2-79b0-7"); // RFC 9562, appendix A.6
  });

  it("ends with random bits, which differ from one millisecond and one instance to the next", () => {
    const end = (id: string) => id.slice("xxxxxxxx-xxxx-xxxx-".length);
    const ends = make(Array.from({ length: 10_000 }, (_, index) => NOW + index)).map(end);
    expect(new Set(ends).size).toBe(10_000);
    const others = Array.from({ length: 1000 }, () => end(make([NOW])[0] as string));
    expect(new Set(others).size).toBe(1000);
  });
});

describe("the UUIDs of one instance", () => {
  const increase = (ids: readonly string[]) => expect(ids).toEqual([...new Set(ids)].sort());

  it("increase within a millisecond, for more than its counter has room for", () => {
    increase(make(Array.from({ length: 20_000 }, () => NOW)));
  });

  it("increase with the time, and where the clock is set back", () => {
    increase(make(Array.from({ length: 20_000 }, (_, index) => NOW + Math.floor(index / 3))));
    increase(make(Array.from({ length: 20_000 }, (_, index) => NOW - index)));
  });

  it("take the time again once the clock has come up with them", () => {
    const ids = new UuidV7();
    make(
      Array.from({ length: 20_000 }, () => NOW),
      ids,
    );
    const [later] = make([NOW + 1000], ids);
    expect(Number.parseInt(later?.replaceAll("-", "").slice(0, 12) ?? "", 16)).toBe(NOW + 1000);
  });
});
