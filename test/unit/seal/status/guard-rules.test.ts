import { describe, expect, it } from "vitest";
import { type GuardClasses, NO_CLASSES } from "../../../../src/seal/classes.js";
import { guardFindings } from "../../../../src/seal/doctor/guard-findings.js";
import { guardRules } from "../../../../src/seal/status/guard-rules.js";
import { decodeStatus, type GuardStatus, STATE } from "../../../../src/seal/status/guard-status.js";
import { encodeStatus, type InitialStatus, STATUS } from "../../../../src/seal/status/status-layout.js";

const NO_FILES = { modules: null, executables: null };
const CLASSES: GuardClasses = {
  admit: [{ type: 15, attachTypes: [0], helpers: [], mapTypes: [], instructions: 2, maps: 0 }],
  mask: { types: [5], helpers: [36, 40] },
};

/** The status of a guard with these rules, whose state has these bits beside the latch. */
function statusWith(
  rules: Partial<Pick<InitialStatus, "files" | "modulesByTicket" | "classes">>,
  state = 0,
): GuardStatus {
  const bytes = Buffer.from(
    encodeStatus({
      ...{ listEntries: 0, generation: 0n, configDigest: "", listDigest: "", trustedKey: "", filesDigest: "" },
      ...{ files: NO_FILES, modulesByTicket: false, classesDigest: "ab".repeat(32), classes: NO_CLASSES, ...rules },
    }),
  );
  bytes.writeUInt32LE(STATE.sealed | state, STATUS.words.state);
  return decodeStatus(bytes)!;
}

const texts = (status: GuardStatus) => guardRules(status).map(({ name, text }) => `${name}: ${text}`);

describe("the rules of the guard beside its list", () => {
  it("are shown where there are none", () => {
    expect(texts(statusWith({}))).toEqual([
      "modules: no rule: every module with a signature that the kernel trusts, but for those that are always denied",
      "executables: no rule: every file",
      "classes: none",
      "mask: denies nothing",
    ]);
  });

  it("say that other modules load by ticket, and whether there is an agent that gives them", () => {
    const status = statusWith({ files: { modules: 1, executables: null }, modulesByTicket: true });
    const only = "modules: only those that are listed: 1 digest; others by ticket";
    expect(texts(status)[0]).toBe(`${only}, and there is no agent`);
    expect(texts({ ...status, agent: { pid: 7, start: 8n } })[0]).toBe(`${only} of the agent`);
  });

  it("are shown with their numbers, also of an empty list", () => {
    const files = { modules: 0, executables: 2 };
    expect(texts(statusWith({ files, classes: CLASSES }, STATE.rootStarted))).toEqual([
      "modules: only those that are listed: 0 digests",
      "executables: only those that are listed: 2 digests",
      `classes: 1 row, SHA-256 ${"ab".repeat(32)}`,
      "mask: denies 1 program type and 2 helpers",
    ]);
  });

  it.for([
    ["before init starts", 0, true],
    ["after init has started", STATE.rootStarted, false],
    ["on a machine that was sealed late", STATE.late, false],
  ] as const)("say whether the initramfs is exempt: %s", ([_, state, exempt]) => {
    const status = statusWith({ files: { modules: null, executables: 2 } }, state);
    expect(texts(status)[1]).toBe(
      `executables: only those that are listed: 2 digests${
        exempt ? "; files of the initramfs are exempt until init starts" : ""
      }`,
    );
    expect(guardFindings(status, null).map((finding) => finding.state)).toEqual([
      ...["ok", exempt ? "weak" : "ok", "ok", "ok"],
    ]);
  });

  it("without a rule about executables have nothing that is exempt", () => {
    expect(statusWith({}).initramfsExempt).toBe(false);
  });

  it("are findings of the doctor, who says whether a list could replace the one in force", () => {
    const status = statusWith({});
    expect(guardFindings(status, null).map(({ name }) => name)).toEqual([
      ...["kernel modules", "executables", "classes", "mask"],
    ]);
    expect(guardFindings(status, []).at(-1)).toMatchObject({ name: "the named list", state: "ok", remedy: null });
    expect(guardFindings(status, ["other classes"]).at(-1)).toMatchObject({
      ...{ name: "the named list", state: "weak", remedy: expect.stringMatching(/./) },
      detail: "it has other classes than is in force, so that it cannot replace the list in force",
    });
  });
});
