import { setFlagsFromString } from "node:v8";
import type { LogConfig } from "../config/config.js";
import { hookOf, type OfflineSignatures, questionsAbout } from "../engine/offline.js";
import { LOAD_HOOKS, type Question } from "../engine/offline-load.js";
import type { TimedEngine } from "../engine/timed-engine.js";
import { CountersignError } from "../error.js";
import type { HookName } from "../hooks/catalogue.js";
import type { Decision, Origin } from "../hooks/decision.js";
import { readInput } from "../input.js";
import type { Current } from "../policy/current.js";
import { warn } from "./output.js";

/** The parts of a question about a file. */
export interface Ask {
  readonly current: Current;
  /** The hook; if it is absent, it follows from the content of the file. */
  readonly hook?: HookName | undefined;
  readonly signatures: OfflineSignatures;
  /** Milliseconds since the epoch. */
  readonly time?: number | undefined;
}

/**
 * Opens an engine for a configuration file. Modules are loaded here rather than at start, so that a mistyped option is
 * reported at once. `log` maps the configured log to the log that is written: none by default, since offline decisions
 * do not belong in the log of a gate. If `time` is absent, throws KEYRING_INVALID for a keyring that has expired,
 * because no signature could be verified with it.
 */
export async function openEngine(
  path: string,
  origin: Origin,
  time?: number,
  log: (configured: LogConfig | null) => LogConfig | null = () => null,
): Promise<TimedEngine> {
  // A command ends before optimized WASM pays off, and at exit would wait for the compiler.
  if (process.arch === "x64" || process.arch === "arm64") setFlagsFromString("--liftoff-only");
  const [{ TimedEngine }, { LinkCache }, { parseConfig, readConfig }, { rejectExpiredKeyring }] = await Promise.all([
    import("../engine/timed-engine.js"),
    import("../engine/link-cache.js"),
    import("../config/config.js"),
    import("./expired-keyring.js"),
  ]);
  const cache = LinkCache.open(path);
  const config = readConfig(
    path,
    origin,
    (file, text) => cache?.config(file, text, parseConfig) ?? parseConfig(file, text),
  );
  const engine = await TimedEngine.open({ ...config, log: log(config.log) }, cache);
  engine.warnings.forEach(warn);
  if (time === undefined) rejectExpiredKeyring(config, Date.now());
  return engine;
}

/** A decision about a file, and the facts that can differ in a live decision. */
export interface Asked extends Pick<Question, "unknown" | "offlineOnly"> {
  readonly decision: Decision;
}

/**
 * Decides about a file: one decision for each subject in it, at the hook that is named or that follows from its
 * content. With `load`, a BPF object is judged at each served hook that a gate asks during its load. If the file cannot
 * be judged, throws an error with the file as its place.
 */
export async function askAbout(
  engine: TimedEngine,
  path: string,
  { current, hook: named, signatures, time }: Ask,
  load = false,
): Promise<Asked[]> {
  const file = { path, bytes: readInput(path) };
  const hook = named ?? hookOf(file);
  // A file of unknown type at a hook without policies must not be reported as allowed.
  if (named === undefined && hook === "blob_verify" && !engine.serves(hook)) throw unrecognized(path);
  const whole = load && named === undefined && hook === "bpf_prog_load";
  const hooks = whole ? LOAD_HOOKS.filter((one) => one === hook || engine.serves(one)) : [hook];
  const asked: Asked[] = [];
  for (const { hook, subject, unknown, offlineOnly } of questionsAbout(file, hooks, signatures)) {
    const decision = await engine.decide({ hook, subject: subject as never, current, time });
    asked.push({ decision, unknown, offlineOnly });
  }
  return asked;
}

function unrecognized(file: string): CountersignError {
  return new CountersignError("ELF_NO_PROGRAMS", "is not a BPF object, and no policy decides about blobs", {
    place: file,
    remedy: "name a BPF object, attach a policy to blob_verify, or say what is meant with --hook",
  });
}

/** The same task in a container that also has these labels. */
export function labelled(current: Current, labels: Readonly<Record<string, string>>): Current {
  if (Object.keys(labels).length === 0) return current;
  const container = { id: "check", name: null, annotations: {}, ...current.container };
  return { ...current, container: { ...container, labels: { ...container.labels, ...labels } } };
}
