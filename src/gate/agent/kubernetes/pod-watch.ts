import { setTimeout as sleep } from "node:timers/promises";
import { type Api, ApiError, messageOf } from "./api.js";
import { type FromReader, type Pod, readPod, recordOf } from "./pod.js";

/**
 * Delays between attempts in milliseconds: `first` after the first failure, doubled after each further one, up to
 * `most`.
 */
export interface Backoff {
  readonly first: number;
  readonly most: number;
}

/**
 * Accept headers that request only metadata, which API servers support since 1.15. An older server returns whole pods,
 * which contain the same metadata.
 */
const AS_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";
const AS_EVENT = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json";
const PAGE = 500;
/** Maximum number of pods of one node. The default limit of a kubelet is 110. */
const MAX_PODS = 10_000;
const MAX_PAGES = 100;
/** Requested duration of a watch in seconds. A watch that has not ended WATCH_GRACE seconds later is closed here. */
const WATCH_SECONDS = 240;
const WATCH_GRACE = 30;
/**
 * HTTP status 410: the server no longer has the resource version from which to watch (Kubernetes API Concepts, "410
 * Gone responses").
 */
const GONE = 410;

/**
 * Watches the pods of one node: lists them, watches for changes since the list, and lists them again if the watch
 * cannot continue (https://kubernetes.io/docs/reference/using-api/api-concepts/, "Efficient detection of changes").
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

  /**
   * Runs until {@link end} is called. Reports each failure, except a first expired list (410 Gone), and tries again.
   */
  async run(): Promise<void> {
    let version: string | null = null;
    while (!this.#ended) {
      try {
        version = await this.#watch(version ?? (await this.#list()));
      } catch (error) {
        version = null;
        if (error instanceof ApiError && error.status === GONE && this.#failures === 0) {
          this.#failures += 1; // list again at once the first time; wait if the server repeats it
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

  /** Reports all pods, and returns the resource version of the list. */
  async #list(): Promise<string> {
    const pods: Pod[] = [];
    let next = "";
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const more = next === "" ? "" : `&continue=${encodeURIComponent(next)}`;
      const list = recordOf(await this.#api.get(`${this.#path}&limit=${PAGE}${more}`, AS_LIST));
      const metadata = recordOf(list.metadata);
      if (!Array.isArray(list.items) || typeof metadata.resourceVersion !== "string")
        throw new ApiError("the API server sent something that is not a list");
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

  /** Reports changes until the watch ends, and returns the resource version from which to continue. */
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
        throw new ApiError("the API server sent something that is not an event");
      version = seen;
      this.#failures = 0;
      const pod = type === "BOOKMARK" ? null : readPod(object);
      if (pod !== null) this.tell(type === "DELETED" ? { is: "gone", uid: pod.uid } : { is: "pod", pod });
    }
    // delay the next watch if this one ended at once
    if (Date.now() - start < this.backoff.first) await sleep(this.#delay());
    else this.#failures = 0;
    return version;
  }

  #delay(): number {
    const delay = Math.min(this.backoff.most, this.backoff.first * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, MAX_DOUBLINGS);
    // random jitter: all nodes lose the API server at the same time and must not reconnect at the same time
    return delay * (0.5 + Math.random() / 2);
  }
}

const MAX_DOUBLINGS = 16;
