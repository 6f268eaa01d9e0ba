import fc from "fast-check";
import { expect, it } from "vitest";
import { baseUrlText, endpoint, parseBaseUrl, readBaseUrl } from "../../src/c2m/base-url.ts";
import { PermanentError } from "../../src/ports/errors.ts";

it.each([
  ["https://api.click2mail.com/v2", "https://api.click2mail.com/v2"],
  ["https://api.click2mail.com/v2/", "https://api.click2mail.com/v2"],
  ["https://api.click2mail.com/v2//", "https://api.click2mail.com/v2"],
  ["https://api.example.com/v1", "https://api.example.com/v1"],
  ["https://api.example.com:8443/dev/v2", "https://api.example.com:8443/dev/v2"],
  ["https://api.example.com", "https://api.example.com/"],
  ["https://api.example.com/author", "https://api.example.com/author"],
  ["https://api.example.com/auth/v2", "https://api.example.com/auth/v2"],
  ["https://api.example.com/v2@stage", "https://api.example.com/v2@stage"],
  ["https://api.example.com/oauth", "https://api.example.com/oauth"],
  ["http://localhost:3000/v2", "http://localhost:3000/v2"],
  ["http://127.0.0.1:3000/v2", "http://127.0.0.1:3000/v2"],
  ["http://127.10.20.30/v2", "http://127.10.20.30/v2"],
  ["http://[::1]:3000/v2", "http://[::1]:3000/v2"],
])("takes %s", (text, href) => {
  expect(parseBaseUrl(text).href).toBe(href);
});

it.each([
  [
    "http://api.click2mail.com/v2",
    "base_url must start with https:// (http:// is accepted for a loopback address only)",
  ],
  ["http://localhost.example.com/v2", "base_url must start with https://"],
  ["http://127.0.0.1.example.com/v2", "base_url must start with https://"],
  ["http://x127.0.0.1.example.com/v2", "base_url must start with https://"],
  ["http://10.127.0.0/v2", "base_url must start with https://"],
  ["ftp://localhost/v2", "base_url must start with https://"],
  ["https://user:hunter2@api.example.com/v2", "base_url must not hold a user name or password"],
  ["https://@api.example.com/v2", "base_url must not hold a user name or password"],
  ["https:/user:hunter2@api.example.com/v2", "base_url must not hold a user name or password"],
  ["https:///user:hunter2@api.example.com/v2", "base_url must not hold a user name or password"],
  ["https:user:hunter2@api.example.com/v2", "base_url must not hold a user name or password"],
  ["https:////hunter2@api.example.com/v2", "base_url must not hold a user name or password"],
  ["https:@api.example.com/v2", "base_url must not hold a user name or password"],
  ["https:/api.example.com/v2", "base_url must be an absolute URL"],
  ["https:///api.example.com/v2", "base_url must be an absolute URL"],
  ["https:api.example.com/v2", "base_url must be an absolute URL"],
  ["https:/api.example.com/https://api.example.com/v2", "base_url must be an absolute URL"],
  ["https://api.example.com/v2\u0000", "base_url must not contain white space or a backslash"],
  ["https://api.example.com/v2?key=hunter2", "base_url must not have a query or a fragment"],
  ["https://api.example.com/v2?", "base_url must not have a query or a fragment"],
  ["https://api.example.com/v2#hunter2", "base_url must not have a query or a fragment"],
  ["https://api.example.com/v2#", "base_url must not have a query or a fragment"],
  ["https://api.example.com/auth", 'base_url must end before "/auth"'],
  ["https://api.example.com/v2/auth/", 'base_url must end before "/auth"'],
  ["https://api.example.com/v2/AUTH", 'base_url must end before "/auth"'],
  ["https://api.example.com/v2/auth/tokens", 'base_url must end before "/auth"'],
  ["https://api.example.com/v2/auth/tokens/long", 'base_url must end before "/auth"'],
  [" https://api.example.com/v2", "base_url must not contain white space or a backslash"],
  ["https://api.example.com/v2\n", "base_url must not contain white space or a backslash"],
  ["https:\\\\api.example.com\\v2", "base_url must not contain white space or a backslash"],
  ["api.example.com/v2", "base_url must be an absolute URL"],
  ["/v2", "base_url must be an absolute URL"],
  ["mailto:hunter2", "base_url must be an absolute URL"],
  ["", "base_url must be an absolute URL"],
])("refuses %j, with the rule and without the value", (text, rule) => {
  const parse = () => parseBaseUrl(text);
  expect(parse).toThrow(PermanentError);
  expect(parse).toThrow(expect.objectContaining({ code: "invalid_base_url", message: expect.stringContaining(rule) }));
  expect(parse).not.toThrow(/hunter2|example\.com/);
});

it.each([
  ["https://api.example.com", "https://api.example.com/auth/tokens/long"],
  ["https://api.example.com/v2", "https://api.example.com/v2/auth/tokens/long"],
])("puts the auth paths below %s", (base, href) => {
  expect(endpoint(parseBaseUrl(base), "auth", "tokens", "long").href).toBe(href);
});

it("encodes what it puts into a path", () => {
  expect(endpoint(new URL("https://api.example.com/v2"), "a/b?c#d", "é").href).toBe(
    "https://api.example.com/v2/a%2Fb%3Fc%23d/%C3%A9",
  );
});

it("a problem can be had as a result, for messages that name another key", () => {
  expect(readBaseUrl("http://c2m.example")).toEqual({ problem: expect.stringMatching(/^must start with https/) });
  expect(readBaseUrl("https://c2m.example/v2")).toEqual(new URL("https://c2m.example/v2"));
});

it.each(["https://C2M.example/v2", "https://c2m.example/v2/", "HTTPS://c2m.example:443/v2//"])(
  "%s has the one text of its base URL",
  (text) => expect(baseUrlText(parseBaseUrl(text))).toBe("https://c2m.example/v2"),
);

it("what the parser finds a password in is never taken, and never told", () => {
  const part = fc.constantFrom(
    "https:",
    "http:",
    "/",
    "//",
    "\\",
    "@",
    ":",
    "user",
    "hunter2",
    "127.0.0.1",
    "c2m.example",
    "v2",
    "?",
    "#",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 9 }), (parts) => {
      const text = parts.join("");
      const url = readBaseUrl(text);
      if ("problem" in url) expect(url.problem).not.toContain("hunter2");
      else expect([url.username, url.password, /@/.test(url.host)]).toEqual(["", "", false]);
    }),
  );
});
