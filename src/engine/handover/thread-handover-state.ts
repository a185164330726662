import type { Config } from "../../config/config.js";
import type { FileSnapshot } from "../load/file-cache.js";
import { type Commit, CommittedWrites, type Written } from "./committed-writes.js";
import type { Principal } from "./principal.js";
import { type SkippedAttachment, SuspensionList, type Suspensions } from "./suspension-list.js";
import { type AskedAttachment, PREPARE_TIMEOUT } from "./watch.js";

/** State that each decision thread passes to its successor: committed map writes, and the failures of attachments. */
export class ThreadHandoverState {
  readonly #writes: CommittedWrites;
  readonly #suspended = new SuspensionList();

  /** `texts` returns the file texts that each thread starts with. */
  constructor(
    private readonly config: Pick<Config, "maps" | "attachments">,
    texts?: () => FileSnapshot,
  ) {
    this.#writes = new CommittedWrites(config.maps, texts);
  }

  record(decision: Written): void {
    this.#writes.record(decision);
  }

  commits(): readonly Commit[] {
    return this.#writes.commits();
  }

  /**
   * Counts a failure of an attachment for which a thread had to be terminated, for the principal that was being
   * answered. Returns its fault for the current decision.
   */
  recordFailure(
    { attachment, preparing }: Pick<AskedAttachment, "attachment" | "preparing">,
    principal: Principal | null,
  ): SkippedAttachment {
    this.#suspended.recordFailure(attachment, preparing ? null : principal);
    const timeout = this.config.attachments[attachment]?.limits.timeout;
    const late = preparing
      ? `took longer than ${PREPARE_TIMEOUT} ms to be made ready`
      : `took longer than its ${timeout} ms`;
    return [
      attachment,
      { code: "OUT_OF_TIME", message: `${late} and did not stop: its thread was ended`, place: null },
    ];
  }

  /** Counts failures of attachments that lost their runtime or module in a thread that continues. */
  recordFailures(attachments: readonly number[], principal: Principal): void {
    for (const attachment of attachments) this.#suspended.recordFailure(attachment, principal);
  }

  /** See {@link SuspensionList.skipped}. */
  skipped(overdue: readonly SkippedAttachment[], principal: Principal): readonly SkippedAttachment[] {
    return this.#suspended.skipped(overdue, principal);
  }

  /** See {@link SuspensionList.failing}. */
  get failing(): ReadonlySet<number> {
    return this.#suspended.failing;
  }

  /** All entries, for a thread that keeps its own {@link SuspensionList}. */
  get suspensions(): Suspensions {
    return this.#suspended.records;
  }
}
