// Compiles the example objects with examples/build.sh. With --check it reports the objects that differ from what their
// sources compile to. Exits with 3 and a reason if clang is not installed.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

if (spawnSync("clang-19", ["--version"]).error !== undefined) {
  console.log("clang-19 is not installed");
  process.exit(3);
}
const script = fileURLToPath(new URL("../examples/build.sh", import.meta.url));
process.exitCode = spawnSync(script, process.argv.slice(2), { stdio: "inherit" }).status ?? 1;
