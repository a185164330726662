import type { CacheFolder } from "../../cache-folder.js";
import type { Config, LogConfig } from "../../config/config.js";
import type { Engine } from "../../engine/decision/engine.js";
import type { TestProbe } from "../../engine/decision/test-probe.js";
import type { FileSnapshot } from "../../engine/load/file-cache.js";
import type { LinkCache } from "../../engine/load/link-cache.js";
import type { TimedEngine } from "../../engine/timed-engine.js";
import type { Origin } from "../../hooks/decision.js";
import { warn } from "../output/output.js";
import { compileWasmOnce } from "./wasm-compiler.js";

/**
 * Opens an engine for a configuration file. Modules are loaded here rather than at start, so that a mistyped option is
 * reported at once. `folder` has link results of earlier runs. `log` maps the configured log to the log that is
 * written: none by default, since offline decisions do not belong in the log of a gate. If `time` is absent, throws
 * KEYRING_INVALID for a keyring that has expired, because no signature could be verified with it.
 */
export async function openEngine(
  path: string,
  origin: Origin,
  folder: CacheFolder | null,
  time?: number,
  log: (configured: LogConfig | null) => LogConfig | null = () => null,
): Promise<TimedEngine> {
  return (await openEngineWithShadow(path, origin, folder, time, log)).engine;
}

/** The same, with an engine for its shadow, which has no log; null if it has none. */
export async function openEngineWithShadow(
  ...[path, origin, folder, time, log = () => null]: Parameters<typeof openEngine>
): Promise<OpenedEngines> {
  const { config, open } = await configured(path, origin, folder);
  const engine = await open({ ...config, log: log(config.log) }, false);
  engine.warnings.forEach(warn);
  if (time === undefined) await rejectExpired(config);
  if (config.shadow === null) return { engine, shadow: null };
  try {
    const shadow = await open({ ...config.shadow, mode: config.mode, log: null }, false);
    shadow.warnings.forEach(warn);
    if (time === undefined) await rejectExpired(config.shadow);
    return { engine, shadow: { engine: shadow, file: config.shadow.file } };
  } catch (error) {
    engine.close();
    throw error;
  }
}

export interface OpenedEngines {
  readonly engine: TimedEngine;
  readonly shadow: ShadowEngine | null;
}

export interface ShadowEngine {
  readonly engine: TimedEngine;
  /** The file of its configuration. */
  readonly file: string;
}

/**
 * Opens an engine that asks every attachment, whatever its scope, and records what answers depend on; with the
 * configuration and its scopes. Throws as {@link openEngine}.
 */
export async function openEngineForLists(
  path: string,
  folder: CacheFolder | null,
): Promise<{ config: Config; engine: TimedEngine }> {
  const { config, open } = await configured(path, "check", folder);
  const { askingEveryAttachment } = await import("../../seal/build.js");
  const engine = await open({ ...askingEveryAttachment(config), log: null }, true);
  engine.warnings.forEach(warn);
  await rejectExpired(config);
  return { config, engine };
}

/** Opens engines for the tests beside a configuration's policies. Throws as {@link openEngine}. */
export async function openEnginesForTests(
  path: string,
  folder: CacheFolder | null,
): Promise<{
  config: Config;
  open: (probe: TestProbe, config?: Config, texts?: FileSnapshot | null) => Promise<TimedEngine>;
}> {
  const { config, cache } = await configured(path, "check", folder);
  const { TimedEngine } = await import("../../engine/timed-engine.js");
  const tested = { ...config, log: null };
  await rejectExpired(config);
  return {
    config: tested,
    // The cache has policies without marked points, as their files are
    open: (probe, config = tested, texts = null) =>
      TimedEngine.open(config, { cache: probe.marksPoints || texts !== null ? null : cache, probe, texts }),
  };
}

/**
 * Opens an engine whose policies run as fast as in a gate, without a log. Their limits of time are raised, since a busy
 * machine passes them; those of steps bound every policy. Throws as {@link openEngine}.
 */
export async function openEngineToMeasure(path: string): Promise<Engine> {
  const { config } = await configured(path, "check", null, true);
  const { Engine } = await import("../../engine/decision/engine.js");
  const attachments = config.attachments.map((attachment) => {
    return { ...attachment, limits: { ...attachment.limits, timeout: PATIENCE } };
  });
  const engine = await Engine.open({ ...config, attachments, log: null });
  engine.warnings.forEach(warn);
  await rejectExpired(config);
  return engine;
}

/** Milliseconds. */
const PATIENCE = 600_000;

async function rejectExpired(config: Config): Promise<void> {
  const { rejectExpiredKeyring } = await import("./expired-keyring.js");
  rejectExpiredKeyring(config, Date.now());
}

/** Reads a configuration, with the cache of its link results. `optimizes`: whether WASM is compiled to fast code. */
async function configured(
  path: string,
  origin: Origin,
  folder: CacheFolder | null,
  optimizes = false,
): Promise<{
  config: Config;
  cache: LinkCache | null;
  open: (config: Config, recordsReads: boolean) => Promise<TimedEngine>;
}> {
  if (!optimizes) compileWasmOnce();
  const [{ TimedEngine }, { LinkCache }, { parseConfig, readConfig }] = await Promise.all([
    import("../../engine/timed-engine.js"),
    import("../../engine/load/link-cache.js"),
    import("../../config/config.js"),
  ]);
  const cache = folder === null ? null : new LinkCache(folder, path);
  const config = readConfig(
    path,
    origin,
    (file, text) => cache?.config(file, text, parseConfig) ?? parseConfig(file, text),
  );
  return { config, cache, open: (changed, recordsReads) => TimedEngine.open(changed, { cache, recordsReads }) };
}
