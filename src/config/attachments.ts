import { basename, extname } from "node:path";
import { CountersignError } from "../error.js";
import type { HookName } from "../hooks/catalogue.js";
import type { Limits } from "../policy/attachment.js";
import type { Mode } from "../policy/model/mode.js";
import { Scope, type ScopeRules } from "../policy/scope/scope.js";
import { DEFAULT_LIMITS, LIMIT_BOUNDS } from "../sandbox/shared/limits.js";
import type { Document, Path } from "./document.js";
import type { Problems } from "./problems.js";
import { type ConfigInput, NAME } from "./schema.js";
import { bytes, milliseconds } from "./units.js";

export interface AttachmentConfig {
  readonly name: string;
  readonly place: string;
  readonly policy: string;
  /** Null means all hooks that the policy exports. */
  readonly hooks: readonly HookName[] | null;
  /** The mode of the attachment as configured; independent of the mode of the whole configuration. */
  readonly mode: Mode;
  readonly scope: ScopeRules;
  readonly limits: Limits;
  readonly domain: string;
  readonly onFault: "deny" | "allow";
  /** Whether the gate grants the task missing capabilities for operations that this policy allows. */
  readonly delegate: boolean;
  /** Whether the maps that a program only reads are frozen after it is loaded. */
  readonly freeze: boolean;
}

type Input = ConfigInput["attachments"][number];

/** Converts the validated attachments of a configuration: their names, paths, scopes and limits. */
export class AttachmentReader {
  /** `absolute` resolves a path of the configuration. */
  constructor(
    private readonly document: Document,
    private readonly inputs: readonly Input[],
    private readonly problems: Problems,
    private readonly absolute: (path: string) => string,
  ) {}

  /** The name and the domain of each attachment. Throws if one has a name that cannot be used. */
  names(): readonly { readonly name: string; readonly domain: string }[] {
    return this.inputs.map(({ name, policy, domain }, index) => ({
      name: name ?? this.nameOf(policy, placeOf(index)),
      domain,
    }));
  }

  /** The attachments. If there is an error about one, it is added to the problems, and the result must not be used. */
  read(): AttachmentConfig[] {
    const names = new Map<string, string>();
    return this.inputs.map((input, index) => {
      const path = placeOf(index);
      const place = this.document.place(path);
      const name = this.attempt(() => this.newName(input, path, names));
      names.set(name, place);
      return {
        name,
        place,
        policy: this.absolute(input.policy),
        hooks: input.hooks ?? null,
        mode: input.mode,
        scope: this.attempt(() => this.scope(input.scope, [...path, "scope"])),
        limits: this.limits(input.limits, [...path, "limits"]),
        domain: input.domain,
        onFault: input.on_fault,
        delegate: input.delegate,
        freeze: input.freeze,
      };
    });
  }

  /** The name of an attachment. `places` has those of the attachments before it. */
  private newName({ name: given, policy }: Input, path: Path, places: ReadonlyMap<string, string>): string {
    const name = given ?? this.nameOf(policy, path);
    const other = places.get(name);
    if (other === undefined) return name;
    throw this.document.error(
      given === undefined ? [...path, "policy"] : [...path, "name"],
      `\`${name}\` is attached already, at ${other}`,
      "give one of them a `name` of its own",
    );
  }

  private nameOf(policy: string, path: Path): string {
    const name = basename(policy, extname(policy));
    if (NAME.test(name)) return name;
    throw this.document.error([...path, "policy"], `\`${name}\` can't name the attachment`, "give it a `name`");
  }

  private scope(input: Input["scope"], path: Path): ScopeRules {
    const { labels, container } = input;
    const rules: ScopeRules = {
      ...(labels === undefined ? {} : { labels }),
      ...(input.uid === undefined ? {} : { uid: listed(input.uid).map((uid) => this.uids(uid, [...path, "uid"])) }),
      ...(input.exe === undefined ? {} : { exe: listed(input.exe) }),
      ...(input.comm === undefined ? {} : { comm: listed(input.comm) }),
      ...(container === undefined ? {} : { container: typeof container === "boolean" ? container : listed(container) }),
    };
    this.checkScope(rules, path);
    return rules;
  }

  /**
   * A selector's own error gives a column in the selector. This adds that column to the place in the file if the
   * selector is written on one line without escapes; otherwise the place is that of the selector, and then the column.
   */
  private checkScope(rules: ScopeRules, path: Path): void {
    try {
      Scope.of(rules);
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      const labels = [...path, "labels"];
      const column = Number(/^column (\d+)$/.exec(error.place ?? "")?.[1] ?? 1);
      const quote = this.document.quote(labels);
      const place =
        quote === null
          ? `${this.document.place(labels)}: ${error.place}`
          : this.document.place(labels, "value", quote + column - 1);
      throw new CountersignError(error.code, error.message, { place, remedy: error.remedy, cause: error });
    }
  }

  private uids(range: number | string, path: Path): readonly [number, number] {
    const [first = 0, last = first] = String(range).split("-").map(Number);
    if (first <= last && last <= 0xffffffff) return [first, last];
    throw this.document.error(
      path,
      `\`${range}\` is not a range of uids`,
      "write the smaller one first, both below 4294967296",
    );
  }

  private limits(input: Input["limits"], path: Path): Limits {
    const limits: Limits = {
      steps: input.steps ?? DEFAULT_LIMITS.steps,
      memory: input.memory === undefined ? DEFAULT_LIMITS.memory : bytes(input.memory),
      stack: input.stack === undefined ? DEFAULT_LIMITS.stack : bytes(input.stack),
      timeout: input.timeout === undefined ? DEFAULT_LIMITS.timeout : milliseconds(input.timeout),
    };
    for (const [name, [least, most]] of Object.entries(LIMIT_BOUNDS)) {
      const value = limits[name as keyof Limits];
      if (value < least || value > most)
        this.problems.add(
          this.document.error(
            [...path, name],
            `\`${name}\` is ${value}${UNITS[name as keyof Limits]}, outside of ${least} to ${most}`,
            "choose a value in that range",
          ),
        );
    }
    return limits;
  }

  private attempt<Result>(make: () => Result): Result {
    return this.problems.attempt(make) as Result;
  }
}

function placeOf(index: number): Path {
  return ["attachments", index];
}

const UNITS: Readonly<Record<keyof Limits, string>> = { steps: "", memory: " bytes", stack: " bytes", timeout: " ms" };

function listed<T>(value: T | readonly T[]): T[] {
  return Array.isArray(value) ? [...value] : [value as T];
}
