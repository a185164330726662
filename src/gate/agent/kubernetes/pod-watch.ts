import { setTimeout as sleep } from "node:timers/promises";
import { type Api, ApiError, messageOf } from "./api.js";
import { type FromReader, type Pod, readPod, recordOf } from "./pod.js";

/** Milliseconds between attempts after failures: the first, which doubles, and the longest. */
export interface Backoff {
  readonly first: number;
  readonly most: number;
}

/** Metadata alone, which every API server since 1.15 can give; one that cannot gives whole pods, which have the same. */
const AS_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";
const AS_EVENT = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json";
const PAGE = 500;
/** Pods of one node that are followed; kubelets have 110 by default. */
const MAX_PODS = 10_000;
const MAX_PAGES = 100;
/** Seconds that a watch is asked to last, and those after which one that did not end is ended here. */
const WATCH_SECONDS = 240;
const WATCH_GRACE = 30;
/** "Gone": the version to go on from is not there any more (the API's concepts, "410 Gone responses"). */
const GONE = 410;

/**
 * Follows the pods of one node: lists them, watches what changes from there, and lists anew where the watch cannot go on
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/, "Efficient detection of changes").
 */
export class PodWatch {
  readonly #api: Api;
  readonly #path: string;
  #failures = 0;
  #ended = false;

  constructor(
    api: Api,
    node: string,
    private readonly tell: (message: FromReader) => void,
    private readonly backoff: Backoff,
  ) {
    this.#api = api;
    this.#path = `/api/v1/pods?fieldSelector=${encodeURIComponent(`spec.nodeName=${node}`)}`;
  }

  /** Goes on until it is ended; what goes wrong is told and tried again. */
  async run(): Promise<void> {
    let version: string | null = null;
    while (!this.#ended) {
      try {
        version = await this.#watch(version ?? (await this.#list()));
      } catch (error) {
        version = null;
        if (error instanceof ApiError && error.status === GONE && this.#failures === 0) {
          this.#failures += 1; // at once the first time; a server that goes on like that is waited for
          continue;
        }
        this.tell({ is: "trouble", reason: messageOf(error) });
        await sleep(this.#delay());
      }
    }
  }

  end(): void {
    this.#ended = true;
  }

  /** Tells all pods, and gives the version that they are of. */
  async #list(): Promise<string> {
    const pods: Pod[] = [];
    let next = "";
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const more = next === "" ? "" : `&continue=${encodeURIComponent(next)}`;
      const list = recordOf(await this.#api.get(`${this.#path}&limit=${PAGE}${more}`, AS_LIST));
      const metadata = recordOf(list.metadata);
      if (!Array.isArray(list.items) || typeof metadata.resourceVersion !== "string")
        throw new ApiError("the API server sent what is no list");
      for (const item of list.items) {
        const pod = readPod(item);
        if (pod !== null) pods.push(pod);
      }
      if (pods.length > MAX_PODS) throw new ApiError(`more than ${MAX_PODS} pods are said to be on the node`);
      next = typeof metadata.continue === "string" ? metadata.continue : "";
      if (next !== "") continue;
      this.tell({ is: "pods", pods });
      return metadata.resourceVersion;
    }
    throw new ApiError("the list of pods does not end");
  }

  /** Tells what changes until the watch ends, and gives the version to go on from. */
  async #watch(from: string): Promise<string> {
    let version = from;
    const query = `&watch=true&allowWatchBookmarks=true&timeoutSeconds=${WATCH_SECONDS}`;
    const path = `${this.#path}${query}&resourceVersion=${encodeURIComponent(version)}`;
    const start = Date.now();
    for await (const line of this.#api.lines(path, AS_EVENT, WATCH_SECONDS + WATCH_GRACE)) {
      const { type, object } = recordOf(line);
      if (type === "ERROR") {
        const { code, message } = recordOf(object);
        throw new ApiError(`the watch failed: ${String(message)}`, typeof code === "number" ? code : 0);
      }
      const seen = recordOf(recordOf(object).metadata).resourceVersion;
      if (typeof type !== "string" || typeof seen !== "string")
        throw new ApiError("the API server sent what is no event");
      version = seen;
      this.#failures = 0;
      const pod = type === "BOOKMARK" ? null : readPod(object);
      if (pod !== null) this.tell(type === "DELETED" ? { is: "gone", uid: pod.uid } : { is: "pod", pod });
    }
    // a watch that ends as soon as it begins is no watch
    if (Date.now() - start < this.backoff.first) await sleep(this.#delay());
    else this.#failures = 0;
    return version;
  }

  #delay(): number {
    const delay = Math.min(this.backoff.most, this.backoff.first * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, MAX_DOUBLINGS);
    // all nodes of a cluster lose their server together, and shall not come back together
    return delay * (0.5 + Math.random() / 2);
  }
}

const MAX_DOUBLINGS = 16;
