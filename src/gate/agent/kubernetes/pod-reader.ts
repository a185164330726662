import { Api } from "./api.js";
import { PodWatch } from "./pod-watch.js";

/**
 * Entry point of the process that reads pods for an agent; its argument is the node's name. It is a separate process
 * because the client library needs a third of an idle agent's memory budget, and so that the process that holds the
 * listeners does not parse data from the network. It exits with the agent.
 */
const [node = ""] = process.argv.slice(2);
process.once("disconnect", () => process.exit(0));
// the terminal sends these to the agent as well, which then stops this process
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
const tell = (message: object) => {
  if (process.connected) process.send?.(message);
};
await new PodWatch(new Api(), node, tell, { first: 1000, most: 30_000 }).run();
