import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Api } from "../../../../src/gate/agent/kubernetes/api.js";
import { type FromReader, type Pod, readPod } from "../../../../src/gate/agent/kubernetes/pod.js";
import { PodWatch } from "../../../../src/gate/agent/kubernetes/pod-watch.js";
import { ApiServer, NODE } from "../../../support/api-server.js";
import { until } from "../../../support/until.js";

/** The delays between attempts. Those of a second and more are recorded, but not waited for. */
const delays = vi.hoisted(() => [] as number[]);
vi.mock("node:timers/promises", async (original) => {
  const timers = await original<typeof import("node:timers/promises")>();
  const setTimeout = (delay: number) => {
    delays.push(delay);
    return timers.setTimeout(delay < 1000 ? delay : 1);
  };
  return { ...timers, setTimeout };
});

describe("an API server that misbehaves", () => {
  let server: ApiServer;
  let watch: PodWatch | undefined;
  let told: FromReader[];
  let running: Promise<void>;

  beforeEach(async () => {
    server = await ApiServer.start();
    vi.stubEnv("KUBECONFIG", server.kubeconfig());
    told = [];
    server.put({ uid: "u1", name: "web", labels: { tier: "edge" } });
  });
  afterEach(async () => {
    watch?.end();
    await server.close();
    await running;
    vi.unstubAllEnvs();
  });

  /** Milliseconds that an answer may take. What is sent must come within them on a busy machine, too. */
  const [PATIENT, IMPATIENT] = [60_000, 500];
  const start = (backoff = { first: 20, most: 100 }, patience = PATIENT) => {
    const own = told;
    delays.length = 0;
    watch = new PodWatch(new Api(patience), NODE, (message) => own.push(message), backoff);
    running = watch.run();
  };
  const troubles = () => told.filter((message) => message.is === "trouble").map(({ reason }) => reason);
  const lists = () => told.filter(({ is }) => is === "pods").length;
  const answers = (body: string | Uint8Array, status = 200, headers = {}) => {
    return (response: ServerResponse) => response.writeHead(status, headers).end(body);
  };
  interface Misbehaviour {
    readonly does: (response: ServerResponse) => void;
    readonly reason: RegExp;
    readonly patience?: number;
  }
  const LISTS: Readonly<Record<string, Misbehaviour>> = {
    "sends what is no JSON": { does: answers("<html>"), reason: /not JSON/ },
    "sends nothing": { does: answers(""), reason: /not JSON/ },
    "sends bytes that are no text": { does: answers(Buffer.alloc(1000, 0xff)), reason: /not JSON/ },
    "sends null": { does: answers("null"), reason: /not a list/ },
    "sends a list without a version": { does: answers('{"items":[],"metadata":{}}'), reason: /not a list/ },
    "sends a list of no items": {
      does: answers('{"items":{},"metadata":{"resourceVersion":"1"}}'),
      reason: /not a list/,
    },
    "sends deep nesting": { does: answers("[".repeat(5_000_000)), reason: /not JSON/ },
    "sends a list that goes on and on": {
      does: answers('{"items":[],"metadata":{"resourceVersion":"1","continue":"again"}}'),
      reason: /does not end/,
    },
    "sends more pods than a node has": {
      does: answers(
        JSON.stringify({
          metadata: { resourceVersion: "1" },
          items: Array.from({ length: 10_001 }, (_, index) => ({
            metadata: { uid: `u${index}`, namespace: "n", name: "x" },
          })),
        }),
      ),
      reason: /more than 10000 pods/,
    },
    "forbids it": { does: answers("{}", 403), reason: /answered 403/ },
    "is ill": { does: answers("{}", 503), reason: /answered 503/ },
    "sends one elsewhere": { does: answers("", 302, { location: "https://127.0.0.1:1/" }), reason: /answered 302/ },
    "drops the connection": { does: (response) => response.socket?.destroy(), reason: /hang up|ECONNRESET/ },
    "stops in the middle of a list": {
      does: (response) => {
        response.writeHead(200, { "content-length": 100 }).write('{"items":[');
        setTimeout(() => response.socket?.destroy(), 20);
      },
      reason: /aborted/,
    },
    "never answers": { does: () => undefined, reason: /no answer in time/, patience: IMPATIENT },
    "never comes to an end": {
      does: (response) => {
        response.writeHead(200).write("{");
      },
      reason: /took too long/,
      patience: IMPATIENT,
    },
    "sends a list without end": {
      does: (response) => {
        response.writeHead(200);
        const more = () => {
          response.write(Buffer.alloc(1 << 20, 0x20));
          if (!response.destroyed) setImmediate(more);
        };
        more();
      },
      reason: /too long/,
    },
  };
  for (const [what, { does, reason, patience }] of Object.entries(LISTS))
    it(`is tried again where it ${what}, and is listed once it behaves`, { tags: ["deep"] }, async () => {
      server.misbehave = (_, response) => does(response);
      start(undefined, patience);
      // on a busy machine the first answers can begin too late for the impatient
      await until(() => expect(troubles()).toContainEqual(expect.stringMatching(reason)));
      expect(lists()).toBe(0);
      server.misbehave = null;
      await until(() => expect(lists()).toBe(1));
    });

  const EVENTS: Readonly<Record<string, { sent: string | Uint8Array; reason: RegExp }>> = {
    "what is no JSON": { sent: "tier=edge\n", reason: /not JSON/ },
    null: { sent: "null\n", reason: /not an event/ },
    "an array": { sent: "[1]\n", reason: /not an event/ },
    "an event without an object": { sent: '{"type":"ADDED"}\n', reason: /not an event/ },
    "an event without a version": {
      sent: '{"type":"ADDED","object":{"metadata":{"uid":"u9"}}}\n',
      reason: /not an event/,
    },
    "an error without words": { sent: '{"type":"ERROR"}\n', reason: /the watch failed/ },
    "an event without end": { sent: Buffer.alloc(5 << 20, 0x20), reason: /event of the watch is too long/ },
  };
  for (const [what, { sent, reason }] of Object.entries(EVENTS))
    it(`is listed anew where its watch sends ${what}`, async () => {
      start();
      await until(() => expect(server.watches).toBe(1));
      server.write(sent);
      await until(() => expect(troubles()).toEqual([expect.stringMatching(reason)]));
      await until(() => expect(lists()).toBe(2));
    });

  it("is listed anew where its watch ends within an event", async () => {
    start();
    await until(() => expect(server.watches).toBe(1));
    server.write('{"type":"ADDED"');
    server.endWatches();
    await until(() => expect(troubles()).toEqual(["the watch ended within an event"]));
    await until(() => expect(lists()).toBe(2));
  });

  const LONG = { first: 20_000, most: 100_000 };
  /** Each delay has half of its length and a random part of the other half. */
  const expectDoubled = (all: readonly number[], failures: number) => {
    for (const [index, delay] of all.entries()) {
      const longest = Math.min(LONG.most, LONG.first * 2 ** (failures + index));
      expect(delay).toBeGreaterThanOrEqual(longest / 2);
      expect(delay).toBeLessThanOrEqual(longest);
    }
  };

  it("is waited for, and for longer each time, where it says for ever that the version is gone", async () => {
    server.misbehave = ({ watch }, response) =>
      watch ? answers("{}", 410)(response) : answers('{"items":[],"metadata":{"resourceVersion":"1"}}')(response);
    start(LONG);
    await until(() => expect(delays.length).toBeGreaterThan(7));
    // it lists anew at once the first time
    expectDoubled(delays, 1);
    expect(server.asked.length).toBeLessThanOrEqual(2 * delays.length + 4);
  });

  it("is waited for where its watches end as soon as they begin", async () => {
    server.misbehave = ({ watch }, response) =>
      watch ? answers("")(response) : answers('{"items":[],"metadata":{"resourceVersion":"1"}}')(response);
    start(LONG);
    await until(() => expect(delays.length).toBeGreaterThan(7));
    expectDoubled(delays, 0);
    expect(server.asked.length).toBeLessThanOrEqual(delays.length + 2);
  });

  it("cannot make labels of what is none", () => {
    const labels = (value: unknown) =>
      readPod({ metadata: { uid: "u", namespace: "n", name: "x", labels: value } })?.labels;
    for (const value of [null, [], ["a"], "tier", 5, { tier: 1 }, { tier: null }, { tier: { a: "b" } }])
      expect(labels(value), JSON.stringify(value)).toBeNull();
    expect(labels(undefined)).toEqual({});
    expect(labels({ a: "x".repeat(1 << 20) })).toBeNull();
    const odd = JSON.parse('{"__proto__": "edge", "constructor": "x"}');
    expect(Object.entries(labels(odd) as object)).toEqual(Object.entries(odd));
    expect(({} as Record<string, unknown>).tier).toBeUndefined();
  });

  it("cannot make pods of what is none", () => {
    const metadata = { uid: "u", namespace: "n", name: "x" };
    for (const wrong of [null, 1, "x", [], {}, { metadata: null }, { metadata: [] }]) expect(readPod(wrong)).toBeNull();
    for (const field of Object.keys(metadata))
      for (const value of [undefined, null, 1, {}, []])
        expect(readPod({ metadata: { ...metadata, [field]: value } })).toBeNull();
    const pod: Pod = { ...metadata, mirrors: null, labels: {} };
    expect(readPod({ metadata: { ...metadata, annotations: "x" } })).toEqual(pod);
    expect(readPod({ metadata: { ...metadata, annotations: { "kubernetes.io/config.mirror": 1 } } })).toEqual(pod);
  });
});
