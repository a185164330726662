/** A name with a letter left out, replaced, or swapped with the next one. */
export function misspelt(name: string): string[] {
  const letters = [...name];
  return [
    ...letters.map((_, at) => letters.toSpliced(at, 1).join("")),
    ...letters.map((letter, at) => letters.toSpliced(at, 1, letter === "q" ? "k" : "q").join("")),
    ...letters.slice(1).map((letter, at) => letters.toSpliced(at, 2, letter, letters[at]!).join("")),
  ];
}
