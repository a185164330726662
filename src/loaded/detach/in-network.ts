import { openFile } from "../../sys/file.js";
import { enterNetwork } from "../../sys/network.js";
import { close } from "../../sys/pidfd.js";
import { mountNamespaces } from "../mounts/mount-namespaces.js";
import { networkNamespaces, openNetns } from "../places/network-namespaces.js";
import { KERNEL } from "../reads/reads.js";
import { processReferences, visibleProcesses } from "../references/processes.js";
import { done, notDetached } from "./not-detached.js";

/**
 * Has the calling thread do something in a network namespace, by its inode number. Throws SCAN_NOT_DETACHED if nothing
 * leads to it, and GATE_FAILED if the thread cannot return.
 */
export function inNetwork<T>(number: number, act: () => T): T {
  const pids = visibleProcesses(KERNEL);
  const { networks } = processReferences(KERNEL, pids);
  const holder = networkNamespaces(KERNEL, pids, mountNamespaces(KERNEL, pids), networks).get(number);
  if (holder === undefined) throw notDetached(`network namespace ${number} has gone`, "scan again");
  const entered = done(openNetns(number, holder), `opening network namespace ${number}`);
  const own = openFile("/proc/thread-self/ns/net");
  try {
    done(own, "opening the own network namespace");
    done(enterNetwork(entered), `entering network namespace ${number}`);
    try {
      return act();
    } finally {
      enterNetwork(own, "must return");
    }
  } finally {
    close(own);
    close(entered);
  }
}
