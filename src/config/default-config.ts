/** The configuration file that commands read if none is named. */
export const DEFAULT_CONFIG = "countersign.yaml";
