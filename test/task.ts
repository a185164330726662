import type { Current } from "../src/policy/model/current.js";

/** A task of the host, root's own, with what a test says about it. */
export function task(given: Partial<Current> = {}): Current {
  return {
    pid: 1,
    tid: 1,
    uid: 0,
    euid: 0,
    gid: 0,
    comm: "bpftool",
    exe: "/usr/sbin/bpftool",
    cgroup: null,
    capabilities: [],
    namespaces: {},
    container: null,
    ...given,
  };
}
