import { routeDump } from "../../sys/network.js";
import { type RouteMessage, routeMessages } from "../places/route-messages.js";
import { done, notDetached } from "./not-detached.js";

/** What rtnetlink lists in the network namespace of the calling thread, of which `kept` are returned. */
export function listed(
  type: number,
  body: Uint8Array,
  kept: (message: RouteMessage) => boolean,
): readonly RouteMessage[] {
  const dump = routeDump(type, body);
  if (typeof dump === "number") throw notListed(dump);
  return dump.flatMap((part) => {
    const { messages, error } = routeMessages(part);
    if (error !== 0) throw notListed(error);
    return messages.filter(kept);
  });
}

function notListed(error: number): never {
  done(error, "asking rtnetlink");
  throw notDetached("rtnetlink does not answer", "report this, with `uname -r`");
}
