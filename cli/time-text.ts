const units: [name: string, ms: number][] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
];

/** A length of time in its two largest units: `57 d 3 h`, `4 min 10 s`. Of a negative one its length. */
export function span(ms: number): string {
  let rest = Math.abs(ms);
  const first = units.findIndex(([, length]) => rest >= length);
  if (first < 0) return "0 s";
  const parts = units.slice(first, first + 2).map(([name, length]) => {
    const count = Math.floor(rest / length);
    rest -= count * length;
    return { name, count };
  });
  return parts
    .filter(({ count }) => count > 0)
    .map(({ name, count }) => `${count} ${name}`)
    .join(" ");
}

/** `3 d ago` or `in 3 d`. */
export function relative(time: number, now: number): string {
  return time > now ? `in ${span(time - now)}` : `${span(now - time)} ago`;
}

/** `2027-01-20 17:00 UTC`. */
export function date(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
