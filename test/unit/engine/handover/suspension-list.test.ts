import { describe, expect, it } from "vitest";
import { COMMAND, principalIn, principalOf } from "../../../../src/engine/handover/principal.js";
import { SuspensionList } from "../../../../src/engine/handover/suspension-list.js";

const suspendedFor = (list: SuspensionList, principal: string) =>
  list.skipped([], principal).map(([attachment, { code }]) => `${attachment} ${code}`);

describe("suspensions", () => {
  it("are for the principal whose inputs caused the failures, and for no other one", () => {
    const list = new SuspensionList();
    for (const attachment of [0, 0, 1]) list.recordFailure(attachment, "a");
    list.recordFailure(0, "b");
    expect(suspendedFor(list, "a")).toEqual(["0 SUSPENDED"]);
    expect(suspendedFor(list, "b")).toEqual([]);
    expect(suspendedFor(list, "c")).toEqual([]);
    expect([...list.failing].sort()).toEqual([0, 1]);
  });

  it("come with the first failure of each principal if many have failed, and never without one", () => {
    const list = new SuspensionList();
    const names = Array.from({ length: 100 }, (_, index) => `container ${index}`);
    const asked = names.filter((name) => {
      if (suspendedFor(list, name).length > 0) return false;
      list.recordFailure(0, name);
      return true;
    });
    // Each is asked once, so that 100 of them have a thread replaced 100 times at most, and not again
    expect(asked).toEqual(names);
    expect(names.filter((name) => suspendedFor(list, name).length === 0)).toEqual([]);
    expect(suspendedFor(list, "without a failure")).toEqual([]);
    expect(suspendedFor(new SuspensionList(list.records), names[0]!)).toEqual(["0 SUSPENDED"]);
  });

  it("take a bounded amount of memory, and forget those that end first", { tags: ["deep"] }, () => {
    const list = new SuspensionList();
    for (let again = 0; again < 5; again++) list.recordFailure(0, "worst");
    for (let number = 0; number < 10_000; number++) list.recordFailure(0, `${number}`);
    expect(list.records.principals.length).toBeLessThanOrEqual(4096);
    expect(suspendedFor(list, "worst")).toEqual(["0 SUSPENDED"]);
  });
});

describe("the principal of a caller", () => {
  const container = { id: "c0", name: "web", labels: {}, annotations: {} };

  it.each([
    ["a container, whatever its cgroup", { container, cgroup: "/system.slice/a.service" }, "c0"],
    ["a unit", { container: null, cgroup: "/system.slice/a.service" }, "a.service"],
    ["a unit with cgroups of its own", { container: null, cgroup: "/system.slice/a.service/b.scope/c" }, "a.service"],
    [
      "a user",
      { container: null, cgroup: "/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope" },
      "user@1000.service",
    ],
    ["a session", { container: null, cgroup: "/user.slice/user-0.slice/session-1.scope" }, "session-1.scope"],
    ["no unit", { container: null, cgroup: "/mine" }, COMMAND],
    ["no cgroup", { container: null, cgroup: null }, COMMAND],
  ])("is %s", (_, caller, principal) => expect(principalOf(caller)).toBe(principal));

  it("is the container or the command for a gate, whose tasks may move to another cgroup", () => {
    expect([principalIn(container), principalIn(null)]).toEqual(["c0", COMMAND]);
  });
});
