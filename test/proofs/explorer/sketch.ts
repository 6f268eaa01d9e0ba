/** A part of a text: as it is, an id or a token's text, or a date in epoch ms. */
type Piece = string | { id: string } | { date: number };

const id = /\b(?:tok_\d+|(?:version|attempt|made-by-aws)-\d{30}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/g;

/** What texts are made of, kept since a few come again and again. */
const ofTexts = new Map<string, Piece[]>();
const mostTexts = 50_000;

/** The same few texts stand between ids and dates: a number in the place of each makes a state shorter by two thirds. */
const shorter = new Map<string, string>();

/** The same of objects that nobody changes. */
const ofObjects = new WeakMap<object, Piece[]>();

/**
 * A text that is the same for what is the same: ids, and tokens' texts, go by the order in which they appear, and dates by
 * their age.
 */
export class Sketch {
  text = "";
  readonly #ageOf: (date: number) => string;
  readonly #names = new Map<string, number>();

  constructor(ageOf: (date: number) => string) {
    this.#ageOf = ageOf;
  }

  /** An id, or a token's text. */
  id(one: string | undefined): void {
    if (one === undefined) {
      this.text += "-,";
      return;
    }
    let name = this.#names.get(one);
    if (name === undefined) {
      name = this.#names.size;
      this.#names.set(one, name);
    }
    this.text += `#${name},`;
  }

  date(date: number | undefined): void {
    this.text += date === undefined ? "-," : `${this.#ageOf(date)},`;
  }

  /** Texts, numbers, and lists and objects of them; ids in texts are found. */
  value(value: unknown): void {
    if (typeof value === "string") this.#pieces(piecesOf(value));
    else if (Array.isArray(value)) {
      this.text += "[";
      for (const item of value) this.value(item);
      this.text += "],";
    } else if (typeof value === "object" && value !== null) {
      for (const [name, item] of Object.entries(value)) {
        this.text += `${name}:`;
        this.value(item);
      }
    } else this.text += `${value},`;
  }

  /** An object that nobody changes; fields whose names end in `_at` are dates, and `access_token` is a token's text. */
  fixed(object: object): void {
    let pieces = ofObjects.get(object);
    if (!pieces) {
      pieces = joined(
        Object.entries(object).flatMap(([name, value]) => [`${name}:`, ...fieldPieces(name, value), ","]),
      );
      ofObjects.set(object, pieces);
    }
    this.#pieces(pieces);
  }

  #pieces(pieces: readonly Piece[]): void {
    for (const piece of pieces) {
      if (typeof piece === "string") this.text += piece;
      else if ("id" in piece) this.id(piece.id);
      else this.date(piece.date);
    }
    this.text += ";";
  }
}

function fieldPieces(name: string, value: unknown): Piece[] {
  if (name === "access_token") return [{ id: String(value) }];
  if (name.endsWith("_at") && typeof value === "string") return [{ date: Date.parse(value) }];
  return piecesOf(typeof value === "string" ? value : String(JSON.stringify(value)));
}

function piecesOf(text: string): Piece[] {
  let pieces = ofTexts.get(text);
  if (!pieces) {
    pieces = [];
    let from = 0;
    for (const { 0: found, index } of text.matchAll(id)) {
      if (index > from) pieces.push(text.slice(from, index));
      pieces.push({ id: found });
      from = index + found.length;
    }
    if (from < text.length) pieces.push(text.slice(from));
    if (ofTexts.size > mostTexts) ofTexts.clear();
    ofTexts.set(text, pieces);
  }
  return pieces;
}

function joined(pieces: readonly Piece[]): Piece[] {
  const whole: Piece[] = [];
  for (const piece of pieces) {
    const before = whole.at(-1);
    if (typeof piece === "string" && typeof before === "string") whole[whole.length - 1] = before + piece;
    else whole.push(piece);
  }
  return whole.map((piece) => (typeof piece === "string" ? shortened(piece) : piece));
}

function shortened(text: string): string {
  if (text.length < 6) return text;
  const known = shorter.get(text) ?? `~${shorter.size}~`;
  shorter.set(text, known);
  return known;
}
