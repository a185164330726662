import * as z from "zod";
import { readText } from "../input.js";
import type { Current } from "../policy/current.js";
import { Document } from "./document.js";
import { validated } from "./issue.js";

const id = z.int().min(0).max(4294967295);
const text = z.string();
const texts = z.record(z.string(), z.string());

const CURRENT = z.strictObject({
  pid: id.default(0),
  tid: id.optional(),
  uid: id.default(0),
  euid: id.optional(),
  gid: id.default(0),
  comm: text.default(""),
  exe: text.nullable().default(null),
  cgroup: text.nullable().default(null),
  capabilities: z
    .array(z.string().regex(/^CAP_[A-Z_0-9]+$/, { error: "is not a capability, such as `CAP_BPF`" }))
    .default([]),
  namespaces: z.record(z.string(), z.int().min(0)).default({}),
  container: z
    .strictObject({
      id: text.min(1, { error: "is empty" }),
      name: text.nullable().default(null),
      labels: texts.nullable().default(null),
      annotations: texts.default({}),
    })
    .nullable()
    .default(null),
});

const MAX_CURRENT = 2 ** 20;

/**
 * Reads the task of a question (`current`) from a JSON or YAML file with the fields that policies see. Missing fields
 * are unknown, or those of root on the host. Throws FILE_UNREADABLE, and USAGE with the place in the file.
 */
export function readCurrent(file: string): Current {
  const document = new Document(file, readText(file, MAX_CURRENT), "USAGE");
  const given = validated(document, CURRENT);
  return { ...given, tid: given.tid ?? given.pid, euid: given.euid ?? given.uid };
}
