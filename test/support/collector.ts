/** A collector of logs by OTLP/HTTP, which keeps what it takes. */
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import type { OtlpLogRecord, OtlpRequest } from "../../src/cli/export/otlp-request.js";

export interface CollectorAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Does not answer: the connection is closed. */
  readonly isBroken?: true;
}

export interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly request: OtlpRequest;
}

export class Collector {
  readonly received: ReceivedRequest[] = [];
  /** The log records of the requests that were answered with 200. */
  readonly taken: OtlpLogRecord[] = [];
  /** The answers to the next requests; then all are taken. */
  answers: CollectorAnswer[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const plain = request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes;
        const body = JSON.parse(plain.toString("utf8")) as OtlpRequest;
        this.received.push({ path: `${request.method} ${request.url}`, headers: request.headers, request: body });
        const { status, headers = {}, body: text = "{}", isBroken } = this.answers.shift() ?? { status: 200 };
        if (isBroken) {
          request.socket.destroy();
          return;
        }
        if (status === 200) this.taken.push(...recordsOf(body));
        response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
      });
    });
  }

  /** `port` 0 is any that is free. */
  static async open(port = 0): Promise<Collector> {
    const collector = new Collector();
    await new Promise<void>((resolve) => collector.#server.listen(port, "127.0.0.1", resolve));
    return collector;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.port}/v1/logs`);
  }

  /** Ids of the decisions that were taken, in their order. */
  get ids(): readonly unknown[] {
    return this.taken.map(({ body }) => JSON.parse((body as { readonly stringValue: string }).stringValue).id);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function recordsOf({ resourceLogs }: OtlpRequest): readonly OtlpLogRecord[] {
  return resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords));
}
