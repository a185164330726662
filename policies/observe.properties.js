export const everything_loads = (_prog, _current, decision) => decision.verdict === 0;
