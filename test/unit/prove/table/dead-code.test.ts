import { describe, expect, it } from "vitest";
import { deadCode } from "../../../../src/prove/table/dead-code.js";
import { withPolicies } from "../../../support/prove-configuration.js";
import { oneAttachment } from "../../../support/prove-property.js";

const LIMITS = { paths: 2_000, timeout: 600_000 };

/** The dead places of a policy with these statements, as `line: branch`, or why they are not known. */
function deadIn(body: string, limits = LIMITS): readonly string[] | string {
  const policy = `import { deny, map_lookup, verify_program } from "countersign";\nexport function bpf_prog_load(prog, current) {\n${body}\n}\n`;
  return withPolicies(oneAttachment(policy), (policies) => {
    const [one] = [...deadCode(policies, () => true, limits)];
    return one!.unknown ?? one!.places.map(({ line, branch }) => `${line}: ${branch ?? "reached"}`);
  });
}

describe("dead code", () => {
  it("is none where every branch can be taken", () => {
    expect(deadIn('if (prog.type === "xdp") return 0;\nreturn current.uid === 0 ? 0 : -1;')).toEqual([]);
  });

  it("is a condition that follows from earlier ones, and the code after it", () => {
    const body = 'if (prog.type === "xdp") return 0;\nif (prog.type === "xdp") {\n  return -1;\n}\nreturn 0;';
    expect(deadIn(body)).toEqual(["4: condition is true", "5: reached"]);
  });

  it("is what the constraints between facts exclude", () => {
    expect(deadIn("return prog.effects.read_only && prog.effects.redirects ? 0 : -1;")).toEqual([
      expect.stringMatching(/^3: /),
    ]);
    expect(deadIn("return prog.insn_cnt < 0 ? deny('none') : 0;")).toEqual(["3: condition is true"]);
  });

  it("is code after a return, and a function that is not called", () => {
    expect(deadIn("const f = () => {\n  return 1;\n};\nreturn 0;")).toEqual(["4: reached"]);
  });

  it("is not known if a function is called for each element of a list that is not known", { tags: ["deep"] }, () => {
    const each = "m) => {\n  const size = m.memory;\n  return";
    const LOOPS = [
      `prog.maps.reduce((all, ${each} all + size;\n}, 0) >= 0`,
      `prog.maps.reduce((all, ${each} all;\n}, 0) >= 0`,
      `prog.maps.reduce((all, ${each} Math.max(all, size);\n}, 5) > 1`,
      `prog.maps.map((${each} m.name;\n}).length >= 0`,
      `prog.maps.filter((${each} size > 3;\n}).length >= 0`,
      `prog.maps.some((${each} size > 3;\n})`,
      `prog.maps.every((${each} size > 3;\n})`,
      `prog.maps.find((${each} size > 3;\n})`,
    ];
    for (const loop of LOOPS)
      expect([loop, deadIn(`const is = ${loop};\nreturn prog.rewritten || !is ? 0 : -1;`)]).toEqual([
        loop,
        "bpf_prog_load: a loop over a list that is not known",
      ]);
  });

  it("is a scope that no task is in, or only tasks of which something is unknown", { tags: ["deep"] }, () => {
    const scopeOf = (scope: string) => {
      const yaml = `version: 1\nattachments: [{ policy: policy.js, scope: ${scope} }]\n`;
      const files = { "policy.js": "export const bpf_prog_load = () => -1;\n", "countersign.yaml": yaml };
      return withPolicies(files, (policies) => [...deadCode(policies, () => true, LIMITS)][0]!.scope);
    };
    const dead: Readonly<Record<string, string | null>> = {
      "{}": null,
      "{ uid: [0, 1000-1999], comm: tc }": null,
      '{ labels: "tier in (edge, prod), !debug" }': null,
      '{ labels: "tier=edge, tier=prod" }': "no task that is known",
      '{ labels: "tier, !tier", exe: ["/usr/bin/*"] }': "no task that is known",
      '{ labels: "tier=edge", container: false }': "no task",
      "{ comm: systemd-networkd }": "no task",
      "{ comm: [systemd-networkd, 'NetworkManager-d*'] }": "no task",
      "{ comm: [systemd-networkd, 'systemd-network*'] }": null,
      "{ comm: systemd-network }": null,
      // Not decided, so that nothing is said
      '{ labels: "priority>5, priority<3" }': null,
    };
    for (const [scope, expected] of Object.entries(dead)) expect([scope, scopeOf(scope)]).toEqual([scope, expected]);
  });

  it("is a look-up of a key of which the map has no entry, unless a policy may write to it", { tags: ["deep"] }, () => {
    const keysOf = (map: string) => {
      const policy =
        'import { map_lookup as look } from "countersign";\nexport const bpf_prog_load = (prog) =>\n' +
        '  look("m", "there") === 1 || look("m", `missing`) === 1 || look("m", prog.name) === 1 ? -1 : 0;\n';
      const yaml = `version: 1\nmaps: { m: ${map} }\nattachments: [{ policy: policy.js }]\n`;
      const files = { "policy.js": policy, "m.json": '{ "there": 1 }\n', "countersign.yaml": yaml };
      return withPolicies(files, (policies) => [...deadCode(policies, () => true, LIMITS)][0]!.keys);
    };
    expect(keysOf("{ file: m.json }")).toMatchObject([{ map: "m", key: "missing", line: 3, column: 41 }]);
    expect(keysOf("{ file: m.json, writable: { entries: 9, bytes: 1KiB } }")).toEqual([]);
  });

  it("is not known if anything is not decided, a limit was reached, or there is a loop over a list", () => {
    expect(deadIn('if (prog.name.padEnd(9) === "A") return 0;\nreturn prog.insn_cnt < 0 ? -1 : 0;')).toContain(
      "policy.js:3",
    );
    expect(deadIn("return prog.name === 'a' ? 0 : -1;", { ...LIMITS, paths: 1 })).toContain("more paths than 1");
    const loop = "for (const { type } of prog.maps) {\n  if (type === 'hash') continue;\n}\nreturn 0;";
    expect(deadIn(loop)).toBe("bpf_prog_load: a loop over a list that is not known");
  });
});
