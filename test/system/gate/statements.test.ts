import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it, type TestContext } from "vitest";
import { Authority, type Issued } from "../../../src/trust/issuing/authority.js";
import { recordsOf } from "../../support/records.js";
import { Workplace } from "../../support/workplace.js";
import { amount } from "../nightly.js";
import { BIN, mountTracefs, needsGate } from "./site.js";

const POLICY = `
import { deny, note, signer_of, statement_of, verify_program } from "countersign";
export function bpf_prog_load(prog) {
  const verdict = verify_program(prog, "platform");
  if (verdict !== 0) return verdict;
  const statement = statement_of(prog, "platform");
  for (const { name, kind, value, declared } of statement.settings)
    if (kind === "variable" && value !== declared) note(name + "=" + value);
  return signer_of(prog, "platform").subject === null ? deny("signed by nobody") : 0;
}
`;

/** What each tool is to see, in a shell of its own, and the tool's line about it. */
const OPENS = { activity: "cat /etc/hostname > /dev/null", event: /cat .* \/etc\/hostname/ };
const FAILED_OPENS = { activity: "cat /etc/no-such-file 2> /dev/null", event: /cat .* 2 .*\/etc\/no-such-file/ };
const EXECS = { activity: "/bin/true statement", event: /true .* \/bin\/true statement/ };
const EXITS = { activity: "/bin/true", event: /^true / };
const STATS = { activity: "stat /etc/hostname > /dev/null", event: /stat .* \/etc\/hostname/ };
const CONNECTIONS = {
  activity: `python3 -c "
import socket
server = socket.create_server(('127.0.0.1', 0))
client = socket.create_connection(server.getsockname())
server.accept()[0].close()
client.close()"`,
  event: /python3/,
};

interface Tool {
  readonly name: string;
  readonly options: readonly string[];
  readonly activity: string;
  readonly event: RegExp;
  /** What the options set in read-only data. */
  readonly set: readonly string[];
}

const TOOLS: readonly Tool[] = [
  { name: "execsnoop-libbpf", options: [], ...EXECS, set: [] },
  { name: "execsnoop-libbpf", options: ["-x", "--max-args", "3"], ...EXECS, set: ["ignore_failed=0", "max_args=3"] },
  { name: "execsnoop-libbpf", options: ["-u", "0"], ...EXECS, set: ["targ_uid=0"] },
  { name: "opensnoop-libbpf", options: [], ...OPENS, set: [] },
  { name: "opensnoop-libbpf", options: ["-x", "-n", "cat"], ...FAILED_OPENS, set: ["targ_failed=1"] },
  { name: "opensnoop-libbpf", options: ["-d", "3"], ...OPENS, set: [] },
  { name: "exitsnoop-libbpf", options: [], ...EXITS, set: [] },
  { name: "exitsnoop-libbpf", options: ["-T"], ...EXITS, set: ["trace_by_process=0"] },
  { name: "statsnoop-libbpf", options: [], ...STATS, set: [] },
  { name: "tcplife-libbpf", options: [], ...CONNECTIONS, set: [] },
  { name: "tcplife-libbpf", options: ["-4"], ...CONNECTIONS, set: ["target_family=2"] },
];
/** Each tool in its first form, and one whose options set what is signed; all of them at night. */
const RUN = TOOLS.filter(({ name, options }, at) => {
  const isFirst = TOOLS.findIndex((tool) => tool.name === name) === at;
  return amount(0, 1) === 1 || isFirst || options.includes("--max-args");
});
const FILES = [...new Set(TOOLS.map(({ name }) => `/usr/sbin/${name}`))];

describe("tools that are signed as statements", () => {
  let workplace: Workplace;

  beforeAll(() => {
    workplace = new Workplace(
      "  - policy: policies/policy.js\n    limits: { timeout: 10s }\n",
      "log: { file: log.jsonl }\ndefault: { bpf_prog_load: deny }",
    );
    workplace.write("policies/policy.js", POLICY);
    mountTracefs();
  });
  afterAll(() => rmSync(workplace.folder, { recursive: true }));
  beforeEach((context) => {
    needsGate(context);
    if (!FILES.every((path) => existsSync(path))) context.skip("needs libbpf-tools");
    rmSync(workplace.at("log.jsonl"), { force: true });
  });

  const countersign = (...words: readonly string[]) =>
    spawnSync(process.execPath, [BIN, ...words], { encoding: "utf8", timeout: 120_000 });
  /** Ends the tool once it has shown the event. One that shows nothing has so many seconds. */
  const script = ({ name, options, activity, event }: Tool, seconds: number) => `
    out=$(mktemp)
    timeout -s INT ${seconds} stdbuf -oL ${[name, ...options].join(" ")} > $out 2>&1 &
    while kill -0 $! 2> /dev/null; do
      ${activity}; sleep 0.2
      grep -qE '${event.source.replaceAll("\\/", "/")}' $out && kill -INT $! 2> /dev/null && break
    done
    wait
    cat $out; rm $out`;
  const bare = (tool: Tool) => spawnSync("sh", ["-c", script(tool, 15)], { encoding: "utf8", timeout: 60_000 }).stdout;
  const gated = (tool: Tool) => {
    const words = ["run", "--quiet", "--config", workplace.config, "--", "sh", "-c", script(tool, 60)];
    const { stdout, stderr } = countersign(...words);
    expect(stderr).toBe("");
    return stdout;
  };
  const loads = () =>
    recordsOf(workplace.at("log.jsonl")).filter(
      ({ hook, loader_probe }) => hook === "bpf_prog_load" && loader_probe === undefined,
    );
  const sign = (authority: Issued) => {
    const { key, certificate } = authority.pem;
    const signer = ["--key", workplace.write("signer.key", key), "--cert", workplace.write("signer.pem", certificate)];
    rmSync(workplace.at("signatures"), { recursive: true });
    const signed = countersign("sign", ...signer, "--programs", "--out", workplace.at("signatures"), ...FILES);
    expect(signed.status).toBe(0);
  };
  const eventOf = (output: string, { event }: Tool) => output.split("\n").some((line) => event.test(line));
  /** Skips a tool that does not run on this kernel. */
  const needsTool = (context: TestContext, tool: Tool) => {
    if (!eventOf(bare(tool), tool)) context.skip(`${tool.name} shows nothing on this kernel`);
  };

  for (const tool of RUN)
    it(`run: ${[tool.name, ...tool.options].join(" ")}`, (context) => {
      needsTool(context, tool);
      if (tool === TOOLS[0]) sign(workplace.signer);
      const output = gated(tool);
      const decided = loads();
      expect(decided.filter(({ verdict }) => verdict !== 0).map(({ denied_by }) => denied_by?.reason)).toEqual([]);
      expect(decided.length).toBeGreaterThan(0);
      expect(eventOf(output, tool), output).toBe(true);
      const notes = decided.flatMap(({ answers }) => answers.flatMap((answer) => answer.notes ?? []));
      expect(notes).toEqual(expect.arrayContaining(tool.set.map((set) => expect.stringContaining(set))));
    });

  it("are denied if they are not signed, or signed by somebody else", () => {
    const [tool] = TOOLS as [Tool];
    sign(Authority.create({ subject: "Another CA" }).issue({ subject: "Another" }));
    expect(eventOf(gated(tool), tool)).toBe(false);
    const denied = loads();
    expect(denied.length).toBeGreaterThan(0);
    expect(denied.every(({ verdict }) => verdict < 0)).toBe(true);

    rmSync(workplace.at("log.jsonl"));
    spawnSync("sh", ["-c", `rm ${workplace.at("signatures")}/*`]);
    expect(eventOf(gated(tool), tool)).toBe(false);
    expect(new Set(loads().map(({ verdict }) => verdict))).toEqual(new Set([-61]));
  });

  it("are denied if another program of the same name is loaded", (context) => {
    const [tool] = TOOLS as [Tool];
    needsTool(context, tool);
    sign(workplace.signer);
    // one byte of read-only data: a format of the tool's own text would do as well
    const bytes = Buffer.from(readFileSync(FILES[0]!));
    const at = bytes.indexOf(Buffer.from("Dual BSD/GPL\0"));
    const license = at >= 0 ? at : bytes.indexOf(Buffer.from("GPL\0"));
    expect(license).toBeGreaterThan(0);
    bytes.write("GPX", license, "latin1");
    const changed = workplace.write("execsnoop-libbpf", bytes);
    spawnSync("chmod", ["+x", changed]);
    expect(eventOf(gated({ ...tool, name: changed }), tool)).toBe(false);
  });
});
