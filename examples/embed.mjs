// Uses the engine as a library: decides about BPF objects as `countersign check` does, for a container with these
// labels.
//
//   node examples/embed.mjs CONFIG OBJECT [LABEL=VALUE…]
//
// Prints one line for each decision. Exits with 0 if the load is allowed, 1 if it is denied, 2 if nothing could be
// decided.
import { CountersignError, openEngine, ROOT_ON_HOST, verdictName } from "countersign";

const [config, object, ...labels] = process.argv.slice(2);
if (object === undefined) {
  console.error("usage: node examples/embed.mjs CONFIG OBJECT [LABEL=VALUE…]");
  process.exit(2);
}

/** The task that would load the object: without labels root on the host, otherwise a container. */
const container = {
  id: "c0ffee",
  name: "example",
  labels: Object.fromEntries(labels.map((label) => label.split("="))),
  annotations: {},
};
const current = labels.length === 0 ? ROOT_ON_HOST : { ...ROOT_ON_HOST, container };

/** The engine has a thread of its own: a policy cannot block this program for longer than its limits. */
let engine;
try {
  engine = await openEngine(config);
  for (const { hook, subject } of engine.questionsAbout(object)) {
    // `decide` does the same and blocks until the answer is there
    const { verdict, denied_by } = await engine.decideAsync({ hook, subject, current });
    console.log([hook, subject.name, verdictName(verdict), denied_by?.reason].filter(Boolean).join("  "));
    if (verdict !== 0) process.exitCode = 1;
  }
} catch (error) {
  // every error of the library has a code; docs/errors has a page for each
  if (!(error instanceof CountersignError)) throw error;
  console.error(`${error.code}: ${error}`);
  process.exitCode = 2;
} finally {
  await engine?.close();
}
