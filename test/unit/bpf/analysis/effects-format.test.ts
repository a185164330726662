import { describe, expect, it } from "vitest";
import { readsOfFormat } from "../../../../src/bpf/analysis/format.js";

describe("a format", () => {
  it.each(["", "plain", "%d %i %u %x %X %c", "%ld %lu %lld %llx", "%-10u%08llx|%5d", "%%s", "100%%", "%p", "%px %pK"])(
    "`%s` prints its arguments' own values",
    (text) => {
      expect(readsOfFormat(text)).toMatchObject({ kernel: false, user: false });
    },
  );

  it.each([
    ["%s", true, true],
    ["%-16s|", true, true],
    ["%d %s", true, true],
    ["%pks", true, false],
    ["%pus", false, true],
    ["%pus and %pks", true, true],
    ["%pI4", true, false],
    ["%pi6", true, false],
    ["%pS", true, false],
    ["%pB", true, false],
    ["%%%s", true, true],
    ["%pE", true, true],
    ["%", true, true],
    ["%*d", true, true],
    ["%.3s", true, true],
  ])("`%s` reads kernel memory: %s, user memory: %s", (text, kernel, user) => {
    expect(readsOfFormat(text)).toMatchObject({ kernel, user });
  });

  it("that is not known reads both", () => {
    expect(readsOfFormat(null)).toMatchObject({ kernel: true, user: true });
  });

  it("is quoted, as far as it reads", () => {
    expect(readsOfFormat("%d %pks").because).toContain("`%pks`");
  });
});
