import type { ToThread } from "./messages.js";

type Ordered = ToThread & { readonly order: number };

/** What a decision thread was told and has not said to be done yet. */
export class Orders {
  readonly #orders = new Map<number, { message: Ordered; resolve(): void; reject(error: Error): void }>();
  #last = 0;

  constructor(private readonly tell: (message: ToThread) => void) {}

  /** Resolves when it is done; rejects with what kept it from being done. */
  give(message: (order: number) => Ordered): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#last += 1;
      const order = { message: message(this.#last), resolve, reject };
      this.#orders.set(this.#last, order);
      this.tell(order.message);
    });
  }

  done(number: number, error: Error | null = null): void {
    const order = this.#orders.get(number);
    this.#orders.delete(number);
    if (error === null) order?.resolve();
    else order?.reject(error);
  }

  /** To a thread that takes over. */
  repeat(): void {
    for (const { message } of this.#orders.values()) this.tell(message);
  }

  fail(error: Error): void {
    for (const number of [...this.#orders.keys()]) this.done(number, error);
  }
}
