import { Btf } from "../btf/btf.js";
import type { StatedMap, StatedObject, StatedSetting, StatementContent } from "./content.js";
import { readValue, type Scalar, scalarOf } from "./setting-value.js";
import { malformed } from "./shape.js";
import { cTypeName, isConstVolatile } from "./variable-type.js";

/** A setting as the object declares it, before the signer's rules. */
export type DeclaredSetting = Omit<StatedSetting, "fixed"> & {
  /** How a variable's bytes are read; null for bytes that are shown in hex, and for what is not a variable. */
  readonly scalar: Scalar | null;
};

/**
 * What loaders may change between opening an object and loading it, unless the signer fixed it: variables of `.rodata`
 * that are `const volatile`, sizes of maps that the object leaves at 0, and whether a map is created. In the order of
 * the maps. Throws BTF_MALFORMED.
 */
export function declaredSettings(object: StatedObject): readonly DeclaredSetting[] {
  return object.maps.flatMap((map, index) => [
    ...(map.kind === "rodata" ? variables(object, map, index) : []),
    ...sizes(map, index),
    ...(map.kind === "definition" || map.kind === "struct_ops" ? [autocreate(map, index)] : []),
  ]);
}

/** The settings of a statement with the signer's rules. Throws STATEMENT_MALFORMED if a rule fixes no setting. */
export function settingsOf({ program, rules }: StatementContent): readonly StatedSetting[] {
  const rest = new Map(rules.fixed.map((rule) => [`${rule.kind} ${rule.name}`, rule.value]));
  const settings = declaredSettings(program.object).map(({ scalar: _, ...declared }) => {
    const key = `${declared.kind} ${declared.name}`;
    const fixed = rest.get(key) ?? null;
    rest.delete(key);
    return { ...declared, fixed };
  });
  for (const key of rest.keys()) throw malformed(`fixes \`${key}\`, which is no setting`, "rules.fixed");
  return settings;
}

const SIZES = ["max_entries", "value_size", "key_size"] as const;

/** Of maps that the object defines; global data has the size of its section. */
function sizes(map: StatedMap, index: number): DeclaredSetting[] {
  if (map.kind !== "definition") return [];
  return SIZES.filter((kind) => map[kind] === 0).map((kind) => ({
    ...ofMap(map, index),
    name: `${map.name}.${kind}`,
    kind,
    declared: 0,
  }));
}

function autocreate(map: StatedMap, index: number): DeclaredSetting {
  const declared = map.autocreate ? 1 : 0;
  return { ...ofMap(map, index), name: `${map.name}.autocreate`, kind: "autocreate", declared };
}

function ofMap(_: StatedMap, map: number) {
  return { type: null, map, offset: 0, size: 0, scalar: null } as const;
}

/** Variables that share a name are no settings, because the name would be ambiguous. */
function variables(object: StatedObject, map: StatedMap, index: number): DeclaredSetting[] {
  const section = object.sections.find(({ name }) => name === map.name);
  const btf = btfOf(object);
  if (section === undefined || btf === null || map.data === null) return [];
  const types = new Map<string, number | null>();
  for (const { type } of btf.variables(btf.section(map.name)))
    if (btf.kind(type) === "var") types.set(btf.name(type), types.has(btf.name(type)) ? null : btf.target(type));
  const data = Buffer.from(map.data, "base64");
  return section.variables.flatMap(({ name, offset }) => {
    const type = types.get(name);
    if (type === undefined || type === null || !isConstVolatile(btf, type)) return [];
    const size = btf.sizeOf(type);
    if (size === 0 || offset + size > data.length) return [];
    const scalar = scalarOf(btf, type);
    const declared = readValue(data.subarray(offset, offset + size), scalar, object.byte_order);
    return [
      { name, kind: "variable" as const, type: cTypeName(btf, type), map: index, offset, size, declared, scalar },
    ];
  });
}

const parsed = new WeakMap<StatedObject, Btf | null>();

/** The BTF of a stated object, parsed once. Throws BTF_MALFORMED. */
export function btfOf(object: StatedObject): Btf | null {
  let btf = parsed.get(object);
  if (btf === undefined) {
    btf = object.btf === null ? null : new Btf(Buffer.from(object.btf, "base64"), "BTF of the statement");
    parsed.set(object, btf);
  }
  return btf;
}
