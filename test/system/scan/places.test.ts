import { readlinkSync } from "node:fs";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { Attached, type Line, needsScan, scanned } from "./scan-site.js";

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
    // a machine without the unified hierarchy attaches nothing to it
    expect(missing).toEqual(attached.cgroup === null ? ["scan_cgroup"] : []);
  });
});
