import { Api } from "./api.js";
import { PodWatch } from "./pod-watch.js";

/**
 * An entry of its own: the process that reads pods for an agent, with the node's name as its argument. It stands apart since
 * the client library takes a third of what an idle agent may have, and so that what comes over the network is not
 * parsed by the process that holds the listeners. It ends with the agent.
 */
const [node = ""] = process.argv.slice(2);
process.once("disconnect", () => process.exit(0));
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined); // the agent's, of one terminal
const tell = (message: object) => {
  if (process.connected) process.send?.(message);
};
await new PodWatch(new Api(), node, tell, { first: 1000, most: 30_000 }).run();
