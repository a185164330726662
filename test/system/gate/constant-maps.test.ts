import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { siteForTests } from "./site.js";

/** A program whose only map is .rodata, with four bytes. */
const SOURCE = `
static const volatile int wanted = 0x04030201;
__attribute__((section("raw_tp/sched_switch"), used)) int watch(void *ctx) { return wanted; }
char _license[] __attribute__((section("license"))) = "GPL";
`;
const CONTENTS = createHash("sha256")
  .update(Uint8Array.of(1, 2, 3, 4))
  .digest("hex");

/** libbpf loads programs of other names first, to see what the kernel can do. */
const POLICY = `
  import { deny } from "countersign";
  export function bpf_prog_load(prog) {
    const contents = prog.maps.map((map) => map.contents).join();
    return prog.name !== "watch" || contents === "${CONTENTS}" ? 0 : deny(contents);
  }
`;

const site = siteForTests(POLICY, ["bpftool", "clang-19", "strace"]);

it("reads the contents of a program's .rodata from the kernel once for a load", () => {
  const [object, trace] = [site().object("watch", SOURCE), join(site().folder, "trace")];
  const load = site().words("bpftool", "prog", "load", object, join(site().bpffs, "watch"));
  const { status } = site().bare("strace", "-f", "-qq", "-e", "trace=bpf", "-o", trace, ...load);
  expect(status).toBe(0);
  expect(site().log).toContainEqual(expect.objectContaining({ subject: expect.objectContaining({ name: "watch" }) }));
  const reads = readFileSync(trace, "utf8")
    .split("\n")
    .filter((line) => line.includes("BPF_MAP_LOOKUP_ELEM"));
  expect(reads).toHaveLength(1);
});
