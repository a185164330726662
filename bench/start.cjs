// Starts an engine as a command is started: from one script, with V8's code cache (see bin/load.js). `node bench/start.cjs BUNDLE
// FOLDER`, the bundle without its ending; with --cache it leaves that cache beside the bundle instead of telling anything. With
// --command it runs as a command that decides about one file, with --linked also with link results of an earlier process.
const { rmSync, writeFileSync } = require("node:fs");
const v8 = require("node:v8");
const { cacheOf, load } = require("../bin/load.js");

const [bundle, folder, option] = process.argv.slice(2);
if (option === "--cache") {
  const cache = cacheOf(bundle);
  rmSync(cache, { force: true });
  // as bin/code-cache.mjs: a cache is good only for the flags that it was made under
  v8.setFlagsFromString = () => {};
  let script;
  const { main } = load(bundle, (compiled) => {
    script = compiled;
  });
  main(folder).then(() => writeFileSync(cache, script.createCachedData()));
} else
  load(bundle)
    .main(folder, option)
    .then((told) => console.log(JSON.stringify(told)));
