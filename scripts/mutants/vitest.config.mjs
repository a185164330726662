// The projects of vitest.config.ts, with the probes of the file PROBES in what they load of src/. Each file of tests
// has modules of its own: what a module does once is then reached by each file that needs it.
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import config from "../../vitest.config.ts";
import { withProbes } from "./probes.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const probes = JSON.parse(readFileSync(process.env.PROBES, "utf8"));
const plugin = {
  name: "probes",
  enforce: "pre",
  transform(code, id) {
    const own = probes[relative(`${root}/src`, id.split("?")[0])];
    return own === undefined ? undefined : { code: withProbes(code, own), map: null };
  },
};

export default defineConfig({
  ...config,
  root,
  test: {
    ...config.test,
    projects: config.test.projects.map(({ test }) => ({
      root,
      plugins: [plugin],
      test: { ...test, isolate: true, setupFiles: ["./scripts/mutants/reached.mjs", ...(test.setupFiles ?? [])] },
    })),
  },
});
