// versions.mjs CHECKOUT [ROUNDS]: how long a decision on known facts takes here, over how long it takes in another
// checkout, with both in one process and by turns. Prints the median ratio of ROUNDS rounds (21) for each policy of
// known.ts, and exits with 1 where one is above 1.05. The other checkout needs its node_modules.
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

/** Decisions in one turn, and turns of each version in one round. */
const TURN = 2000;
const TURNS = 10;
const MOST = 1.05;

const here = fileURLToPath(new URL(".", import.meta.url));
const [other, rounds = "21"] = process.argv.slice(2);
if (other === undefined || !existsSync(join(other, "src"))) {
  console.error("usage: node bench/versions.mjs CHECKOUT [ROUNDS]");
  process.exit(2);
}

/** A source file of a checkout; older ones have it in the folder above, or in one that had another name. */
function sourceOf(root, path) {
  const folders = [dirname(path), dirname(dirname(path)), dirname(path).replace("issuing", "making")];
  return folders.map((folder) => resolve(root, folder, basename(path))).find((file) => existsSync(file));
}

/** known.ts against the sources of a checkout. */
async function bundled(root, name) {
  const outfile = join(root, "node_modules", ".versions", `${name}.mjs`);
  await build({
    absWorkingDir: root,
    entryPoints: [join(here, "known.ts")],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    external: ["koffi"],
    nodePaths: [join(root, "node_modules")],
    plugins: [
      {
        name: "sources",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\.\.\/src\// }, ({ path, importer }) =>
            importer === join(here, "known.ts")
              ? { path: sourceOf(root, path.slice(3).replace(/\.js$/, ".ts")) }
              : undefined,
          ),
      },
    ],
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    logLevel: "warning",
  });
  const { decisions } = await import(pathToFileURL(outfile).href);
  return decisions(join(here, "../examples/drop-telnet.o"));
}

const before = await bundled(resolve(other), "before");
const after = await bundled(resolve(here, ".."), "after");
const now = () => Number(process.hrtime.bigint());
const turn = (decide) => {
  const start = now();
  for (let index = 0; index < TURN; index++) decide();
  return now() - start;
};
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

let worst = 0;
for (const [name, decide] of Object.entries(after)) {
  const [mine, theirs, ratios] = [[], [], []];
  for (let index = 0; index < 5; index++) [turn(before[name]), turn(decide)];
  for (let round = 0; round < Number(rounds); round++) {
    const sums = [[], []];
    // which one begins alternates, so that what the machine does in between falls on both
    for (let index = 0; index < TURNS; index++)
      for (const which of index % 2 === 0 ? [0, 1] : [1, 0])
        sums[which].push(turn(which === 0 ? before[name] : decide));
    const [old, fresh] = sums.map((each) => median(each) / TURN / 1000);
    theirs.push(old);
    mine.push(fresh);
    ratios.push(fresh / old);
  }
  const ratio = median(ratios);
  worst = Math.max(worst, ratio);
  console.log(`${name}: ${median(theirs).toFixed(3)} µs → ${median(mine).toFixed(3)} µs, ratio ${ratio.toFixed(3)}`);
}
console.log(`the largest ratio is ${worst.toFixed(3)}, at most ${MOST}: ${worst <= MOST ? "met" : "MISSED"}`);
process.exit(worst <= MOST ? 0 : 1);
