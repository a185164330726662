import { describe, expect, it } from "vitest";
import { LivingPrograms } from "../../../../src/gate/call/living-programs.js";
import { FakeProgramIds } from "../../../support/fake-program-ids.js";

describe("the programs that a gate loaded", () => {
  const begin = (next?: (id: number) => number) => {
    const kernel = new FakeProgramIds();
    const programs = new LivingPrograms(next ?? kernel.next);
    const load = (count: number, slot = 1) =>
      Array.from({ length: count }, () => {
        const id = kernel.load();
        programs.add(id, "c", slot);
        return id;
      });
    const gone: number[] = [];
    const look = (slot: number, calls = 1000) => {
      kernel.calls = 0;
      const before = gone.length;
      programs.look(slot, calls, (_, seen) => gone.push(seen));
      return { gone: gone.length - before, calls: kernel.calls };
    };
    return { kernel, programs, load, look, gone };
  };

  it("are found gone once, with the slot in which they were last seen", () => {
    const { kernel, load, look, gone } = begin();
    const [first = 0, second = 0] = load(3);
    kernel.release(second);
    expect(look(2).gone).toBe(1);
    kernel.release(first);
    expect([look(3).gone, look(4).gone]).toEqual([1, 0]);
    expect(gone).toEqual([1, 2]);
  });

  it("take one system call for each that exists, and one for any number that do not", () => {
    const { kernel, load, look } = begin();
    kernel.release(...load(500));
    expect(look(2)).toEqual({ gone: 500, calls: 1 });
    load(20);
    expect(look(3)).toEqual({ gone: 0, calls: 20 });
    kernel.release(...load(500));
    expect(look(4)).toEqual({ gone: 500, calls: 21 });
  });

  it("are all found gone, whatever programs of others are between them", () => {
    const { kernel, load, look } = begin();
    for (let round = 0; round < 50; round += 1) {
      kernel.load();
      kernel.release(...load(2));
    }
    expect(look(2).gone).toBe(100);
  });

  it("are checked in turn once they are old, with a bounded number of system calls", () => {
    const { kernel, load, look, programs } = begin();
    const ids = load(1000);
    look(2, 0);
    look(20, 0);
    expect(programs.young).toBe(0);
    kernel.release(...ids.slice(0, 900));
    let found = 0;
    for (let slot = 21; slot < 31; slot += 1) {
      const { gone, calls } = look(slot, 100);
      expect(calls).toBeLessThanOrEqual(101);
      found += gone;
    }
    expect(found).toBe(900);
  });

  it("are young for a second, and at most 256 of them", () => {
    const { load, look, programs } = begin();
    load(1000);
    expect(programs.young).toBe(1000);
    look(2);
    expect(programs.young).toBe(256);
    look(12);
    expect(programs.young).toBe(0);
  });

  it("need a look if they are more than a quarter of those that are young already", () => {
    const { load, look, programs } = begin();
    expect(programs.isLookDue).toBe(false);
    load(1);
    expect(programs.isLookDue).toBe(true);
    load(99);
    look(2);
    load(25);
    expect(programs.isLookDue).toBe(false);
    load(1);
    expect(programs.isLookDue).toBe(true);
  });

  it("count once, however often they are added", () => {
    const { kernel, programs, load, look } = begin();
    const [id = 0] = load(1);
    programs.add(id, "c", 1);
    kernel.release(id);
    expect(look(2).gone).toBe(1);
  });

  it("count as gone if the kernel tells no ids, as without CAP_SYS_ADMIN", () => {
    const { load, look } = begin(() => -1);
    load(7);
    expect(look(2).gone).toBe(7);
  });

  it("are forgotten beyond a number, the oldest first", () => {
    const { kernel, load, look } = begin((id) => id + 1);
    load(65_536);
    look(2);
    load(10, 3);
    kernel.release();
    expect(look(3).gone).toBe(0);
  });
});
