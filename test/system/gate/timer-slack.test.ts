import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { outputOf, siteForTests } from "./site.js";
import { withSlack } from "./timer-slack.js";

/** A native that never polls: the watcher alone ends it. */
const STUCK = "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);";
const POLICY = "export const bpf_prog_load = () => 0;\nexport const bpf = () => 0;\n";
const limited = (policy: string) => `version: 1
log: { file: log.jsonl }
attachments: [{ policy: ${policy}, limits: { steps: 100000000, timeout: 500ms } }]
`;

/**
 * Limits of the main thread while time-outs of its waiting do not end: without timers of their own they would hold only
 * when something else happens, and each of these tests would wait for ever.
 */
describe("a gate whose command made its time-outs endless", () => {
  const site = siteForTests(POLICY, ["gcc"]);

  it("kills each task that keeps it waiting, also those for which a blocking worker waits", (context) => {
    const { stdout, stderr } = site().run(...withSlack(site().attack("traps"), "endless"));
    if (stdout.includes("no userfaultfd")) context.skip("needs userfaultfd");
    const kinds = ["attr", "insns", "license", "log", "func_info", "fd_array", "path", "pin", "btf", "name"];
    expect(stdout).toBe(`${kinds.map((kind) => `${kind}: killed\n`).join("")}and then: done\n`);
    expect(stderr.match(/made the gate wait/g)).toHaveLength(kinds.length);
  });

  it("ends a policy that does not return", () => {
    site().policy(`export function bpf_prog_load() { ${STUCK} }`);
    site().write("countersign.yaml", limited("policy.js"));
    const { stdout, stderr } = site().run(...withSlack(site().attack("traps"), "callers"));
    expect(stdout).toContain("good in a thread: EPERM\n");
    expect(stderr).toMatch(/the decision thread was replaced: a policy did not come back/);
    expect(site().log[0]?.denied_by?.code).toBe("OUT_OF_TIME");
  });

  it("ends a shadow whose policy does not return, and goes on", () => {
    site().policy(POLICY);
    site().write("stuck.js", `export function bpf_prog_load() { ${STUCK} }`);
    site().write("new.yaml", limited("stuck.js").replace("log: { file: log.jsonl }\n", ""));
    site().write("countersign.yaml", `${limited("policy.js")}shadow: new.yaml\n`);
    const said = join(site().folder, "said");
    const ended = `"$0" load; until grep -q "decides no more" ${said}; do sleep 0.1; done`;
    const gate = site().words(...withSlack("sh", "-c", ended, site().attack("outcomes")));
    outputOf(site().bare("sh", "-c", `exec "$@" 2> ${said}`, "sh", ...gate));
    expect(readFileSync(said, "utf8")).toContain("policy `stuck` did not return within its time");
  });

  it("sets back its slack, its oom_score_adj and the nice value of its session", () => {
    // what the machine has set already may be the greatest value, or the least that may be written: then the other way
    const restored = `
      for file in timerslack_ns oom_score_adj autogroup; do
        [ -e /proc/$PPID/$file ] || continue
        before=$(cat /proc/$PPID/$file)
        number=$(echo "$before" | sed 's/.* //')
        echo $((number + 1)) > /proc/$PPID/$file || echo $((number - 1)) > /proc/$PPID/$file || continue
        until [ "$(cat /proc/$PPID/$file)" = "$before" ]; do sleep 0.1; done
        echo $file
      done 2> ${join(site().folder, "said")}`;
    expect(outputOf(site().run("sh", "-c", restored))).toMatch(/^timerslack_ns\n(oom_score_adj\n)?(autogroup\n)?$/);
    outputOf(
      site().run(
        ...withSlack(
          "sh",
          "-c",
          `until [ "$(cat /proc/$PPID/timerslack_ns)" = "$(cat /proc/$$/timerslack_ns)" ]; do sleep 0.1; done`,
        ),
      ),
    );
  });
});
