import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../support/until.js";
import { amount } from "../nightly.js";
import { Machine, SOCKET, UNIT } from "./machine.js";
import { RunningProgram } from "./running-program.js";
import { needs, needsGate, Site } from "./site.js";

const COUNT = amount(300, 1500);
const EACH = COUNT / 10;
const DENY = 'import { deny } from "countersign";\nexport const bpf_prog_load = () => deny("not this one");\n';
const CONFIG = `version: 1
attachments:
  - { policy: policy.js, scope: { container: true }, limits: { timeout: 10s } }
  - { name: first, policy: deny.js, scope: { labels: "tier in (t1, t3)" }, limits: { timeout: 10s } }
  - { name: second, policy: deny.js, scope: { container: ["crowd-5", "crowd-15"] }, limits: { timeout: 10s } }
  - { name: third, policy: deny.js, scope: { labels: "!tier" }, limits: { timeout: 10s } }
`;

describe(`an agent of ${COUNT} containers`, () => {
  let site: Site;
  let machine: Machine | string;
  let crowd: RunningProgram | undefined;

  beforeAll(async () => {
    if (process.getuid?.() !== 0) return;
    site = new Site("export const bpf_prog_load = () => 0;");
    site.write("deny.js", DENY);
    site.write("countersign.yaml", CONFIG);
    machine = await Machine.withAgent(site, ["--shared-pids"]);
    if (typeof machine === "string") return;
    const [file, ...words] = machine.words(
      "sh",
      "-c",
      `ulimit -n 16384; exec ${site.attack("crowd")} ${SOCKET} ${COUNT}`,
    );
    crowd = new RunningProgram(file, words);
    expect(await crowd.line()).toBe("ready");
  });
  afterAll(async () => {
    await crowd?.finish();
    if (machine instanceof Machine) await machine.end();
    site?.remove();
  });
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc", "nsenter", "pgrep");
    if (typeof machine === "string") context.skip(machine);
  });

  /** Every container loads once. */
  const load = async () => {
    crowd?.write("\n");
    return crowd?.lines(10);
  };
  const expected = Array.from({ length: 10 }, (_, tier) => {
    const refused = tier === 1 || tier === 3 ? EACH : tier === 5 ? 2 : 0;
    return `t${tier}: ${EACH - refused} ${refused} 0`;
  });
  const stored = (count: number) =>
    until(() => expect((machine as Machine).property(UNIT, "NFileDescriptorStore")).toBe(String(count)));

  it("judges each by the attachments in scope for it", async () => {
    expect(await load()).toEqual(expected);
    await stored(2 * COUNT);
  });

  it("goes on with all of them when it is started again", async () => {
    expect((machine as Machine).run("systemctl", "restart", UNIT)).toMatchObject({ status: 0, stderr: "" });
    expect(await load()).toEqual(expected);
    (machine as Machine).run("systemctl", "kill", "--signal=KILL", UNIT);
    expect(await load()).toEqual(expected);
    await stored(2 * COUNT);
  });

  it("has none of them kept once they have ended", async () => {
    expect(await crowd?.finish()).toBe(0);
    await stored(0);
  });
});
