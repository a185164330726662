import type { ToThread } from "../messages/messages.js";

type Request = ToThread & { readonly requestId: number };

/** Requests to the decision thread that it has not answered yet. */
export class PendingRequests {
  readonly #requests = new Map<number, { message: Request; resolve(): void; reject(error: Error): void }>();
  #last = 0;

  constructor(private readonly post: (message: ToThread) => void) {}

  /** Sends a request. Resolves when the thread has carried it out; rejects with the thread's error. */
  send(message: (requestId: number) => Request): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#last += 1;
      const request = { message: message(this.#last), resolve, reject };
      this.#requests.set(this.#last, request);
      this.post(request.message);
    });
  }

  /** The thread has answered a request. `error`: why it was not carried out. */
  done(number: number, error: Error | null = null): void {
    const request = this.#requests.get(number);
    this.#requests.delete(number);
    if (error === null) request?.resolve();
    else request?.reject(error);
  }

  /** All pending requests, for a thread that takes over. */
  get messages(): readonly ToThread[] {
    return Array.from(this.#requests.values(), ({ message }) => message);
  }

  /** Rejects all pending requests. */
  fail(error: Error): void {
    for (const number of [...this.#requests.keys()]) this.done(number, error);
  }
}
