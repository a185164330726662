import { spawnSync } from "node:child_process";
import { readlinkSync } from "node:fs";
import { release } from "node:os";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { RunningProgram } from "../gate/running-program.js";
import { Attached, compiled, type Line, needsScan, scanned } from "./scan-site.js";

const attached = new Attached();

beforeEach(async (context) => {
  needsScan(context, "gcc", "unshare");
  await attached.start();
});
afterAll(() => attached.stop());

describe("the places of scan", () => {
  it("are those of each program that is attached with and without a link, and nowhere else", () => {
    const { lines, status } = scanned();
    expect(status).toBe(0);
    const netns = Number(/\d+/.exec(readlinkSync(`/proc/${attached.pid}/ns/net`))?.[0]);
    const loopback = { at: "interface", ifindex: 1, name: "lo", netns };
    const expected: Readonly<Record<string, object>> = {
      scan_tcx: { ...loopback, attach_type: "tcx_ingress" },
      scan_egress: { ...loopback, attach_type: "tcx_egress" },
      scan_xdp: { ...loopback, attach_type: "xdp" },
      scan_lookup: { at: "netns", attach_type: "sk_lookup", netns },
      scan_dissector: { at: "netns", attach_type: "flow_dissector", netns },
      scan_verdict: { at: "map", attach_type: "sk_skb_stream_verdict", map: expect.any(Number) },
      scan_event: { at: "event", event: "tracepoint", name: "sched_process_free", offset: 0, pid: attached.pid },
      scan_element: { at: "element", map: expect.any(Number), index: 1 },
      scan_cgroup: {
        at: "cgroup",
        attach_type: "cgroup_inet_ingress",
        path: attached.cgroup,
        cgroup_id: expect.any(String),
      },
    };
    for (const [name, id] of attached.ids) {
      const places = lines.filter((line: Line) => line.kind === "place" && line.program === id);
      const place = expected[name];
      expect([name, places]).toEqual([name, place === undefined ? [] : [{ kind: "place", program: id, ...place }]]);
    }
    const missing = Object.keys(expected).filter((name) => !attached.ids.has(name));
    // a machine without the unified hierarchy attaches nothing to it, one without tracefs has no tracepoints, and Linux
    // has tcx since 6.6
    const [major = 0, minor = 0] = release().split(".").map(Number);
    const newer = major < 6 || (major === 6 && minor < 6) ? ["scan_tcx", "scan_egress"] : [];
    const mayFail = new Set([...newer, "scan_event"]);
    const possible = attached.failed.map((line) => line.split(" ")[0]!).filter((name) => mayFail.has(name));
    expect(missing.sort()).toEqual([...possible, ...(attached.cgroup === null ? ["scan_cgroup"] : [])].sort());
  });

  it("are those in a network namespace that only a socket keeps", async () => {
    const running = new RunningProgram(compiled("socket-network", attached.folder), []);
    const said = new Map<string, string>();
    for (let line = await running.line(); line !== "ready"; line = await running.line()) {
      const [name = "", value = ""] = line.split(" ");
      said.set(name, value);
    }
    const { lines, status } = scanned();
    await running.finish();
    const netns = Number(said.get("network"));
    const loopback = { at: "interface", ifindex: 1, name: "lo", netns };
    const expected = {
      socket_xdp: { ...loopback, attach_type: "xdp" },
      socket_tcx: { ...loopback, attach_type: "tcx_egress" },
      socket_flow: { at: "netns", attach_type: "flow_dissector", netns },
    };
    expect(status).toBe(0);
    for (const [name, place] of Object.entries(expected)) {
      const program = Number(said.get(name));
      // Linux has tcx since 6.6
      if (name === "socket_tcx" && Number.isNaN(program)) continue;
      const places = lines.filter((line: Line) => line.kind === "place" && line.program === program);
      expect([name, places]).toEqual([name, [{ kind: "place", program, ...place }]]);
    }
  });

  it("are those of tc filters, in the namespace of their interface", (context) => {
    needsScan(context, "tc", "nsenter");
    const tc = (...words: readonly string[]) =>
      spawnSync("nsenter", [
        `--net=/proc/${attached.pid}/ns/net`,
        `--mount=/proc/${attached.pid}/ns/mnt`,
        "tc",
        ...words,
      ]);
    const filter = (kind: string) =>
      tc("filter", "add", "dev", "lo", kind, "bpf", "da", "object-pinned", attached.pinned("scan_filter"));
    if (tc("qdisc", "add", "dev", "lo", "clsact").status !== 0) context.skip("needs clsact in the kernel");
    if (filter("ingress").status !== 0) context.skip("needs cls_bpf in the kernel");
    expect(filter("egress").status).toBe(0);
    const places = scanned().lines.filter(
      (line: Line) => line.kind === "place" && line.program === attached.ids.get("scan_filter"),
    );
    const place = { at: "interface", ifindex: 1, name: "lo", netns: expect.any(Number) };
    expect(places).toEqual([
      expect.objectContaining({ ...place, attach_type: "tc_ingress" }),
      expect.objectContaining({ ...place, attach_type: "tc_egress" }),
    ]);
  });
});
