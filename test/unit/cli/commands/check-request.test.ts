import { mkdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runCommand } from "../../../support/command-line.js";
import { Workplace } from "../../../support/workplace.js";

const POLICY = `import { deny, map_lookup, map_update } from "countersign";
export const bpf_prog_load = (prog, current) => (prog.type === "xdp" || current.uid === 0 ? 0 : deny(prog.name));
export function bpf(command, current) {
  const who = current.container?.labels?.tier ?? "host";
  if (command.name !== "BPF_LINK_CREATE") return 0;
  const count = map_lookup("m", who) ?? 0;
  return count >= 2 ? deny(\`\${who} has \${count} links\`) : map_update("m", who, count + 1);
}
export const kernel_read_file = (file) => (file.path === "/lib/x.ko" ? 0 : -1);`;

const place = new Workplace("  - policy: policies/p.js", "maps: { m: { writable: { entries: 9, bytes: 1KiB } } }");
place.write("policies/p.js", POLICY);

/** Runs `check` about requests, one in each line. */
function check(text: string, ...words: string[]) {
  const file = place.write("requests.jsonl", text);
  return runCommand("check", "--config", place.config, "--request", file, ...words);
}

interface Line {
  readonly request: string;
  readonly decision: {
    readonly hook: string;
    readonly enforced_errno: string;
    readonly denied_by: object | null;
  } | null;
  readonly error: { readonly code: string; readonly message: string; readonly place: string } | null;
}

const linesOf = (out: string) =>
  out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
const ask = (...requests: readonly object[]) => requests.map((one) => `${JSON.stringify(one)}\n`).join("");

describe("check --request", () => {
  it("decides about each line in order, at the hook that fits, and as whoever asks", async () => {
    const text = ask(
      { program: { type: "kprobe", name: "f" } },
      { program: { type: "kprobe", name: "f" }, uid: 1000 },
      { program: { type: "xdp" }, uid: 1000, hook: "bpf_prog" },
      { module: { path: "/lib/x.ko" } },
      { module: { path: null } },
    );
    const { out, err, code } = await check(`\n${text}`, "--json");
    expect([err, code]).toEqual(["", 1]);
    expect(
      linesOf(out).map(({ request, decision }) => [
        request.split(":").at(-1),
        decision!.hook,
        decision!.enforced_errno,
      ]),
    ).toEqual([
      ["2", "bpf_prog_load", "0"],
      ["3", "bpf_prog_load", "-EPERM"],
      ["4", "bpf_prog", "0"],
      ["5", "kernel_read_file", "0"],
      ["6", "kernel_read_file", "-EPERM"],
    ]);
  });

  it("lets a request see what the ones before have written", async () => {
    const link = { command: { name: "BPF_LINK_CREATE" } };
    const { out, code } = await check(ask(link, link, { ...link, labels: { tier: "edge" } }, link));
    expect(code).toBe(1);
    expect(out.trimEnd().split("\n")).toHaveLength(4);
    expect(out).toContain("requests.jsonl:4  BPF_LINK_CREATE  bpf  denied -EPERM  p: host has 2 links");
  });

  it("keeps nothing that a request with contents of maps writes, and shows it to no other", async () => {
    const link = { command: { name: "BPF_LINK_CREATE" } };
    const withCount = (count: number) => ({ ...link, maps: { m: { host: count } } });
    const { out } = await check(ask(link, withCount(2), withCount(1), withCount(1), link, link), "--json");
    expect(linesOf(out).map(({ decision }) => decision!.enforced_errno)).toEqual([
      "0",
      "-EPERM",
      "0",
      "0",
      "0",
      "-EPERM",
    ]);
  });

  it("prints a fault of a policy below its request, and exits with 2", async () => {
    const { out, code } = await check(ask({ module: { unknown: ["path"] } }));
    expect(code).toBe(2);
    expect(out).toMatch(/^fault UNKNOWN_FACT: p on .*requests\.jsonl:1 test kernel_read_file: unknown fact/m);
  });

  it("says what is wrong with a line, and decides about the others", async () => {
    const bad = '{"command": {"name": "BPF_PROG_LOAD", "path": "/x"}}';
    const { out, err, code } = await check(`${bad}\n${ask({ program: { type: "xdp" } })}`, "--json");
    expect(code).toBe(2);
    const [first, second] = linesOf(out);
    expect(first).toMatchObject({ decision: null, error: { code: "CONFIG_INVALID" } });
    expect(err).toContain("command BPF_PROG_LOAD has no fact `path`");
    expect(second!.decision!.enforced_errno).toBe("0");
  });

  it.each([
    ["{", "requests.jsonl:1"],
    ["[]", "requests.jsonl:1:1"],
    ["{}", "a request has no subject"],
    ['{"program": {"type": "xdp"}, "map": {}}', "a request has program and map"],
    ['{"program": {"type": "xdp"}, "file": "a.o"}', "unknown key `file`"],
    ['{"program": {"type": "xdp"}, "expect": "deny"}', "unknown key `expect`"],
    ['{"program": {"type": "xdp"}, "uid": 1, "uid": 2}', "requests.jsonl:1"],
    ['{"program": {"type": "tc"}}', "`tc` is no type of a program"],
    ['{"program": {"type": "xdp"}, "hook": "bpf_map"}', "bpf_map is about maps"],
    ['{"program": {"type": "xdp"}, "labels": {}, "container": null}', "contradicts `container`"],
    ['{"program": {"type": "xdp"}, "__proto__": {"uid": 1}}', "__proto__"],
  ])("rejects %s, with its place", async (text, message) => {
    const { err, code } = await check(text);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(err).toContain("requests.jsonl:1");
  });

  it("takes no line that is longer than a request can be, and reads no folder", async () => {
    expect((await check(`${" ".repeat(2 ** 20 + 1)}x`)).err).toContain("FILE_TOO_LARGE");
    mkdirSync(place.at("folder"), { recursive: true });
    const words = ["check", "--config", place.config, "--request"];
    for (const name of ["folder", "none"])
      expect((await runCommand(...words, place.at(name))).err).toContain("FILE_UNREADABLE");
  });

  it.each([["a.o"], ["--uid", "1"], ["--label", "a=b"], ["--signature", "x"]])("goes without %s", async (...words) => {
    expect(await check("{}", ...words)).toMatchObject({
      code: 2,
      err: expect.stringContaining("--request goes without"),
    });
  });

  it("shows what the shadow would decide otherwise, also at a hook that only one of the two serves", async () => {
    const shadowed = new Workplace("  - policy: policies/p.js", "shadow: new.yaml");
    shadowed.write("policies/p.js", 'export const bpf_prog_load = (prog) => (prog.name === "f" ? -1 : 0);');
    shadowed.write("policies/q.js", "export const bpf_prog_load = () => 0; export const bpf = () => -13;");
    shadowed.write("new.yaml", "version: 1\nattachments: [{ policy: policies/q.js }]\n");
    const text = ask(
      { program: { type: "xdp", name: "f" } },
      { program: { type: "xdp", name: "g" } },
      { command: { name: "BPF_OBJ_PIN", path: "/x" } },
    );
    const words = ["check", "--config", shadowed.config, "--request", shadowed.write("requests.jsonl", text)];
    const { out, code } = await runCommand(...words);
    expect(code).toBe(1);
    expect(out.match(/^shadow .*$/gm)).toEqual([
      expect.stringMatching(/^shadow would allow .*jsonl:1 f bpf_prog_load/),
      expect.stringMatching(/^shadow would deny -EACCES .*jsonl:3 BPF_OBJ_PIN bpf/),
    ]);
    const json = (await runCommand(...words, "--json")).out.trimEnd().split("\n");
    expect(json.map((line) => JSON.parse(line).shadow.length)).toEqual([1, 0, 1]);
  });

  it("records its decisions as others are", async () => {
    const log = place.at("requests.log");
    await check(ask({ program: { type: "kprobe", name: "f" }, uid: 7 }), `--log=${log}`);
    expect(readFileSync(log, "utf8")).toContain('"hook":"bpf_prog_load"');
  });
});
