import * as z from "zod";
import { readText } from "../input.js";
import { type Current, ROOT_ON_HOST } from "../policy/model/current.js";
import { Document } from "./document.js";
import { validated } from "./issue.js";

const id = z.int().min(0).max(4294967295);
const text = z.string();
const texts = z.record(z.string(), z.string());

/** The fields of a task other than its container. */
export const TASK_FIELDS = {
  pid: id.default(ROOT_ON_HOST.pid),
  tid: id.optional(),
  uid: id.default(ROOT_ON_HOST.uid),
  euid: id.optional(),
  gid: id.default(ROOT_ON_HOST.gid),
  comm: text.default(ROOT_ON_HOST.comm),
  exe: text.nullable().default(ROOT_ON_HOST.exe),
  cgroup: text.nullable().default(ROOT_ON_HOST.cgroup),
  capabilities: z
    .array(z.string().regex(/^CAP_[A-Z_0-9]+$/, { error: "is not a capability; write it as `CAP_BPF`" }))
    .default([...ROOT_ON_HOST.capabilities]),
  namespaces: z.record(z.string(), z.int().min(0)).default(ROOT_ON_HOST.namespaces),
};

export const CONTAINER_FIELDS = {
  id: text.min(1, { error: "is empty; give the container's id, or leave `container` out" }),
  name: text.nullable().default(null),
  labels: texts.nullable().default(null),
  annotations: texts.default({}),
};

const CURRENT = z.strictObject({
  ...TASK_FIELDS,
  container: z.strictObject(CONTAINER_FIELDS).nullable().default(ROOT_ON_HOST.container),
});

const MAX_CURRENT = 2 ** 20;

/**
 * Reads the task of a question (`current`) from a JSON or YAML file with the fields that policies see. Missing fields
 * are those of ROOT_ON_HOST. Throws FILE_UNREADABLE, and USAGE with the place in the file.
 */
export function readCurrent(file: string): Current {
  const document = new Document(file, readText(file, MAX_CURRENT), "USAGE");
  return currentOf(validated(document, CURRENT));
}

/** A task whose `tid` and `euid` are those of its `pid` and `uid` unless they are given. */
export function currentOf(given: z.output<typeof CURRENT>): Current {
  return { ...given, tid: given.tid ?? given.pid, euid: given.euid ?? given.uid };
}
