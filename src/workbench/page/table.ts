import { button, element, number } from "./element.js";

/** A column of a table whose rows are of type `Row`. Numbers sort by size, the largest first, and text by alphabet. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number;
  /** What the cell shows, if it is not the value. */
  readonly cell?: (row: Row) => Node;
}

/** Number of rows that are shown until the reader asks for all. */
const SHOWN = 100;

/** A table that the reader can sort by its heads. Rows can open a row with details. */
export class Table<Row> {
  readonly node: HTMLElement;
  readonly #head = element("tr");
  readonly #body = element("tbody");
  readonly #more = element("p", { class: "more" });
  #rows: readonly Row[] = [];
  #sorted: number;
  #isReversed = false;
  #all = false;

  /** `sorted`: the column that the table is first sorted by. */
  constructor(
    title: string,
    note: string,
    private readonly columns: readonly Column<Row>[],
    sorted: number,
    private readonly details: ((row: Row) => Node) | null = null,
  ) {
    this.#sorted = sorted;
    const table = element("table", {}, element("thead", {}, this.#head), this.#body);
    this.node = element("section", {}, element("h2", {}, title), element("p", {}, note), table, this.#more);
  }

  show(rows: readonly Row[]): void {
    this.#rows = rows;
    this.#draw();
  }

  #draw(): void {
    this.#head.replaceChildren(...this.columns.map((column, index) => this.#headOf(column, index)));
    const sorted = this.#inOrder();
    const shown = this.#all ? sorted : sorted.slice(0, SHOWN);
    this.#body.replaceChildren(...shown.map((row) => this.#rowOf(row)));
    this.node.querySelector("table")?.toggleAttribute("hidden", sorted.length === 0);
    this.#more.replaceChildren(...this.#rest(sorted.length, shown.length));
  }

  #rest(all: number, shown: number): readonly (Node | string)[] {
    if (all === 0) return ["None."];
    if (all === shown) return [];
    const showAll = () => {
      this.#all = true;
      this.#draw();
    };
    return [`${shown} of ${all} rows. `, button("Show all", showAll)];
  }

  #headOf({ title }: Column<Row>, index: number): HTMLElement {
    const isSorted = index === this.#sorted;
    const sort = () => {
      this.#isReversed = isSorted && !this.#isReversed;
      this.#sorted = index;
      this.#draw();
    };
    const isNumber = typeof this.#rows.map((row) => this.columns[index]?.value(row))[0] === "number";
    const order = isNumber === this.#isReversed ? "ascending" : "descending";
    const mark = isSorted ? (order === "ascending" ? " ▲" : " ▼") : "";
    return element("th", isSorted ? { "aria-sort": order } : {}, button(title + mark, sort));
  }

  #inOrder(): readonly Row[] {
    const column = this.columns[this.#sorted];
    if (column === undefined) return this.#rows;
    const sign = this.#isReversed ? -1 : 1;
    return [...this.#rows].sort((one, other) => sign * compare(column.value(one), column.value(other)));
  }

  #rowOf(row: Row): HTMLElement {
    const made = element("tr");
    for (const { value, cell } of this.columns) {
      const its = value(row);
      const isNumber = typeof its === "number";
      const shown = cell?.(row) ?? document.createTextNode(isNumber ? number(its) : its);
      made.append(element("td", isNumber ? { class: "number" } : {}, shown));
    }
    const { details } = this;
    if (details !== null) this.#open(made, () => details(row));
    return made;
  }

  /** A click on a row, or Enter, opens and closes a row with details below it. */
  #open(row: HTMLElement, details: () => Node): void {
    row.tabIndex = 0;
    row.classList.add("opens");
    row.setAttribute("aria-expanded", "false");
    let opened: HTMLElement | null = null;
    const toggle = () => {
      if (opened === null) {
        const cell = element("td", { colspan: String(this.columns.length) }, details());
        opened = element("tr", { class: "details" }, cell);
        row.after(opened);
      } else {
        opened.remove();
        opened = null;
      }
      row.setAttribute("aria-expanded", String(opened !== null));
    };
    row.addEventListener("click", toggle);
    row.addEventListener("keydown", ({ key }) => {
      if (key === "Enter") toggle();
    });
  }
}

function compare(one: string | number, other: string | number): number {
  if (typeof one === "number" && typeof other === "number") return other - one;
  return String(one) < String(other) ? -1 : Number(one !== other);
}
