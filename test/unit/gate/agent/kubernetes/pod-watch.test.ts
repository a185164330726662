import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Api } from "../../../../../src/gate/agent/kubernetes/api.js";
import type { FromReader } from "../../../../../src/gate/agent/kubernetes/pod.js";
import { PodWatch } from "../../../../../src/gate/agent/kubernetes/pod-watch.js";
import { Authority } from "../../../../../src/trust/issuing/authority.js";
import { ApiServer, NODE } from "../../../../support/api-server.js";
import { until } from "../../../../support/until.js";

const BACKOFF = { first: 1, most: 4 };
const MIRROR = "kubernetes.io/config.mirror";

describe("a watch of a node's pods", () => {
  let server: ApiServer;
  let watch: PodWatch;
  let told: FromReader[];
  let running: Promise<void>;

  beforeEach(async () => {
    server = await ApiServer.start();
    vi.stubEnv("KUBECONFIG", server.kubeconfig());
    told = [];
    running = Promise.resolve();
  });
  afterEach(async () => {
    watch.end();
    server.misbehave = (_, response) => response.socket?.destroy();
    server.drop();
    await running;
    vi.unstubAllEnvs();
    await server.close();
  });

  const run = (patience?: number) => {
    watch = new PodWatch(new Api(patience), NODE, (message) => told.push(message), BACKOFF);
    running = watch.run();
  };
  const tells = (...messages: readonly object[]) => until(() => expect(told).toEqual(messages));
  const watched = () => until(() => expect(server.watches).toBe(1));
  const pod = (uid: string, more = {}) => ({
    uid,
    mirrors: null,
    namespace: "default",
    name: uid,
    labels: {},
    ...more,
  });
  const trouble = (reason: RegExp) =>
    until(() => expect(told.at(-1)).toEqual({ is: "trouble", reason: expect.stringMatching(reason) }));

  it("reports all pods of the node, and then each change", async () => {
    server.put({ uid: "u1", name: "u1", labels: { tier: "edge" }, annotations: { [MIRROR]: "hash" } });
    server.put({ uid: "other", name: "other", node: "node-8" });
    run();
    await watched();
    server.put({ uid: "u2", name: "u2" });
    server.delete("u1");
    await tells(
      { is: "pods", pods: [pod("u1", { mirrors: "hash", labels: { tier: "edge" } })] },
      { is: "pod", pod: pod("u2") },
      { is: "gone", uid: "u1" },
    );
    expect(server.asked.map(({ watch: isWatch }) => isWatch)).toEqual([false, true]);
  });

  it("goes on from the last version that it saw when a watch ends", async () => {
    run();
    await watched();
    const version = server.bookmark();
    server.endWatches();
    await until(() => expect(server.asked.at(-1)).toMatchObject({ watch: true, version }));
    expect(told).toEqual([{ is: "pods", pods: [] }]);
  });

  it("lists the pods again if the server no longer has that version", async () => {
    run();
    await watched();
    server.putUnheard({ uid: "u1", name: "u1" });
    server.compact();
    await tells({ is: "pods", pods: [] }, { is: "pods", pods: [pod("u1")] });
  });

  it("has unknown labels where they are malformed or too large, and no pods without a name", async () => {
    server.put({ uid: "list", name: "list", labels: ["a"] });
    server.put({ uid: "number", name: "number", labels: { a: 1 } });
    server.put({ uid: "large", name: "large", labels: { a: "x".repeat(64 * 1024) } });
    server.put({ uid: "nameless", name: "" });
    run();
    const pods = ["list", "number", "large"].map((uid) => pod(uid, { labels: null }));
    await tells({ is: "pods", pods });
  });

  it.each<[string, string, RegExp]>([
    ["is no JSON", "{", /sent something that is not JSON/],
    ["is no list", "{}", /sent something that is not a list/],
  ])("tries again after an answer that %s", async (_, body, reason) => {
    server.misbehave = (_request, response) => response.writeHead(200).end(body);
    run();
    await trouble(reason);
    server.misbehave = null;
    await until(() => expect(told.at(-1)).toEqual({ is: "pods", pods: [] }));
  });

  it.each<[string, string, RegExp]>([
    ["is no event", '{"type":1}\n', /sent something that is not an event/],
    ["is an error", '{"type":"ERROR","object":{"message":"overloaded"}}\n', /the watch failed: overloaded/],
    ["is incomplete", '\n{"type"', /ended within an event/],
  ])("lists the pods again if a line of the watch %s", async (_, body, reason) => {
    server.misbehave = ({ watch: isWatch }, response) =>
      isWatch
        ? response.writeHead(200).end(body)
        : response.writeHead(200).end(JSON.stringify({ metadata: { resourceVersion: "7" }, items: [] }));
    run();
    await until(() => expect(told).toContainEqual({ is: "trouble", reason: expect.stringMatching(reason) }));
    await until(() => expect(told.filter(({ is }) => is === "pods").length).toBeGreaterThan(1));
  });

  it("reports the status of an answer that is an error", async () => {
    server.writeToken("another");
    run();
    await trouble(/answered 401$/);
  });

  it("reports a server that it cannot trust, and a configuration without one", async () => {
    vi.stubEnv("KUBECONFIG", server.kubeconfig({ authority: Authority.create({ subject: "other" }).pem.certificate }));
    run();
    await trouble(/self.signed|unable to (get|verify)/i);
    vi.stubEnv("KUBECONFIG", "/nowhere/kubeconfig");
    await trouble(/the configuration for Kubernetes cannot be used/);
  });

  it("reports a server that does not answer", { tags: ["deep"] }, async () => {
    server.misbehave = () => undefined;
    run(200);
    await trouble(/no answer in time/);
  });

  it("ends a list that takes too long", { tags: ["deep"] }, async () => {
    server.misbehave = (_, response) => response.writeHead(200).write("{");
    run(100);
    await trouble(/the list took too long/);
  });
});
