import { hash } from "node:crypto";

/** A part of a text: a text of its own, by its number; a date in epoch ms; an id or a token's text. */
type Piece = { kind: "text" | "date"; value: number } | { kind: "id"; value: string };

const id = /\b(?:tok_\d+|(?:version|attempt|made-by-aws)-\d{30}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/g;

/** The same few texts stand between ids and dates: each goes by a number. */
const numbers = new Map<string, number>();

/** What texts are made of, kept since a few come again and again. */
const ofTexts = new Map<string, readonly Piece[]>();
const mostTexts = 50_000;

/** The same of objects that nobody changes. */
const ofObjects = new WeakMap<object, readonly Piece[]>();

/** What is written, one kind of thing told from the others by the lowest bits. One sketch is drawn at a time. */
let page = new Int32Array(4_096);
const kinds = { text: 0, number: 1, id: 2, date: 3 } as const;

/** A number that is in no kind's way. */
const most = 2 ** 28;

const marks = {
  none: numberOf("-"),
  list: numberOf("["),
  end: numberOf("]"),
  yes: numberOf("true"),
  no: numberOf("false"),
};

/**
 * A key that is the same for what is the same: ids, and tokens' texts, go by the order in which they appear, and dates by
 * their age.
 */
export class Sketch {
  #length = 0;
  readonly #ageOf: (date: number) => number;
  readonly #names = new Map<string, number>();

  constructor(ageOf: (date: number) => number) {
    this.#ageOf = ageOf;
  }

  /** Of all that was told so far. */
  get key(): string {
    return hash("sha1", page.subarray(0, this.#length), "base64");
  }

  /** An id, or a token's text. */
  id(one: string | undefined): void {
    if (one === undefined) {
      this.#write(kinds.text, marks.none);
      return;
    }
    let name = this.#names.get(one);
    if (name === undefined) {
      name = this.#names.size;
      this.#names.set(one, name);
    }
    this.#write(kinds.id, name);
  }

  date(date: number | undefined): void {
    if (date === undefined) this.#write(kinds.text, marks.none);
    else this.#write(kinds.date, this.#ageOf(date));
  }

  /** Texts, numbers, and lists and objects of them; ids in texts are found. */
  value(value: unknown): void {
    if (typeof value === "string") this.#pieces(piecesOf(value));
    else if (typeof value === "boolean") this.#write(kinds.text, value ? marks.yes : marks.no);
    else if (value === undefined) this.#write(kinds.text, marks.none);
    else if (Number.isInteger(value) && Math.abs(value as number) < most) this.#write(kinds.number, value as number);
    else if (Array.isArray(value)) {
      this.#write(kinds.text, marks.list);
      for (const item of value) this.value(item);
      this.#write(kinds.text, marks.end);
    } else if (typeof value === "object" && value !== null) {
      for (const [name, item] of Object.entries(value)) {
        this.#write(kinds.text, numberOf(name));
        this.value(item);
      }
    } else this.#write(kinds.text, numberOf(String(value)));
  }

  /** An object that nobody changes; fields whose names end in `_at` are dates, and `access_token` is a token's text. */
  fixed(object: object): void {
    let pieces = ofObjects.get(object);
    if (!pieces) {
      pieces = Object.entries(object).flatMap(([name, value]) => [textPiece(name), ...fieldPieces(name, value)]);
      ofObjects.set(object, pieces);
    }
    this.#pieces(pieces);
  }

  #pieces(pieces: readonly Piece[]): void {
    for (const piece of pieces) {
      if (piece.kind === "text") this.#write(kinds.text, piece.value);
      else if (piece.kind === "id") this.id(piece.value);
      else this.date(piece.value);
    }
    this.#write(kinds.text, marks.end);
  }

  #write(kind: number, value: number): void {
    if (this.#length === page.length) {
      const larger = new Int32Array(2 * page.length);
      larger.set(page);
      page = larger;
    }
    page[this.#length] = (value << 2) | kind;
    this.#length += 1;
  }
}

function numberOf(text: string): number {
  let number = numbers.get(text);
  if (number === undefined) {
    number = numbers.size;
    numbers.set(text, number);
  }
  return number;
}

function textPiece(text: string): Piece {
  return { kind: "text", value: numberOf(text) };
}

function fieldPieces(name: string, value: unknown): readonly Piece[] {
  if (name === "access_token") return [{ kind: "id", value: String(value) }];
  if (name.endsWith("_at") && typeof value === "string") return [{ kind: "date", value: Date.parse(value) }];
  return piecesOf(typeof value === "string" ? value : String(JSON.stringify(value)));
}

function piecesOf(text: string): readonly Piece[] {
  let pieces = ofTexts.get(text);
  if (!pieces) {
    const found: Piece[] = [];
    let from = 0;
    for (const { 0: match, index } of text.matchAll(id)) {
      if (index > from) found.push(textPiece(text.slice(from, index)));
      found.push({ kind: "id", value: match });
      from = index + match.length;
    }
    if (from < text.length || from === 0) found.push(textPiece(text.slice(from)));
    if (ofTexts.size > mostTexts) ofTexts.clear();
    ofTexts.set(text, found);
    pieces = found;
  }
  return pieces;
}
