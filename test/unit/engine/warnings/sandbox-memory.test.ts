import { describe, expect, it } from "vitest";
import { type Placed, SandboxMemory } from "../../../../src/engine/warnings/sandbox-memory.js";
import { runtimeMemory } from "../../../../src/policy/domain.js";
import { DEFAULT_LIMITS } from "../../../../src/sandbox/shared/limits.js";
import { warningLine } from "../../../../src/warning.js";
import { blob, link } from "../../../support/guest.js";

const ONE = runtimeMemory(link(blob("return 0;")));

/** That many distinct policies of the same size in a domain. */
function placed(domain: string, count: number, hooks: readonly string[] = ["blob_verify"]): Placed[] {
  return Array.from({ length: count }, () => ({
    domain,
    limits: DEFAULT_LIMITS,
    policy: link(blob("return 0;")),
    hooks: new Set(hooks),
  }));
}
const memory = (bytes: number, ...attachments: Placed[][]) =>
  new SandboxMemory({ file: "c.yaml", sandbox: { memory: bytes } }, attachments.flat());

describe("the memory of the sandbox", () => {
  it("is divided among the domains in proportion to what their policies need", () => {
    const its = memory(1000, placed("a", 3), placed("b", 1));
    expect([its.share("a"), its.share("b")]).toEqual([750, 250]);
  });

  it("counts policies that share a runtime once, and those with other limits apart", () => {
    const [one] = placed("a", 1) as [Placed];
    const other = { ...one, limits: { ...DEFAULT_LIMITS, stack: 128 * 1024 } };
    const its = memory(900, [one, one, { ...one, hooks: new Set(["bpf"]) }, other], placed("b", 1));
    expect([its.share("a"), its.share("b")]).toEqual([600, 300]);
    expect(memory(3 * ONE, [one, one, { ...one, hooks: new Set(["bpf"]) }, other], placed("b", 1)).warnings()).toEqual(
      [],
    );
  });

  it.each([
    ["everything fits", 4 * ONE, [placed("a", 3), placed("b", 1)]],
    ["each hook fits, though not all together", 2 * ONE, [placed("a", 2), placed("a", 2, ["bpf"])]],
    ["there is no attachment", 1, []],
  ])("is not warned of where %s", (_, bytes, attachments) => {
    expect(memory(bytes, ...attachments).warnings()).toEqual([]);
  });

  it("is warned of where the policies of a hook may not fit, with the hook and domain that lack most and what would do", () => {
    const attachments = [placed("a", 40, ["bpf", "blob_verify"]), placed("a", 40, ["bpf"]), placed("b", 8)];
    const mebibytes = (policies: number) => `${Math.ceil((policies * ONE) / 2 ** 20)}MiB`;
    const [warning, ...more] = memory(11 * ONE, ...attachments).warnings();
    expect(more).toEqual([]);
    expect(warning).toMatchObject({ code: "SANDBOX_MEMORY_SHORT", place: "c.yaml" });
    expect(warning!.message).toContain(
      `the policies of bpf in the domain \`a\` may need ${mebibytes(80)} of memory, and the domain has ${mebibytes(10)}: `,
    );
    expect(warningLine(warning!)).toContain(` [SANDBOX_MEMORY_SHORT]; set \`sandbox.memory\` to ${mebibytes(88)}, or `);
    expect(memory(88 * ONE, ...attachments).warnings()).toEqual([]);
  });
});
