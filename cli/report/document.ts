import { Html, html } from "./html.ts";
import { style } from "./style.ts";

/**
 * A page that needs nothing else: no script, no network.
 *
 * @param page.skip where the link leads that is the first thing on the page for who goes by keyboard, and its text
 */
export function document({
  title,
  skip,
  body,
}: {
  title: string;
  skip: { to: string; text: string };
  body: Html;
}): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<a class="skip" href="#${skip.to}">${skip.text}</a>
${body}
</body>
</html>
`;
}
