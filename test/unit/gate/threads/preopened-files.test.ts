import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { buildSync } from "esbuild";
import { expect, it } from "vitest";
import { signatureName } from "../../../../src/trust/store.js";

const ROOT = join(import.meta.dirname, "../../../..");
const DIGEST = "ab".repeat(32);

/**
 * Node keeps count of the fds of a worker thread, and of no other: what a decision thread does can be seen only in one.
 */
const THREAD = `
import { setImmediate } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { preopenFiles, preopenedFolders } from "./src/gate/threads/preopened-files.js";
import { SignatureStore } from "./src/trust/store.js";
const warnings: string[] = [];
process.on("warning", ({ message }) => warnings.push(message));
const folders = preopenedFolders(preopenFiles({ signatures: [workerData.folder] } as never));
const found = new SignatureStore(folders).find(workerData.digest);
void setImmediate().then(() => parentPort!.postMessage({ found: Buffer.from(found!).toString(), warnings }));
`;

it("signatures of folders that are open are read in a thread without a warning", async (context) => {
  if (process.platform !== "linux") return context.skip("needs Linux");
  const folder = mkdtempSync(join(tmpdir(), "countersign-opened-"));
  try {
    writeFileSync(join(folder, signatureName(DIGEST)), "signature");
    const [bundle] = buildSync({
      stdin: { contents: THREAD, resolveDir: ROOT, loader: "ts" },
      bundle: true,
      write: false,
      platform: "node",
      format: "cjs",
      external: ["koffi"],
      // from where koffi is found
      define: { "import.meta.url": JSON.stringify(pathToFileURL(join(ROOT, "src/gate/sys/native.ts")).href) },
      logLevel: "warning",
    }).outputFiles;
    const worker = new Worker(bundle!.text, { eval: true, workerData: { folder, digest: DIGEST } });
    const [said] = await once(worker, "message");
    expect(said).toEqual({ found: "signature", warnings: [] });
    await worker.terminate();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
