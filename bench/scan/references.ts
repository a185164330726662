import { mountNamespaces } from "../../src/loaded/mounts/mount-namespaces.js";
import { KERNEL } from "../../src/loaded/reads/reads.js";
import { pinReferences } from "../../src/loaded/references/pins.js";
import { processReferences, visibleProcesses } from "../../src/loaded/references/processes.js";

/** Reads who refers to BPF objects once, in a process of its own. Prints microseconds of the processor, and bytes. */
const before = process.cpuUsage();
const pids = visibleProcesses(KERNEL);
const namespaces = mountNamespaces(KERNEL, pids);
const { references, networks } = processReferences(KERNEL, pids);
const pins = pinReferences(KERNEL, namespaces);
const { user, system } = process.cpuUsage(before);
const counts = { references: references.length, networks: networks.size, pins: pins.references.length };
console.log(JSON.stringify({ time: user + system, memory: process.resourceUsage().maxRSS, ...counts }));
