import { describe, expect, it } from "vitest";
import { runCommand } from "../../support/command-line.js";
import { drawing, SHARE } from "../../support/share.js";
import { own, Workplace } from "../../support/workplace.js";

const PROGRAM = own("examples/drop-telnet.o");
const crash = (text: string) => `export const bpf_prog_load = () => ${text};`;

/** What an attachment's policy does, and how that counts where the attachment enforces. */
const POLICIES = {
  allow: { policy: crash("0"), exit: 0 },
  deny: { policy: crash("-13"), exit: 1 },
  throws: { policy: crash("null.x"), exit: 2, code: "POLICY_ERROR", place: "throws.js:1:" },
  "bad-return": { policy: crash('"no"'), exit: 2, code: "BAD_RETURN_VALUE", place: "" },
  loops: { policy: crash("{ for (;;); }"), exit: 2, code: /OUT_OF_[A-Z]+/, place: "" },
} as const;

type Policy = keyof typeof POLICIES;
type Mode = "enforce" | "audit";
interface Attached {
  readonly policy: Policy;
  readonly mode: Mode;
  readonly on_fault: "deny" | "allow";
}

const EACH: readonly Attached[] = (Object.keys(POLICIES) as Policy[]).flatMap((policy) =>
  (["enforce", "audit"] as const).flatMap((mode) =>
    (["deny", "allow"] as const).map((on_fault) => ({ policy, mode, on_fault })),
  ),
);
const NEIGHBOURS: readonly (Attached | null)[] = [
  null,
  { policy: "allow", mode: "enforce", on_fault: "deny" },
  { policy: "deny", mode: "enforce", on_fault: "deny" },
  { policy: "throws", mode: "audit", on_fault: "deny" },
];

/** 2 before 1 before 0; what is in audit does not count. */
function expectedExit(attached: readonly Attached[]): number {
  return Math.max(0, ...attached.map(({ policy, mode }) => (mode === "enforce" ? POLICIES[policy].exit : 0)));
}

function workplace(attached: readonly Attached[], mode: Mode = "enforce"): Workplace {
  const place = new Workplace(
    attached
      .map(({ policy, mode, on_fault }, index) => {
        return `  - { name: a${index}, policy: ${policy}.js, mode: ${mode}, on_fault: ${on_fault}, domain: d${index} }`;
      })
      .join("\n"),
    `mode: ${mode}`,
  );
  for (const [name, { policy }] of Object.entries(POLICIES)) place.write(`${name}.js`, policy);
  return place;
}

const title = (attached: readonly Attached[]) =>
  attached.map(({ policy, mode, on_fault }) => `${policy} in ${mode}, on_fault: ${on_fault}`).join("; ");

describe(`the exit code of countersign check (${SHARE})`, () => {
  const combinations = EACH.flatMap((one) =>
    NEIGHBOURS.flatMap((neighbour) =>
      (["enforce", "audit"] as const).map((mode) => ({
        attached: neighbour === null ? [one] : [one, neighbour],
        mode,
      })),
    ),
  );
  for (const { attached, mode } of drawing()(combinations)) {
    it(`is ${expectedExit(attached)} in ${mode} for ${title(attached)}`, async () => {
      const { code, out } = await runCommand("check", "--config", workplace(attached, mode).config, PROGRAM);
      expect(code).toBe(expectedExit(attached));
      for (const [index, { policy }] of attached.entries()) {
        const its = POLICIES[policy];
        if (!("code" in its)) continue;
        const line = out.split("\n").find((text) => text.startsWith("fault ") && text.includes(`: a${index} on `));
        expect(line).toMatch(its.code);
        expect(line).toContain(its.place);
      }
    });
  }
});

describe("countersign test", () => {
  const EXPECTATIONS = ["allow", "deny", "-EPERM", "-EACCES", "fault", "not asked"];
  const MET: Readonly<Record<Policy, readonly string[]>> = {
    allow: ["allow"],
    deny: ["deny", "-EACCES"],
    throws: ["fault", "fault POLICY_ERROR"],
    "bad-return": ["fault", "fault BAD_RETURN_VALUE"],
    loops: ["fault"],
  };

  for (const { policy, mode, on_fault } of EACH)
    it(`takes a policy that does ${policy} in ${mode} with on_fault: ${on_fault} for nothing else`, async () => {
      const place = workplace([{ policy, mode, on_fault }]);
      const expectations = [...EXPECTATIONS, "fault POLICY_ERROR", "fault BAD_RETURN_VALUE"];
      const cases = expectations.map((expect) => `- { file: ${PROGRAM}, expect: "${expect}" }`);
      place.write(`${policy}.test.yaml`, cases.join("\n"));
      const { code, out } = await runCommand("test", "--json", "--config", place.config);
      const results: { expected: string; passed: boolean; got: string }[] = JSON.parse(out).cases;
      const passed = results.filter((result) => result.passed).map(({ expected }) => expected);
      expect(passed).toEqual(MET[policy]);
      expect(code).toBe(1);
      const its = POLICIES[policy];
      if ("code" in its)
        for (const { got } of results) {
          expect(got).toMatch(/^fault [A-Z_]+: /);
          expect(got).toMatch(its.code);
          expect(got).toContain(its.place);
        }
    });

  it("compares a reason with the text of the fault", async () => {
    const place = workplace([{ policy: "throws", mode: "enforce", on_fault: "allow" }]);
    const cases = ["throws.js:1:", "of null", "something else"].map(
      (reason) => `- { file: ${PROGRAM}, expect: fault POLICY_ERROR, reason: "${reason}" }`,
    );
    place.write("throws.test.yaml", cases.join("\n"));
    const { out } = await runCommand("test", "--json", "--config", place.config);
    expect(JSON.parse(out).cases.map((result: { passed: boolean }) => result.passed)).toEqual([true, true, false]);
  });

  it("rejects a fault that does not exist, and names the one that was meant", async () => {
    const place = workplace([{ policy: "throws", mode: "enforce", on_fault: "deny" }]);
    place.write("throws.test.yaml", `- { file: ${PROGRAM}, expect: fault POLICY_EROR }`);
    const { code, err } = await runCommand("test", "--config", place.config);
    expect(code).toBe(2);
    expect(err).toContain("[CONFIG_INVALID]");
    expect(err).toContain("fault POLICY_ERROR");
  });
});
