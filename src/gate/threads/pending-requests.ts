import type { ToThread } from "./messages.js";

type Request = ToThread & { readonly requestId: number };

/** Requests that the decision thread has not answered yet. */
export class PendingRequests {
  readonly #requests = new Map<number, { message: Request; resolve(): void; reject(error: Error): void }>();
  #last = 0;

  constructor(private readonly tell: (message: ToThread) => void) {}

  /** Resolves when the thread has done it; rejects with its error. */
  send(message: (requestId: number) => Request): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#last += 1;
      const request = { message: message(this.#last), resolve, reject };
      this.#requests.set(this.#last, request);
      this.tell(request.message);
    });
  }

  done(number: number, error: Error | null = null): void {
    const request = this.#requests.get(number);
    this.#requests.delete(number);
    if (error === null) request?.resolve();
    else request?.reject(error);
  }

  /** Repeats all of them to a thread that takes over. */
  resend(): void {
    for (const { message } of this.#requests.values()) this.tell(message);
  }

  fail(error: Error): void {
    for (const number of [...this.#requests.keys()]) this.done(number, error);
  }
}
