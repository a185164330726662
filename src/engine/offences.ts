import type { Fault } from "../policy/outcome.js";

/** Milliseconds that an attachment is out for, the first time, and at most. */
const FIRST = 1000;
const LONGEST = 10 * 60 * 1000;
/** Without another offence for this many times its last suspension, an attachment is as good as new. */
const FORGIVEN_AFTER = 10;

interface Record {
  count: number;
  until: number;
  out: number;
}

/**
 * Attachments whose policies had to be ended with their thread. The first time is charged alone; from the second on the
 * attachment is taken out, for twice as long each time: it refuses without being asked.
 */
export class Offences {
  readonly #records = new Map<number, Record>();

  /** An attachment, by its number, had its thread ended. */
  charge(attachment: number, now: number): void {
    const record = this.#records.get(attachment) ?? { count: 0, until: 0, out: 0 };
    if (record.count > 0 && now > record.until + FORGIVEN_AFTER * Math.max(record.out, FIRST)) record.count = 0;
    record.count += 1;
    record.out = record.count < 2 ? 0 : Math.min(LONGEST, FIRST * 2 ** (record.count - 2));
    record.until = now + record.out;
    this.#records.set(attachment, record);
  }

  /** Those that are out, with what they answer. */
  standing(now: number): [number, Fault][] {
    const out: [number, Fault][] = [];
    for (const [attachment, { count, until }] of this.#records) {
      if (until <= now) continue;
      const message = `was ended with its thread ${count} times: not asked before ${new Date(until).toISOString()}`;
      out.push([attachment, { code: "SUSPENDED", message, place: null }]);
    }
    return out;
  }
}
