/** One line of the report. Rows of a module are measured by turns, so that what disturbs one disturbs all. */
export interface Row {
  readonly name: string;
  /** What is timed, once. */
  readonly run: () => unknown;
  /** What may not be compared with what, and what is counted. */
  readonly note?: string;
  /** Ratios of p50 that are asked for. */
  readonly asked?: readonly Asked[];
}

export interface Asked {
  /** Another row's name. */
  readonly of: string;
  /** This row's p50 by the other's, at most. */
  readonly atMost: number;
}

/** A row that could not be measured, and why. */
export interface Missing {
  readonly name: string;
  readonly missing: string;
}

/** A figure that was measured elsewhere: in a process of its own, say. */
export interface Figure {
  readonly name: string;
  readonly figure: number;
  readonly unit: string;
  readonly note?: string;
  readonly limit?: number;
}
