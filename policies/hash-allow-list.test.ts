import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERRNO } from "../src/errno.js";
import { program, Site } from "../test/support/site.js";

describe("hash-allow-list", () => {
  let site: Site;
  beforeAll(async () => {
    const allowed_programs = {
      [program("drop-telnet").digest]: { name: "drop_telnet", type: "sched_cls" },
      [program("exec-log").digest]: { name: "log_exec", type: "kprobe" },
      [program("peek-tc").digest]: null,
      [program("rate-limit").digest]: [
        { name: "limit", type: "xdp", object: "a.o", kernels: ["6.12"] },
        { name: "limit", type: "sched_cls", object: "b.o", kernels: ["6.12", "7.2"] },
      ],
      [program("last-word").digest]: [
        { name: "classify", type: "xdp" },
        { name: "classify", type: "sched_act" },
      ],
    };
    site = await Site.open({ attachments: ["hash-allow-list.js"], maps: { allowed_programs } });
  });
  afterAll(() => site.close());

  it("lets a program through that is on the list", () => {
    expect(site.load("drop-telnet").verdict).toBe(0);
  });

  it("denies any other, by the digest that would have to be added", () => {
    const { denied_by } = site.load("kill-writer");
    expect(denied_by?.verdict).toBe(-ERRNO.EPERM);
    expect(denied_by?.reason).toContain(`digest ${program("kill-writer").digest} is not in the map allowed_programs`);
  });

  it("denies the same instructions under another program type", () => {
    expect(site.load("exec-log").denied_by?.reason).toContain("log_exec is allowed as kprobe, not as tracepoint");
  });

  it("takes the lists that `countersign list` writes", () => {
    expect(site.load("rate-limit").verdict).toBe(0);
    expect(site.load("last-word").denied_by?.reason).toContain(
      "classify is allowed as xdp, classify is allowed as sched_act, not as sched_cls",
    );
  });

  it("takes an empty entry for none", () => {
    expect(site.load("peek-tc").verdict).toBe(-ERRNO.EPERM);
  });
});
