/** Provided by the host when it starts the guest; see start.ts. */
declare const $settings: string;

interface Settings {
  readonly permits: Readonly<Record<string, string>>;
  readonly overridable: Readonly<Record<string, string>>;
  readonly constants: Readonly<Record<string, string | number>>;
  readonly keyrings: readonly string[];
  readonly detached: readonly string[];
  readonly currentNumbers: readonly string[];
  readonly currentOthers: readonly string[];
  readonly currentRecords: readonly string[];
  readonly recordsReads?: boolean;
  readonly asksHost?: boolean;
}

export const settings = JSON.parse($settings) as Settings;
