import { fstatSync, openSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import type { ContainerState } from "../../../../../src/gate/agent/container/container-state.js";
import { FdStoreContainers, type Restored } from "../../../../../src/gate/agent/fd-store/fd-store-containers.js";
import { isListener } from "../../../../../src/gate/agent/fd-store/handover.js";
import type { IssuedObject } from "../../../../../src/gate/call/issued-objects.js";
import { NotificationCursor } from "../../../../../src/gate/call/notification-cursor.js";
import { notificationBuffer } from "../../../../../src/gate/task/blocking/notification.js";
import { NR } from "../../../../../src/sys/numbers.js";
import { close } from "../../../../../src/sys/pidfd.js";
import { receive } from "../../../../../src/sys/seccomp.js";
import { filteredProcess, programFile } from "../../../../support/filtered-process.js";
import { NotifySocket } from "../../../../support/notify-socket.js";

const stateOf = (id: string): ContainerState => ({
  ...{ id, pid: 77, bundle: "/b", annotations: { a: "1" }, metadata: "countersign-2", listenerIndex: 0 },
});
const mapOf = (id: number): IssuedObject => ({
  id,
  entry: { creator: 4, memory: 4096, exclusive: false, withheld: false },
});

describe("containers in the fd store", () => {
  let store: NotifySocket;
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    store = new NotifySocket();
  });

  const NONE = () => [];
  /** The containers of an agent that starts after one whose fds were stored, and what it restores. */
  const restored = (
    kept: Readonly<Record<string, readonly number[]>>,
    issuedTo: () => readonly IssuedObject[] = NONE,
  ) => {
    const containers = new FdStoreContainers(store.manager(kept), issuedTo);
    const taken: Restored[] = [];
    containers.restore((each) => taken.push(each));
    return { containers, taken };
  };

  it("are restored by the next agent with their state, cursor and issued objects", {
    tags: ["deep"],
  }, async (context) => {
    const { listener } = await filteredProcess(context, ["true"]);
    const containers = new FdStoreContainers(store.manager(), NONE);
    const file = containers.keep(listener, stateOf("c"));
    containers.record("c", [mapOf(1), mapOf(2)]);
    containers.record("other", [mapOf(3)]);
    const [stored] = store.received();
    expect(stored).toMatchObject({ text: "FDSTORE=1\nFDNAME=c1", fds: [expect.any(Number), expect.any(Number)] });
    expect(file).toBeGreaterThan(2);
    const next = restored({ c1: stored!.fds });
    expect(next.taken).toEqual([
      {
        listener: stored!.fds[0],
        state: stateOf("c"),
        cursor: stored!.fds[1],
        issued: [mapOf(1), mapOf(2)],
        rejected: null,
      },
    ]);
    expect(next.containers.keep(listener, stateOf("d"))).toBeGreaterThan(2);
    expect(store.received().map(({ text }) => text)).toEqual(["FDSTORE=1\nFDNAME=c2"]);
  });

  it("are dropped if they lack their listener", async (context) => {
    const { listener } = await filteredProcess(context, ["true"]);
    new FdStoreContainers(store.manager(), NONE).keep(listener, stateOf("c"));
    const [[theirs = -1, file = -1] = []] = store.received().map(({ fds }) => fds);
    close(theirs);
    const nothing = () => openSync("/dev/null", "r");
    const others = [nothing(), nothing(), nothing(), nothing()] as const;
    const kept = { c5: [file], c6: [others[0]], c7: [others[1], others[2]], other: [others[3]], maps: [] };
    expect(restored(kept).taken).toEqual([]);
    const dropped = ["other", "c5", "c6", "c7"].map((name) => `FDSTOREREMOVE=1\nFDNAME=${name}`);
    expect(store.received().map(({ text }) => text)).toEqual(dropped);
    for (const fd of [file, ...others]) expect(() => fstatSync(fd)).toThrow("EBADF");
  });

  it("are rejected, and their listeners stay open, if no file says what they are", async (context) => {
    const process = await filteredProcess(context, ["true"]);
    const copies = () => {
      new FdStoreContainers(store.manager(), NONE).keep(process.listener, stateOf("c"));
      return store.received()[0]!.fds as [number, number];
    };
    const [[alone, file], [garbled, other], [named, third], [unnamed, fourth], [one, fifth], [two, sixth]] = [
      ...[copies(), copies(), copies(), copies(), copies(), copies()],
    ] as const;
    for (const fd of [file, other, fourth, sixth]) close(fd);
    const garbage = openSync("/dev/null", "r");
    const kept = { c5: [alone], c6: [garbled, garbage], other: [named, third], "": [unnamed], c7: [one, fifth, two] };
    const { taken, containers } = restored(kept);
    const rejected = {
      ...{ cursor: -1, issued: [], rejected: "its record in the fd store cannot be read" },
      state: expect.objectContaining({ id: "unknown", metadata: "" }),
    };
    const found = (listener: number) => taken.find((each) => each.listener === listener);
    for (const listener of [alone, garbled, named, unnamed, two]) {
      expect(found(listener)).toEqual({ listener, ...rejected });
      expect(isListener(listener)).toBe(true);
    }
    expect(found(one)).toEqual({ listener: one, state: stateOf("c"), cursor: fifth, issued: [], rejected: null });
    for (const fd of [garbage, third]) expect(() => fstatSync(fd)).toThrow("EBADF");
    expect(store.received()).toEqual([]);
    for (const { listener } of taken) containers.drop(listener);
    const dropped = store.received().map(({ text }) => text.slice("FDSTOREREMOVE=1\nFDNAME=".length));
    expect(dropped.sort()).toEqual(["c5", "c6", "c7", "other"]);
    for (const { listener } of taken) close(listener);
  });

  it("are still rejected after a restart, whether they were from the start or later", {
    tags: ["deep"],
  }, async (context) => {
    const [one, two, three] = [
      await filteredProcess(context, ["true"]),
      await filteredProcess(context, ["true"]),
      await filteredProcess(context, ["true"]),
    ];
    const containers = new FdStoreContainers(store.manager(), NONE);
    containers.keep(one.listener, stateOf("c"), "shares");
    containers.keep(two.listener, stateOf("d"));
    containers.record("d", [mapOf(1)]);
    containers.reject(two.listener, "is fast");
    containers.record("c", [mapOf(2)]);
    // another process of the container, which is served
    containers.keep(three.listener, stateOf("d"));
    containers.record("d", [mapOf(3)]);
    containers.drop(three.listener);
    const stored = store.received();
    const next = restored({ c1: stored[0]!.fds, c2: stored[1]!.fds });
    expect(next.taken.map(({ state, rejected, issued }) => [state.id, rejected, issued])).toEqual([
      ["c", "shares", []],
      ["d", "is fast", [mapOf(1)]],
    ]);
    for (const { listener } of next.taken) next.containers.drop(listener);
    expect(store.received().map(({ text }) => text)).toEqual([
      "FDSTOREREMOVE=1\nFDNAME=c1",
      "FDSTOREREMOVE=1\nFDNAME=c2",
    ]);
  });

  it("record objects in the journal of the oldest listener, and move them when that ends", {
    tags: ["deep"],
  }, async (context) => {
    const [one, two] = [await filteredProcess(context, ["true"]), await filteredProcess(context, ["true"])];
    const containers = new FdStoreContainers(store.manager(), () => [mapOf(9)]);
    containers.keep(one.listener, stateOf("c"));
    containers.keep(two.listener, stateOf("c"));
    containers.record("c", [mapOf(1)]);
    const stored = store.received();
    containers.drop(one.listener);
    containers.drop(one.listener);
    expect(store.received().map(({ text }) => text)).toEqual(["FDSTOREREMOVE=1\nFDNAME=c1"]);
    const { taken, containers: next } = restored({ c2: stored[1]!.fds, c1: stored[0]!.fds });
    expect(taken.map(({ issued }) => issued)).toEqual([[mapOf(1)], [mapOf(9)]]);
    for (const { listener } of taken) next.drop(listener);
    next.record("c", [mapOf(2)]);
    expect(store.received()).toHaveLength(2);
  });

  it("keep the newest objects if there are more than a journal has room for", { tags: ["deep"] }, async (context) => {
    const { listener } = await filteredProcess(context, ["true"]);
    const all = Array.from({ length: 50_000 }, (_, index) => mapOf(index + 1));
    const containers = new FdStoreContainers(store.manager(), () => all);
    containers.keep(listener, stateOf("c"));
    containers.record("c", all);
    const { issued } = restored({ c1: store.received()[0]!.fds }).taken[0]!;
    expect(issued.at(-1)).toEqual(mapOf(50_000));
    expect(issued.length).toBeGreaterThan(1000);
    expect(issued.length).toBeLessThan(50_000);
  });

  it("fail the calls that the last agent received and did not answer", { tags: ["deep"] }, async (context) => {
    const { command, listener, execute } = await filteredProcess(context, [programFile([NR.bpf, 999, 0, 0])]);
    const containers = new FdStoreContainers(store.manager(), NONE);
    const cursor = new NotificationCursor(containers.keep(listener, stateOf("c")));
    await execute();
    const notification = notificationBuffer();
    expect(receive(listener, notification)).toBe(0);
    cursor.received(notification);
    restored({ c1: store.received()[0]!.fds });
    expect(await command.ended).toMatchObject({ code: 38 });
  });

  it("are not kept without a service manager", async (context) => {
    const { listener } = await filteredProcess(context, ["true"]);
    store.close();
    expect(new FdStoreContainers(store.manager(), NONE).keep(listener, stateOf("c"))).toBe(-1);
  });
});
