import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../../../src/config/config.js";
import type { FileSnapshot } from "../../../../src/engine/load/file-cache.js";
import { sealedRules } from "../../../../src/engine/load/keyrings.js";
import type { ThreadImage } from "../../../../src/engine/threads/thread-image.js";
import { ReleaseCounter } from "../../../../src/gate/call/release-counter.js";
import { Tally } from "../../../../src/gate/decisions/tally.js";
import type { FromThread } from "../../../../src/gate/messages/messages.js";
import { DecisionThreadHandle } from "../../../../src/gate/supervisor/decision-thread-handle.js";
import { Images } from "../../../../src/gate/supervisor/images.js";
import type { InstalledFiles } from "../../../../src/installed.js";
import { Sigstore } from "../../../support/sigstore.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-images-"));
  writeFileSync(join(folder, "root.json"), JSON.stringify(new Sigstore().root));
  writeFileSync(join(folder, "policy.ts"), "export const bpf_prog_load = (_: unknown): number => 0;\n");
  writeFileSync(
    join(folder, "countersign.yaml"),
    JSON.stringify({
      version: 1,
      keyrings: { k: { sigstore: { root: "root.json", identities: [] } } },
      attachments: [{ policy: "policy.ts" }],
    }),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A decision thread that runs an image: what it said until it was ready, or why it did not get there. */
async function started(image: ThreadImage, texts: FileSnapshot | null) {
  const config = readConfig(join(folder, "countersign.yaml"), "run");
  const said: FromThread[] = [];
  const data = {
    config,
    sealed: sealedRules(config.keyrings),
    texts,
    preopened: null,
    shadow: null,
    agent: null,
    releases: new ReleaseCounter().memory,
    isStandby: texts !== null,
  };
  const thread = new DecisionThreadHandle({ ...data, tally: new Tally() }, (_, message) => said.push(message), image);
  const failure = await thread.ready();
  if (failure === null) thread.post({ do: "stop" });
  await thread.ended;
  return { said, failure };
}

describe.skipIf(process.platform !== "linux" || process.arch !== "x64")("the threads of a gate, from memory", () => {
  it("need no files of the installation besides those that the first one read", { tags: ["deep"] }, async () => {
    const images = new Images();
    const first = await started(images.decision, null);
    expect(first.failure).toBeNull();
    const find = <Kind extends FromThread["is"]>(is: Kind) =>
      first.said.find((message) => message.is === is) as FromThread & { is: Kind };
    const { files } = find("installed") as { files: InstalledFiles };
    expect([...files.keys()].sort()).toEqual([
      "@jitl/quickjs-wasmfile-release-sync/emscripten-module",
      "@jitl/quickjs-wasmfile-release-sync/ffi",
      "@jitl/quickjs-wasmfile-release-sync/wasm",
      "bundle:sigstore.cjs",
      "bundle:strip-types.cjs",
    ]);
    images.complete(files);
    const { texts } = find("read") as { texts: FileSnapshot };
    expect(await started(images.decision, texts)).toMatchObject({ failure: null });
    for (const name of files.keys()) {
      const rest = new Map([...files].filter(([one]) => one !== name));
      const { failure } = await started({ ...images.decision, installed: rest }, texts);
      // standby threads are ready before they make runtimes: what those need is missed afterwards
      if (!name.startsWith("@jitl")) expect(failure?.message).toContain(`\`${name}\` was not read before`);
    }
  });

  it("require nothing but node's own modules", async () => {
    const images = new Images();
    const bytes = Buffer.from('require("koffi");');
    const script = { path: "/nowhere/thread.cjs", bytes, cache: null };
    const { failure } = await started({ ...images.decision, script }, null);
    expect(failure?.message).toContain("an image cannot require koffi");
  });
});
