import { failed } from "./failure.ts";

/** No list of ours is longer. */
const mostPages = 1_000;

/**
 * The pages of one of the SDK's lists, but for those of a list that goes round in circles.
 *
 * @throws Failure where the list does not end
 */
export async function* pagesOf<Page>(pages: AsyncIterable<Page>): AsyncGenerator<Page> {
  let read = 0;
  for await (const page of pages) {
    yield page;
    read += 1;
    if (read === mostPages) throw failed(`AWS says after ${mostPages} pages that its list goes on.`);
  }
}
