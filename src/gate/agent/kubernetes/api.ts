import type { IncomingMessage, RequestOptions } from "node:http";
import { request as plain } from "node:http";
import { request as secure } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";

/** A failed request to the API. Its message is shown to the administrator. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** The HTTP status, or the code of the Status object that ended a watch; 0 if there was none. */
    readonly status = 0,
  ) {
    super(message);
  }
}

/**
 * Maximum size in bytes of one page of a list, and of one event of a watch. Both hold only metadata, so they are
 * usually far smaller.
 */
const MAX_BODY = 64 * 1024 * 1024;
const MAX_LINE = 4 * 1024 * 1024;
/** Timeout in milliseconds: until the response headers arrive, and until a list has been read. */
const PATIENCE = 30_000;

/**
 * The API server of a cluster. The client library finds its address, certificates and credentials: KUBECONFIG,
 * ~/.kube/config, or the service account of this process's pod. They are read again for each request, since tokens and
 * certificates are replaced at run time. Response bodies are read here, with size limits and timeouts, which the
 * library's own watch does not have.
 */
export class Api {
  constructor(private readonly patience = PATIENCE) {}

  /** Gets a JSON document. Throws ApiError. */
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

  /**
   * Yields the JSON documents of a response with one document in each line, as they arrive. Throws ApiError, also if
   * the response has not ended after `seconds`.
   */
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

  /** Returns a response with status 200, whose body has not been read. */
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
    throw new ApiError("the API server sent something that is not JSON");
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
