import type { IncomingMessage, RequestOptions } from "node:http";
import { request as plain } from "node:http";
import { request as secure } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";

/** Why the API did not give what it was asked for; its message is for a person. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** Of HTTP, or of the Status object that a watch ended with; 0 where there was none. */
    readonly status = 0,
  ) {
    super(message);
  }
}

/** What is read at most: the list of a node's pods, and one event of a watch. Metadata only, so both are far smaller. */
const MAX_BODY = 64 * 1024 * 1024;
const MAX_LINE = 4 * 1024 * 1024;
/** Milliseconds for a connection and the head of an answer, and for all of a list. */
const PATIENCE = 30_000;

/**
 * The API server of a cluster. Address, trust and credentials are those of the client library: KUBECONFIG, ~/.kube/config, or
 * the service account of the pod that this runs in. They are read again for each call, since tokens and certificates
 * are replaced while it runs. Bodies are read here, with bounds and deadlines, which the library's own watch does not have.
 */
export class Api {
  constructor(private readonly patience = PATIENCE) {}

  /** A JSON document. Throws ApiError. */
  async get(path: string, accept: string): Promise<unknown> {
    const answer = await this.#open(path, accept);
    const late = setTimeout(() => answer.destroy(new ApiError("the list took too long")), this.patience);
    const chunks: Buffer[] = [];
    let length = 0;
    try {
      for await (const chunk of answer) {
        chunks.push(chunk as Buffer);
        length += (chunk as Buffer).length;
        if (length > MAX_BODY) throw new ApiError("the list is too long");
      }
    } finally {
      clearTimeout(late);
      answer.destroy();
    }
    return parse(Buffer.concat(chunks).toString("utf8"));
  }

  /** The JSON documents of an answer of many lines, as they come, until it ends or `seconds` have passed. Throws ApiError. */
  async *lines(path: string, accept: string, seconds: number): AsyncGenerator<unknown> {
    const answer = await this.#open(path, accept);
    answer.socket.setKeepAlive(true, this.patience);
    const late = setTimeout(() => answer.destroy(new ApiError("the watch did not end in time")), seconds * 1000);
    let rest: Buffer[] = [];
    let length = 0;
    try {
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        let start = 0;
        for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
          const line = Buffer.concat([...rest, chunk.subarray(start, end)]).toString("utf8");
          [rest, length, start] = [[], 0, end + 1];
          if (line.trim() !== "") yield parse(line);
        }
        if (start < chunk.length) rest.push(chunk.subarray(start));
        length += chunk.length - start;
        if (length > MAX_LINE) throw new ApiError("an event of the watch is too long");
      }
      if (length > 0) throw new ApiError("the watch ended within an event");
    } finally {
      clearTimeout(late);
      answer.destroy();
    }
  }

  /** An answer with status 200, its body yet to be read. */
  async #open(path: string, accept: string): Promise<IncomingMessage> {
    const config = new KubeConfig();
    const options: RequestOptions = { headers: { accept } };
    let server: string | undefined;
    try {
      config.loadFromDefault();
      server = config.getCurrentCluster()?.server;
      await config.applyToHTTPSOptions(options);
    } catch (error) {
      throw new ApiError(`the configuration for Kubernetes cannot be used: ${messageOf(error)}`);
    }
    if (server === undefined) throw new ApiError("the configuration for Kubernetes names no cluster");
    const answer = await send(new URL(server.replace(/\/+$/, "") + path), options, this.patience);
    if (answer.statusCode === 200) return answer;
    answer.destroy();
    throw new ApiError(`${server} answered ${answer.statusCode}`, answer.statusCode);
  }
}

function send(url: URL, options: RequestOptions, patience: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(new ApiError(`${url.origin}: ${messageOf(error)}`));
    const request = (url.protocol === "https:" ? secure : plain)(url, options, (answer) => {
      clearTimeout(late);
      resolve(answer);
    });
    const late = setTimeout(() => request.destroy(new Error("no answer in time")), patience);
    request.on("error", (error) => {
      clearTimeout(late);
      failed(error);
    });
    request.end();
  });
}

const NEWLINE = 10;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError("the API server sent what is no JSON");
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
