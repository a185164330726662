import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CountersignError } from "../../../../../src/error.js";
import type { ContainerState } from "../../../../../src/gate/agent/container/container-state.js";
import { Pods } from "../../../../../src/gate/agent/kubernetes/pods.js";
import { Authority } from "../../../../../src/trust/issuing/authority.js";
import { ApiServer, NODE } from "../../../../support/api-server.js";
import { until } from "../../../../support/until.js";

/** With a reader in a process of its own, over TLS, as an agent has it. */
describe("the pods of a node", () => {
  let server: ApiServer;
  let pods: Pods;
  let said: CountersignError[];
  let changes: number;

  beforeEach(async () => {
    server = await ApiServer.start();
    vi.stubEnv("KUBECONFIG", server.kubeconfig());
    said = [];
    changes = 0;
    pods = new Pods(NODE);
  });
  afterEach(async () => {
    pods.close();
    vi.unstubAllEnvs();
    await server.close();
  });

  const follow = () =>
    pods.follow({
      changed: () => {
        changes += 1;
      },
      say: (error) => said.push(error),
    });
  const annotated = (annotations: Record<string, string>): ContainerState => ({
    id: "c",
    pid: 1,
    bundle: "",
    annotations,
    metadata: "countersign-2",
    listenerIndex: 0,
  });
  const containerd = (uid: string, name = "web", namespace = "default") =>
    annotated({
      "io.kubernetes.cri.sandbox-uid": uid,
      "io.kubernetes.cri.sandbox-name": name,
      "io.kubernetes.cri.sandbox-namespace": namespace,
    });
  const becomes = (state: ContainerState, labels: unknown) => until(() => expect(pods.labelsOf(state)).toEqual(labels));
  const watched = () => until(() => expect(server.watches).toBe(1));

  it("have unknown labels before they are listed, and then those of the API", { tags: ["deep"] }, async () => {
    server.put({ uid: "u1", name: "web", labels: { tier: "edge" } });
    expect(pods.labelsOf(containerd("u1"))).toBeNull();
    expect(pods.why(containerd("u1"))).toContain("has not listed");
    follow();
    await becomes(containerd("u1"), { tier: "edge" });
    expect(changes).toBe(1);
    expect(server.asked[0]?.accept).toContain("PartialObjectMetadataList");
  });

  it("are only those of this node, however many there are", { tags: ["deep"] }, async () => {
    for (let index = 0; index < 1201; index += 1) server.put({ uid: `u${index}`, name: `p${index}`, labels: {} });
    server.put({ uid: "other", name: "other", node: "node-8", labels: { tier: "edge" } });
    follow();
    await becomes(containerd("u1200", "p1200"), {});
    expect(pods.labelsOf(containerd("other", "other"))).toBeNull();
    expect(server.asked.filter(({ watch }) => !watch)).toHaveLength(3);
  });

  it("come, change their labels and go while they are watched", { tags: ["deep"] }, async () => {
    follow();
    await watched();
    server.put({ uid: "u1", name: "web", labels: { tier: "edge" } });
    await becomes(containerd("u1"), { tier: "edge" });
    server.put({ uid: "u1", name: "web", labels: { tier: "dev" } });
    await becomes(containerd("u1"), { tier: "dev" });
    server.put({ uid: "u1", name: "web" });
    await becomes(containerd("u1"), {});
    const before = changes;
    server.put({ uid: "u1", name: "web" }); // its status, say: nothing that is looked at
    server.delete("u1");
    await becomes(containerd("u1"), null);
    expect(changes).toBe(before);
  });

  it("are found by the uid from the runtime, even if another pod has the same name", { tags: ["deep"] }, async () => {
    server.put({ uid: "new", name: "web", labels: { tier: "dev" } });
    server.put({
      uid: "u2",
      name: "thief",
      labels: { tier: "dev" },
      annotations: { "kubernetes.io/config.mirror": "u3" },
    });
    server.put({ uid: "u3", name: "victim", labels: { tier: "edge" } });
    follow();
    await becomes(annotated({ "io.kubernetes.pod.name": "web", "io.kubernetes.pod.namespace": "default" }), {
      tier: "dev",
    });
    expect(pods.labelsOf(containerd("old"))).toBeNull();
    expect(pods.why(containerd("old"))).toContain("no pod `default/web` of uid `old`");
    expect(pods.labelsOf(containerd("u3", "victim"))).toEqual({ tier: "edge" });
    server.delete("u3");
    await becomes(containerd("u3", "victim"), null);
    expect(pods.labelsOf(annotated({}))).toBeNull();
    expect(pods.why(annotated({}))).toContain("names no pod");
  });

  it("are found by the kubelet's uid if they are static and the API has their mirror pod", {
    tags: ["deep"],
  }, async () => {
    const annotations = { "kubernetes.io/config.mirror": "hash" };
    server.put({ uid: "u1", name: "proxy-node-7", namespace: "kube-system", labels: { tier: "edge" }, annotations });
    follow();
    await becomes(containerd("hash", "proxy-node-7", "kube-system"), { tier: "edge" });
    expect(pods.labelsOf(containerd("hash", "other", "kube-system"))).toBeNull();
  });

  it("keep their labels while the API does not answer, and get the present ones afterwards", {
    tags: ["deep"],
  }, async () => {
    server.put({ uid: "u1", name: "web", labels: { tier: "edge" } });
    follow();
    await watched();
    const { port } = server;
    server.misbehave = (_, response) => response.socket?.destroy();
    server.drop();
    await until(() => expect(said).toHaveLength(1));
    expect(said[0]).toMatchObject({ code: "LABELS_UNKNOWN", message: expect.stringContaining("cannot be read from") });
    expect(pods.labelsOf(containerd("u1"))).toEqual({ tier: "edge" });
    server.putUnheard({ uid: "u1", name: "web", labels: { tier: "dev" } });
    server.misbehave = null;
    expect(server.port).toBe(port);
    await becomes(containerd("u1"), { tier: "dev" });
  });

  it("are listed again if the watch fails because its version is gone", { tags: ["deep"] }, async () => {
    server.put({ uid: "u1", name: "web", labels: { tier: "edge" } });
    follow();
    await watched();
    server.putUnheard({ uid: "u1", name: "web", labels: { tier: "dev" } });
    server.compact();
    await becomes(containerd("u1"), { tier: "dev" });
    expect(said).toEqual([]);
    await watched();
    server.bookmark();
    server.compact();
    await until(() => expect(server.asked.filter(({ watch }) => !watch)).toHaveLength(3));
  });

  it("are watched from the last bookmark on if a watch ends", { tags: ["deep"] }, async () => {
    follow();
    await watched();
    const version = server.bookmark();
    server.endWatches();
    server.asked.splice(0);
    await until(() => expect(server.asked).toMatchObject([{ watch: true, version }]));
    expect(said).toEqual([]);
  });

  it("are read with a new token once the old one is refused", { tags: ["deep"] }, async () => {
    server.put({ uid: "u1", name: "web", labels: { tier: "edge" } });
    server.writeToken("an old token");
    follow();
    await until(() => expect(said).toHaveLength(1));
    expect(said[0]?.message).toContain("answered 401");
    expect(pods.labelsOf(containerd("u1"))).toBeNull();
    server.writeToken(server.token);
    await becomes(containerd("u1"), { tier: "edge" });
  });

  it("are not taken from a server that another authority vouches for", { tags: ["deep"] }, async () => {
    server.put({ uid: "u1", name: "web", labels: { tier: "dev" } });
    const { certificate } = Authority.create({ subject: "another's" }).pem;
    vi.stubEnv("KUBECONFIG", server.kubeconfig({ authority: certificate }));
    follow();
    await until(() => expect(said).toHaveLength(1));
    expect(said[0]?.message).toMatch(/certificate/);
    expect(server.asked).toEqual([]);
    expect(pods.labelsOf(containerd("u1"))).toBeNull();
  });

  it("are not read without encryption", { tags: ["deep"] }, async () => {
    vi.stubEnv("KUBECONFIG", server.kubeconfig({ server: "http://127.0.0.1:1" }));
    follow();
    await until(() => expect(said).toHaveLength(1));
    expect(said[0]?.message).toMatch(/HTTP protocol is not allowed/);
  });

  it("are those of a node with a valid name", () => {
    for (const name of ["", "a,b", "a=b", "../../x", "A", "-a", "a".repeat(254)])
      expect(() => new Pods(name), name).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});
