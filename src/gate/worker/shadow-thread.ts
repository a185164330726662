import { Engine } from "../../engine/decision/engine.js";
import { requireEnforced } from "../../engine/enforced-hooks.js";
import { principalIn } from "../../engine/handover/principal.js";
import { SuspensionList } from "../../engine/handover/suspension-list.js";
import { DecisionWatch } from "../../engine/handover/watch.js";
import { shadowDifference } from "../../engine/shadow-change.js";
import { hooksToServe } from "../../engine/shadow-hooks.js";
import { failureOf } from "../../engine/threads/failure.js";
import { startFrom } from "../../engine/threads/thread-image.js";
import { completeInstalled } from "../../installed.js";
import { ShadowBacklog } from "../decisions/shadow-backlog.js";
import { Tally } from "../decisions/tally.js";
import { preopenedFolders } from "../messages/preopened-files.js";
import type { FromShadow, ShadowQuestion, ShadowThreadData, ToShadow } from "../messages/shadow-messages.js";

/**
 * Runs the shadow's thread: it decides about what was decided, with an engine, maps and keyrings of its own, and sends
 * the differences. Its decisions have no effect.
 */
export async function beginShadow(data: ShadowThreadData): Promise<void> {
  const { port } = data;
  const say = (message: FromShadow) => port.postMessage(message);
  try {
    startFrom(data.image);
    const thread = new ShadowThread(data, await openShadow(data), say);
    thread.prepare();
    if (data.image !== null) completeInstalled();
    port.on("message", (message: ToShadow) => {
      if (message.do === "decide") thread.decide(message.question);
      else {
        thread.close();
        port.close();
      }
    });
    say({ is: "ready" });
  } catch (error) {
    say({ is: "failed", id: null, error: failureOf(error) });
    port.close();
  }
}

async function openShadow({ config, decisions, preopened }: ShadowThreadData): Promise<Engine> {
  const watch = new DecisionWatch(decisions);
  const folders =
    preopened === null ? null : preopenedFolders(preopened).filter(({ path }) => config.signatures.includes(path));
  const engine = await Engine.open(config, { watch, folders });
  try {
    requireEnforced(config, engine.attached());
    return engine;
  } catch (error) {
    engine.close();
    throw error;
  }
}

class ShadowThread {
  readonly #backlog: ShadowBacklog;
  readonly #tally: Tally;
  readonly #suspended = new SuspensionList();
  readonly #file: string;

  constructor(
    { backlog, tally, config }: ShadowThreadData,
    private readonly engine: Engine,
    private readonly say: (message: FromShadow) => void,
  ) {
    this.#backlog = new ShadowBacklog(backlog);
    this.#tally = new Tally(tally);
    this.#file = config.file;
  }

  prepare(): void {
    const { texts, warnings } = this.engine;
    this.say({ is: "read", texts, warnings });
    this.say({ is: "hooks", hooks: hooksToServe(this.engine) });
    this.engine.prepare();
  }

  decide({ request, decided, bytes }: ShadowQuestion): void {
    const { judged_time } = decided;
    const principal = principalIn(request.current.container);
    const decision = this.engine.decide({ ...request, time: judged_time }, this.#suspended.skipped([], principal));
    for (const attachment of this.engine.takeHarmful()) this.#suspended.recordFailure(attachment, principal);
    this.#tally.add("shadowDecisions");
    const difference = shadowDifference(this.#file, decided, decision);
    if (difference !== null) {
      this.#tally.add("shadowDifferences");
      this.say({ is: "difference", difference });
    }
    this.#backlog.done(bytes);
  }

  close(): void {
    this.engine.close();
  }
}
