import { fstatSync, openSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import type { ContainerState } from "../../../../../src/gate/agent/container/container-state.js";
import { FdStoreContainers, type Restored } from "../../../../../src/gate/agent/fd-store/fd-store-containers.js";
import type { IssuedObject } from "../../../../../src/gate/call/issued-objects.js";
import { NotificationCursor } from "../../../../../src/gate/call/notification-cursor.js";
import { notificationBuffer } from "../../../../../src/gate/task/blocking/notification.js";
import { NR } from "../../../../../src/sys/numbers.js";
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

  it("are restored by the next agent with their state, cursor and issued objects", async (context) => {
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
      { listener: stored!.fds[0], state: stateOf("c"), cursor: stored!.fds[1], issued: [mapOf(1), mapOf(2)] },
    ]);
    expect(next.containers.keep(listener, stateOf("d"))).toBeGreaterThan(2);
    expect(store.received().map(({ text }) => text)).toEqual(["FDSTORE=1\nFDNAME=c2"]);
  });

  it("are dropped if they lack their listener, their file or a name of ours", async (context) => {
    const { listener } = await filteredProcess(context, ["true"]);
    new FdStoreContainers(store.manager(), NONE).keep(listener, stateOf("c"));
    const [[theirs = -1, file = -1] = []] = store.received().map(({ fds }) => fds);
    const nothing = () => openSync("/dev/null", "r");
    const kept = { c5: [file], c6: [nothing()], other: [theirs], c7: [nothing(), nothing()], maps: [] };
    expect(restored(kept).taken).toEqual([]);
    const dropped = ["other", "c5", "c6", "c7"].map((name) => `FDSTOREREMOVE=1\nFDNAME=${name}`);
    expect(store.received().map(({ text }) => text)).toEqual(dropped);
    for (const fd of [file, theirs]) expect(() => fstatSync(fd)).toThrow("EBADF");
  });

  it("record objects in the journal of the oldest listener, and move them when that ends", async (context) => {
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

  it("keep the newest objects if there are more than a journal has room for", async (context) => {
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

  it("fail the calls that the last agent received and did not answer", async (context) => {
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
