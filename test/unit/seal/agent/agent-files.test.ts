import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { agentPaths, agentScript, fileEntries } from "../../../../src/seal/agent/agent-files.js";
import { AGENT_FOLDER, fragment } from "../../../../src/seal/initramfs/fragment.js";

describe("the files of an agent", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "agent-files-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("are node with its libraries, the installation, and what the configuration names", {
    tags: ["deep"],
  }, (context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    mkdirSync(join(folder, "signatures/ab"), { recursive: true });
    const [config, signature] = [join(folder, "countersign.yaml"), join(folder, "signatures/ab/ab.statement")];
    for (const path of [config, signature]) writeFileSync(path, "");
    const paths = agentPaths([config, config], [join(folder, "signatures")]);
    expect(paths).toEqual([...new Set(paths)].sort());
    expect(paths).toEqual(expect.arrayContaining([process.execPath, agentScript(), config, signature]));
    for (const end of [
      "/bin/load.js",
      "/dist/gate.cjs",
      "/dist/thread.cjs",
      "/dist/gate-blocking-worker.cjs",
      "/dist/gate-denial-thread.cjs",
      "/dist/strip-types.cjs",
      "/linux_x64/koffi.node",
      "/dist/emscripten-module.wasm",
      "/libc.so.6",
    ])
      expect(
        paths.filter((path) => path.endsWith(end)),
        end,
      ).toHaveLength(1);
    expect(paths.filter((path) => /\/(?:command\.cjs|pod-reader\.js|README\.md|index\.d\.ts)$/.test(path))).toEqual([]);
  });

  it("are entries below a folder, after the folders above them; nobody may write them", () => {
    const [program, text] = [join(folder, "in/program"), join(folder, "text")];
    mkdirSync(join(folder, "in"));
    writeFileSync(program, "program");
    writeFileSync(text, "text");
    chmodSync(program, 0o755);
    const entries = fileEntries([program, text], "below", [join(folder, "empty")]);
    const paths = entries.map(({ path }) => path);
    for (const [index, path] of paths.entries())
      if (path !== "below") expect(paths.indexOf(path.slice(0, path.lastIndexOf("/"))), path).toBeLessThan(index);
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths).toContain(`below${folder}/empty`);
    const files = entries.filter(({ contents }) => contents !== null);
    expect(
      files.map(({ path, permissions, contents }) => [path, permissions, Buffer.from(contents!).toString()]),
    ).toEqual([
      [`below${program}`, 0o555, "program"],
      [`below${text}`, 0o444, "text"],
    ]);
    expect(entries.filter(({ contents }) => contents === null).every(({ permissions }) => permissions === 0o755)).toBe(
      true,
    );
  });

  it("must be there", () => {
    const missing = join(folder, "missing");
    expect(() => fileEntries([missing], "below")).toThrow(
      expect.objectContaining({ code: "FILE_UNREADABLE", place: missing }),
    );
  });

  it("are in the fragment, with the words that start the agent and the folder that its root is mounted on", () => {
    const files = [{ path: AGENT_FOLDER, permissions: 0o755, contents: null }];
    const archive = gunzipSync(
      fragment(Buffer.from("loader"), Buffer.from("image"), { command: ["/node", "a b"], files }),
    );
    const names = [...archive.toString("latin1").matchAll(/070701[0-9a-f]{104}([^\0]+)\0/g)].map(([, name]) => name);
    expect(names).toEqual([
      "countersign",
      "countersign/init",
      "countersign/image",
      "countersign/command",
      "countersign/root",
      AGENT_FOLDER,
      "TRAILER!!!",
    ]);
    expect(archive.includes("/node\0a b\0")).toBe(true);
  });
});
