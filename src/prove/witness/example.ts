import type { Exploration, Path } from "../explorer/exploration.js";
import type { Input } from "./input.js";

/** An input that the engine has decided about as its path says. */
export class Example {
  constructor(
    readonly path: Path,
    readonly input: Input,
    readonly exploration: Exploration,
  ) {}

  /** Answers in JSON are without it: it has bytes, and what no input has. */
  toJSON(): undefined {
    return undefined;
  }
}
