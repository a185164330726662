import { describe, expect, it } from "vitest";
import type { ResolvedProgram } from "../../../../src/bpf/resolved-object.js";
import { ListedDigests } from "../../../../src/cli/listing/listed-digests.js";

const program = (digest: string | null, tag: string | null = "00") =>
  ({
    ...{ name: "trace", section: "kprobe", type: "kprobe", tag, error: null },
    relocated: digest === null ? null : { digest, tag },
  }) as unknown as ResolvedProgram;

describe("listed digests", () => {
  it("are all that a program has, for a digest that it has on one kernel", () => {
    const listed = new ListedDigests();
    listed.add("6.12", "a.o", program("d1"), 0);
    listed.add("6.13", "a.o", program("d1"), 0);
    listed.add("7.2", "a.o", program("d2"), 0);
    const both = [
      { digest: "d1", kernels: ["6.12", "6.13"], object: "a.o" },
      { digest: "d2", kernels: ["7.2"], object: "a.o" },
    ];
    expect(listed.of("kprobe", "d1")).toEqual(both);
    expect(listed.of("kprobe", "d2")).toEqual(both);
    expect(listed.of("xdp", "d1")).toEqual([]);
    expect(listed.of("kprobe", "d3")).toEqual([]);
  });

  it("are not those of another program of the same name in the same file", () => {
    const listed = new ListedDigests();
    listed.add("6.12", "a.o", program("d1"), 0);
    listed.add("6.12", "a.o", program("d2"), 1);
    expect(listed.of("kprobe", "d1").map(({ digest }) => digest)).toEqual(["d1"]);
  });

  it("are those of each object that has the digest", () => {
    const listed = new ListedDigests();
    listed.add("6.12", "a.o", program("d1"), 0);
    listed.add("6.12", "b.o", program("d1"), 4);
    listed.add("7.2", "b.o", program("d2"), 4);
    expect(listed.of("kprobe", "d1").map(({ digest, object }) => `${object} ${digest}`)).toEqual([
      "a.o d1",
      "b.o d1",
      "b.o d2",
    ]);
  });

  it("leave out a program whose digest is not known or differs from load to load", () => {
    const listed = new ListedDigests();
    listed.add("6.12", "a.o", program(null), 0);
    listed.add("6.12", "a.o", program("d1", null), 1);
    expect(listed.of("kprobe", "d1")).toEqual([]);
  });
});
