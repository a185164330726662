import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { readConfig } from "../../../src/config/config.js";
import { TimedEngine } from "../../../src/engine/timed-engine.js";
import { openEngine } from "../../../src/engine/watchdog.js";
import type { Decision } from "../../../src/hooks/decision.js";
import { task } from "../../task.js";

/** Engines that can end a policy from outside: in a thread, and in the caller's own one. */
const ENGINES = {
  "an engine in a thread": openEngine,
  "an engine in the caller's thread": (file: string) => TimedEngine.open(readConfig(file)),
};
/** What costs a policy its runtime or module. Each one leaves its thread as it is. */
const HARM = {
  "runs out of memory": ["return 'x'.repeat(1e8).length;", "OUT_OF_MEMORY"],
  "traps in a native": ["return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);", "OUT_OF_STEPS"],
} as const;
/** Takes four times what compiling may take. */
const PROPERTIES = `const x = () => /[${"\\p{L}".repeat(2000)}]/u;`;

describe.each(Object.entries(ENGINES))("%s", (_, open) => {
  let folder: string;
  const place = (name: string) => join(folder, name);
  const configure = (attachments: object[]) => {
    writeFileSync(place("countersign.yaml"), stringify({ version: 1, attachments }));
    return place("countersign.yaml");
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    mkdirSync(place("policies"));
    writeFileSync(place("policies/neighbour.js"), "export const blob_verify = () => -7;");
    writeFileSync(place("policies/bomb.js"), `${PROPERTIES}\nexport const blob_verify = () => 0;`);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(Object.entries(HARM))(
    "suspends a policy that %s twice for whom it did, and no neighbour",
    { tags: ["deep"] },
    async (_, [body, code]) => {
      writeFileSync(
        place("policies/harmful.js"),
        `export function blob_verify({ name }) { if (name === "harm") { ${body} } return 0; }`,
      );
      const limits = { timeout: "10s" };
      const engine = await open(
        configure([
          { policy: "policies/harmful.js", mode: "audit", limits },
          { policy: "policies/neighbour.js", limits },
        ]),
      );
      const ask = async (name: string, cgroup = "/system.slice/a.service"): Promise<Decision> =>
        engine.decide({
          hook: "blob_verify",
          subject: { name, digest: "d", data: Uint8Array.of(1), signature: null },
          current: task({ cgroup }),
        });
      const decisions = [await ask("harmless"), await ask("harm"), await ask("harm"), await ask("harmless")];
      expect(decisions.map(({ answers }) => answers.map(({ verdict, fault }) => fault?.code ?? verdict))).toEqual([
        [0, -7],
        [code, -7],
        [code, -7],
        ["SUSPENDED", -7],
      ]);
      expect(decisions[3]!.answers[0]!.fault!.message).toMatch(
        /^lost its thread, module or runtime 2 times: suspended for this caller until /,
      );
      const others = ["/system.slice/b.service", "/", "/system.slice/a.service/below"];
      const codes = [];
      for (const cgroup of others) codes.push((await ask("harmless", cgroup)).answers[0]!.fault?.code ?? 0);
      expect(codes).toEqual([0, 0, "SUSPENDED"]);
      await engine.close();
    },
  );

  it("does not open with a policy that takes too much to compile", { tags: ["deep"] }, async () => {
    const opened = open(
      configure([{ policy: "policies/neighbour.js" }, { policy: "policies/bomb.js", domain: "other" }]),
    );
    await expect(opened).rejects.toMatchObject({
      code: "POLICY_TOO_LARGE",
      place: expect.stringContaining("bomb.js"),
      remedy: expect.stringContaining("maps of the configuration"),
    });
  });
});

it("decisions in a group are those that are made one by one, also after a harmful one", {
  tags: ["deep"],
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "countersign-"));
  try {
    const [body, code] = HARM["runs out of memory"];
    const policy = `export function blob_verify({ name }) { if (name === "harm") { ${body} } return 0; }`;
    writeFileSync(join(folder, "harmful.js"), policy);
    const file = join(folder, "countersign.yaml");
    writeFileSync(file, stringify({ version: 1, attachments: [{ policy: "harmful.js", limits: { timeout: "10s" } }] }));
    const engine = await TimedEngine.open(readConfig(file));
    const about = (name: string, cgroup: string) => ({
      hook: "blob_verify" as const,
      subject: { name, digest: "d", data: Uint8Array.of(1), signature: null },
      current: task({ cgroup }),
    });
    const [a, b] = ["/system.slice/a.service", "/system.slice/b.service"];
    const names = ["harmless", "harm", "harm", "harmless"];
    const decisions = await engine.decideAll([...names.map((name) => about(name, a)), about("harmless", b)]);
    expect(decisions.map(({ answers: [answer] }) => answer!.fault?.code ?? answer!.verdict)).toEqual([
      0,
      code,
      code,
      "SUSPENDED",
      0,
    ]);
    engine.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
