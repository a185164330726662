/**
 * A Kubernetes API server for tests: HTTPS, a bearer token, and list and watch of pods as the API's concepts describe
 * them.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { element, sequence } from "../../src/trust/asn1/der-writer.js";
import { EXTENSION } from "../../src/trust/asn1/oid.js";
import { context } from "../../src/trust/asn1/tag.js";
import { Authority, extension } from "../../src/trust/issuing/authority.js";

/** A pod as a test makes it. */
export interface MadePod {
  readonly uid: string;
  readonly name: string;
  readonly namespace?: string;
  readonly node?: string;
  readonly labels?: unknown;
  readonly annotations?: Readonly<Record<string, string>>;
}

export type Misbehaviour = (request: Asked, response: ServerResponse) => void;

/** One request, as far as a test looks at it. */
export interface Asked {
  readonly watch: boolean;
  readonly version: string | null;
  readonly accept: string;
}

export const NODE = "node-7";

export class ApiServer {
  readonly folder = mkdtempSync(join(tmpdir(), "countersign-api-"));
  readonly asked: Asked[] = [];
  /** Answers in this server's place, until it is taken away again. */
  misbehave: Misbehaviour | null = null;
  token = "the token";
  readonly #authority = Authority.create({ subject: "a cluster's" });
  readonly #pods = new Map<string, MadePod>();
  readonly #watches = new Map<ServerResponse, string>();
  readonly #sockets = new Set<Duplex>();
  readonly #events: { readonly version: number; readonly node: string; readonly sent: object }[] = [];
  #server: Server;
  #version = 100;
  /** Versions before it are forgotten: a watch from there is answered with 410. */
  #oldest = 0;

  private constructor() {
    const issued = this.#authority.issue({
      subject: "127.0.0.1",
      usage: ["serverAuth"],
      extensions: [extension(EXTENSION.subjectAltName, sequence(element(context(7, false), Buffer.of(127, 0, 0, 1))))],
    });
    this.#server = createServer({ key: issued.pem.key, cert: issued.pem.certificate }, (request, response) =>
      this.#answer(request, response),
    );
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(): Promise<ApiServer> {
    const server = new ApiServer();
    await server.listen(0);
    return server;
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Writes a kubeconfig, with the token in a file beside it, and gives its path. */
  kubeconfig({ authority = this.#authority.pem.certificate, server = `https://127.0.0.1:${this.port}` } = {}): string {
    this.writeToken(this.token);
    writeFileSync(join(this.folder, "ca.pem"), authority);
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "here",
      contexts: [{ name: "here", context: { cluster: "one", user: "agent" } }],
      clusters: [{ name: "one", cluster: { server, "certificate-authority": "ca.pem" } }],
      users: [
        {
          name: "agent",
          user: { "auth-provider": { name: "tokenFile", config: { tokenFile: join(this.folder, "token") } } },
        },
      ],
    };
    const path = join(this.folder, "kubeconfig");
    writeFileSync(path, JSON.stringify(config)); // which is YAML
    return path;
  }

  writeToken(token: string): void {
    writeFileSync(join(this.folder, "token"), token);
  }

  put(pod: MadePod): void {
    const type = this.#pods.has(pod.uid) ? "MODIFIED" : "ADDED";
    this.#pods.set(pod.uid, pod);
    this.#version += 1;
    this.#tell(type, pod);
  }

  delete(uid: string): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined) return;
    this.#pods.delete(uid);
    this.#version += 1;
    this.#tell("DELETED", pod);
  }

  /** Changes a pod while nobody hears of it. */
  putUnheard(pod: MadePod): void {
    this.#pods.set(pod.uid, pod);
    this.#version += 1;
  }

  /** As etcd's compaction: watches from before cannot go on, and those that are open are told so. */
  compact(): void {
    this.#version += 1;
    this.#oldest = this.#version;
    for (const response of this.#watches.keys()) {
      this.send(response, {
        type: "ERROR",
        object: { kind: "Status", code: 410, message: "too old resource version" },
      });
      response.end();
    }
  }

  /** Gives the version that it names. */
  bookmark(): string {
    this.#version += 1;
    const object = { kind: "Pod", metadata: { resourceVersion: String(this.#version) } };
    for (const response of this.#watches.keys()) this.send(response, { type: "BOOKMARK", object });
    return object.metadata.resourceVersion;
  }

  /** As where `timeoutSeconds` are over. */
  endWatches(): void {
    for (const response of this.#watches.keys()) response.end();
  }

  /** Ends every connection in the middle. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  get watches(): number {
    return this.#watches.size;
  }

  send(response: ServerResponse, event: unknown): void {
    response.write(`${JSON.stringify(event)}\n`);
  }

  /** Writes to all watches, as it is. */
  write(text: string | Uint8Array): void {
    for (const response of this.#watches.keys()) response.write(text);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.drop();
    await closed;
    rmSync(this.folder, { recursive: true, force: true });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", "https://here");
    const query = url.searchParams;
    const asked = {
      watch: query.get("watch") === "true",
      version: query.get("resourceVersion"),
      accept: request.headers.accept ?? "",
    };
    this.asked.push(asked);
    const node = /^spec\.nodeName=(.*)$/.exec(query.get("fieldSelector") ?? "")?.[1];
    if (this.misbehave !== null) this.misbehave(asked, response);
    else if (request.headers.authorization !== `Bearer ${this.token}`) fail(response, 401, "Unauthorized");
    else if (url.pathname !== "/api/v1/pods" || node === undefined) fail(response, 404, "not found");
    else if (asked.watch) this.#watch(asked, node, response);
    else this.#list(node, Number(query.get("limit")), Number(query.get("continue") ?? 0), response);
  }

  #list(node: string, limit: number, from: number, response: ServerResponse): void {
    const all = [...this.#pods.values()].filter((pod) => (pod.node ?? NODE) === node);
    const items = all.slice(from, from + limit).map((pod) => this.#object(pod));
    const next = from + limit < all.length ? { continue: String(from + limit) } : {};
    const metadata = { resourceVersion: String(this.#version), ...next };
    response.writeHead(200, JSON_TYPE).end(JSON.stringify({ kind: "PartialObjectMetadataList", metadata, items }));
  }

  #watch({ version }: Asked, node: string, response: ServerResponse): void {
    if (Number(version) < this.#oldest) {
      fail(response, 410, "too old resource version");
      return;
    }
    this.#watches.set(response, node);
    response.once("close", () => this.#watches.delete(response));
    response.writeHead(200, JSON_TYPE).flushHeaders();
    for (const event of this.#events)
      if (event.version > Number(version) && event.node === node) this.send(response, event.sent);
  }

  #tell(type: string, pod: MadePod): void {
    const event = { version: this.#version, node: pod.node ?? NODE, sent: { type, object: this.#object(pod) } };
    this.#events.push(event);
    for (const [response, node] of this.#watches) if (event.node === node) this.send(response, event.sent);
  }

  #object({ uid, name, namespace = "default", labels, annotations }: MadePod): object {
    const resourceVersion = String(this.#version);
    const metadata = { uid, name, namespace, resourceVersion, labels, annotations };
    return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata };
  }
}

const JSON_TYPE = { "content-type": "application/json" };

function fail(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, JSON_TYPE).end(JSON.stringify({ kind: "Status", status: "Failure", code, message }));
}
