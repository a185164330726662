import { FILE } from "./file-fillers.js";
import { type Filler, fills, none } from "./filler.js";
import { HELPERS, sysctlRead } from "./helper-fillers.js";
import * as hosts from "./hosts.js";
import { KFUNCS } from "./kfunc-fillers.js";

/** Bytes that nothing fills, in each kind of program. */
const NOTHING: readonly Filler[] = [
  hosts.XDP,
  hosts.TC,
  hosts.SOCKET_FILTER,
  hosts.FLOW_DISSECTOR,
  hosts.RAW_TRACEPOINT,
  hosts.PERF_EVENT,
  hosts.REUSEPORT,
  hosts.CONNECT,
  hosts.SOCK_OPS,
  sysctlRead,
  hosts.FENTRY,
  FILE,
  hosts.ITERATOR,
].map((host) => {
  const other = none("nothing is called");
  return fills("nothing", host, 40, ["r0 = -1", other, other]);
});

export const FILLERS: readonly Filler[] = [...NOTHING, ...HELPERS, ...KFUNCS];
