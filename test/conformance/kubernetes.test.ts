import { readFileSync } from "node:fs";
import * as kubernetes from "@kubernetes/client-node";
import { Environment } from "@marcbachmann/cel-js";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";

type Json = Readonly<Record<string, unknown>>;

const objects = parseAllDocuments(readFileSync(new URL("../../deploy/kubernetes.yaml", import.meta.url), "utf8")).map(
  (document) => document.toJS() as Json,
);
const ofKind = (kind: string) => objects.find((object) => object.kind === kind) as Json;

/** A model of the API as its client has it. */
interface Model {
  getAttributeTypeMap(): readonly { readonly baseName: string; readonly type: string }[];
}
const MODELS = kubernetes as unknown as Readonly<Record<string, Model | undefined>>;
const SCALARS: Readonly<Record<string, string>> = { string: "string", number: "number", boolean: "boolean" };

/** What of a value its model in the API does not have, or has in another type; by path. */
function foreign(value: unknown, type: string, path: string): readonly string[] {
  const list = /^Array<(.*)>$/.exec(type)?.[1];
  if (list !== undefined)
    return Array.isArray(value)
      ? value.flatMap((item, index) => foreign(item, list, `${path}[${index}]`))
      : [`${path} is no list`];
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  if (map !== undefined)
    return Object.entries(value as Json).flatMap(([key, item]) => foreign(item, map, `${path}.${key}`));
  if (SCALARS[type] !== undefined) return typeof value === SCALARS[type] ? [] : [`${path} is no ${type}`];
  const model = MODELS[type];
  if (model === undefined) return [`${path} is of the unknown type ${type}`];
  const fields = new Map(model.getAttributeTypeMap().map(({ baseName, type }) => [baseName, type]));
  return Object.entries(value as Json).flatMap(([key, item]) => {
    const its = fields.get(key);
    return its === undefined ? [`${path}.${key} is no field of ${type}`] : foreign(item, its, `${path}.${key}`);
  });
}

describe("what deploy/ has for Kubernetes", () => {
  it("has fields of the API's models, and no others", () => {
    for (const object of objects) expect(foreign(object, `V1${object.kind}`, String(object.kind))).toEqual([]);
    expect(objects.map(({ kind }) => kind)).toContain("DaemonSet");
    const wrong = { spec: { template: { spec: { hostPids: true, containers: [{ name: 5 }] } } } };
    expect(foreign(wrong, "V1DaemonSet", "x")).toEqual([
      "x.spec.template.spec.hostPids is no field of V1PodSpec",
      "x.spec.template.spec.containers[0].name is no string",
    ]);
  });

  it("binds its policy and its role to what is there", () => {
    const names = (kind: string) => (ofKind(kind).metadata as Json).name;
    expect((ofKind("ValidatingAdmissionPolicyBinding").spec as Json).policyName).toBe(
      names("ValidatingAdmissionPolicy"),
    );
    expect((ofKind("ClusterRoleBinding").roleRef as Json).name).toBe(names("ClusterRole"));
    const { template } = ofKind("DaemonSet").spec as { readonly template: { readonly spec: Json } };
    expect(template.spec.serviceAccountName).toBe(names("ServiceAccount"));
  });
});

describe("the admission policy", () => {
  interface Named {
    readonly name: string;
    readonly expression: string;
  }
  const { variables, validations } = ofKind("ValidatingAdmissionPolicy").spec as {
    readonly variables: readonly Named[];
    readonly validations: readonly { readonly expression: string; readonly message: string }[];
  };
  const cel = new Environment({ enableOptionalTypes: true, unlistedVariablesAreDyn: true });

  /** What the API server would say of a pod. */
  function objections(pod: Json): readonly string[] {
    const known: Record<string, unknown> = {};
    const context = { object: { metadata: {}, ...pod }, variables: known };
    for (const { name, expression } of variables) known[name] = cel.evaluate(expression, context);
    return validations
      .filter(({ expression }) => cel.evaluate(expression, context) !== true)
      .map(({ message }) => message);
  }

  const ours = { seccompProfile: { type: "Localhost", localhostProfile: "countersign.json" } };
  const pod = (spec: Json) => ({ spec: { securityContext: ours, containers: [{ name: "a" }], ...spec } });
  const privileged = { name: "b", securityContext: { privileged: true } };

  it("lets pods pass whose containers all have the gate's profile", () => {
    for (const spec of [
      {},
      {
        containers: [
          { name: "a", securityContext: { privileged: false } },
          { name: "b", securityContext: ours },
        ],
      },
      { initContainers: [{ name: "c" }], ephemeralContainers: [{ name: "d", securityContext: {} }] },
      { securityContext: {}, containers: [{ name: "a", securityContext: ours }] },
      { hostPID: false, hostNetwork: true },
      { securityContext: { seccompProfile: { type: "Localhost", localhostProfile: "countersign-fast.json" } } },
    ])
      expect(objections(pod(spec)), JSON.stringify(spec)).toEqual([]);
    expect(objections({ ...pod({}), metadata: { annotations: { "label.countersign/tier": "edge" } } })).toEqual([]);
  });

  it("refuses privileged containers of each kind", () => {
    for (const kind of ["containers", "initContainers", "ephemeralContainers"])
      expect(objections(pod({ [kind]: [{ name: "a" }, privileged] }))).toEqual([expect.stringContaining("privileged")]);
  });

  it("refuses containers of each kind with another profile, or with none", () => {
    const others = [
      { type: "Unconfined" },
      { type: "RuntimeDefault" },
      { type: "Localhost", localhostProfile: "other.json" },
      { type: "Localhost", localhostProfile: "x/countersign.json" },
    ];
    for (const seccompProfile of others) {
      for (const kind of ["containers", "initContainers", "ephemeralContainers"])
        expect(objections(pod({ [kind]: [{ name: "a", securityContext: { seccompProfile } }] }))).toHaveLength(1);
      expect(objections(pod({ securityContext: { seccompProfile } }))).toEqual([
        expect.stringContaining("seccompProfile"),
      ]);
    }
    for (const securityContext of [undefined, {}, { runAsUser: 0 }])
      expect(
        objections({ spec: { ...(securityContext && { securityContext }), containers: [{ name: "a" }] } }),
      ).toHaveLength(1);
  });

  it("refuses the host's pid namespace, and annotations that are the runtime's", () => {
    expect(objections(pod({ hostPID: true }))).toEqual([expect.stringContaining("pid namespace")]);
    for (const key of ["io.kubernetes.cri.sandbox-uid", "io.kubernetes.cri-o.Labels", "io.kubernetes.pod.uid"])
      expect(objections({ ...pod({}), metadata: { annotations: { [key]: "x" } } })).toEqual([
        expect.stringContaining("annotations"),
      ]);
  });
});
