import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Machine, SOCKET, UNIT } from "./machine.js";
import { needs, needsGate, Site } from "./site.js";

const COUNT = 1500;
const EACH = COUNT / 10;
const DENY = 'import { deny } from "countersign";\nexport const bpf_prog_load = () => deny("not this one");\n';
const CONFIG = `version: 1
attachments:
  - { policy: policy.js, scope: { container: true } }
  - { name: first, policy: deny.js, scope: { labels: "tier in (t1, t3)" } }
  - { name: second, policy: deny.js, scope: { container: ["crowd-5", "crowd-15"] } }
  - { name: third, policy: deny.js, scope: { labels: "!tier" } }
`;

describe("an agent of 1,500 containers", () => {
  let site: Site;
  let machine: Machine | string;
  let crowd: ChildProcessWithoutNullStreams | undefined;
  let lines: AsyncIterator<string>;

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
    crowd = spawn(file, words);
    lines = createInterface({ input: crowd.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe("ready");
  });
  afterAll(async () => {
    if (crowd !== undefined && crowd.exitCode === null) {
      crowd.stdin.end();
      await once(crowd, "exit");
    }
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
    crowd?.stdin.write("\n");
    const said: string[] = [];
    for (let tier = 0; tier < 10; tier += 1) said.push((await lines.next()).value);
    return said;
  };
  const expected = Array.from({ length: 10 }, (_, tier) => {
    const refused = tier === 1 || tier === 3 ? EACH : tier === 5 ? 2 : 0;
    return `t${tier}: ${EACH - refused} ${refused} 0`;
  });
  const stored = (count: number) =>
    vi.waitFor(() => expect((machine as Machine).property(UNIT, "NFileDescriptorStore")).toBe(String(count)), 120_000);

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
    crowd?.stdin.end();
    await once(crowd as ChildProcessWithoutNullStreams, "exit");
    await stored(0);
  });
});
