import { createHash } from "node:crypto";
import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { KINDS_OF_MODULES, neededModules } from "./needed-modules.js";

/**
 * The order of test files: project by project, and in each project by the modules that they need, so that a process can
 * go on with the modules that it has. vitest ends a process as soon as the next file is of another project. Among those
 * the seed decides, if there is one.
 */
export default class FileOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root, sequence } = this.ctx.config;
    const sorted = await super.sort(files);
    const place = ({ moduleId }: TestSpecification) =>
      sequence.seed === undefined
        ? ""
        : createHash("sha256")
            .update(`${sequence.seed} ${relative(root, moduleId)}`)
            .digest("hex");
    const projects = this.ctx.projects.map(({ name }) => name);
    const keys = new Map(
      sorted.map((file) => {
        const kind = file.project.config.isolate ? 0 : KINDS_OF_MODULES.indexOf(neededModules(file.moduleId));
        return [file, [projects.indexOf(file.project.name), kind, place(file)] as const];
      }),
    );
    return sorted.sort((one, other) => compare(keys.get(one)!, keys.get(other)!));
  }
}

function compare(one: readonly (number | string)[], other: readonly (number | string)[]): number {
  const at = one.findIndex((key, index) => key !== other[index]);
  if (at === -1) return 0;
  return one[at]! < other[at]! ? -1 : 1;
}
