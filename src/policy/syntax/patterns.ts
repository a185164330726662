import type { Pattern } from "acorn";

/** The names that a destructuring pattern binds. */
export function patternNames(pattern: Pattern | null): string[] {
  const names: string[] = [];
  addPatternNames(pattern, names);
  return names;
}

export function addPatternNames(pattern: Pattern | null, names: string[]): void {
  switch (pattern?.type) {
    case "Identifier":
      names.push(pattern.name);
      break;
    case "ObjectPattern":
      for (const property of pattern.properties)
        addPatternNames(property.type === "Property" ? property.value : property.argument, names);
      break;
    case "ArrayPattern":
      for (const element of pattern.elements) addPatternNames(element, names);
      break;
    case "AssignmentPattern":
      addPatternNames(pattern.left, names);
      break;
    case "RestElement":
      addPatternNames(pattern.argument, names);
      break;
  }
}
