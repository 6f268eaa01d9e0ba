"""The recipe for Python of docs/reading-the-secret.md, as it stands there, against `npm run local` through a rotation.

Prints a line per check, `ok` or `not ok`; the status is 1 when one was not ok. Expects the exported AWS_... variables.
"""

import json
import pathlib
import re
import sys
import time
import urllib.error
import urllib.request

page = pathlib.Path(__file__).parents[3] / "docs" / "reading-the-secret.md"
recipe = re.search(r"^## Python\n+```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.S | re.M).group(1)
app = {"__name__": "recipe"}
exec(compile(recipe, str(page), "exec"), app)
failed = False


def check(what, is_so, found=None):
    global failed
    print(f"ok {what}" if is_so else f"not ok {what}: found {found!r}")
    failed = failed or not is_so


def letter(number):
    address = {"firstName": "Ada", "lastName": "Lovelace", "address1": "1 Main Street", "city": "Arlington"}
    address.update(state="VA", zip="22201", country="US")
    source = {"documentIdSource": {"documentId": number}}
    return {"docSourceAll": source, "recipientAddressSource": {"singleAddress": address}}


def rotate_and_revoke():
    """A rotation with a grace of 0: the token that was current is dead when this returns."""
    secrets = app["secrets"]
    before = json.loads(secrets.get_secret_value(SecretId=app["SECRET"])["SecretString"])
    version = secrets.rotate_secret(SecretId=app["SECRET"])["VersionId"]
    deadline = time.monotonic() + 30
    while version != secrets.get_secret_value(SecretId=app["SECRET"])["VersionId"] and time.monotonic() < deadline:
        time.sleep(0.1)
    after = json.loads(secrets.get_secret_value(SecretId=app["SECRET"])["SecretString"])
    url = f"{before['base_url']}/auth/tokens/{before['token_id']}/revoke"
    headers = {"Authorization": f"Bearer {after['access_token']}"}
    urllib.request.urlopen(urllib.request.Request(url, b"", headers, method="POST"))
    return before


first = app["send_letter"](letter(100_001))
check("the recipe sends a letter", first["status"] == "accepted", first)
dead = rotate_and_revoke()
try:
    app["post"]("/static", letter(100_002), dead)
    check("a token that is kept without the 401 rule is dead after a rotation with grace 0", False)
except urllib.error.HTTPError as error:
    check("a token that is kept without the 401 rule is dead after a rotation with grace 0", error.code == 401, error)
second = app["send_letter"](letter(100_003))
check("the recipe sends the next letter with the new token", second["status"] == "accepted", second)
try:
    app["send_letter"]({"docSourceAll": 1})
    check("what C2M refuses is raised", False)
except urllib.error.HTTPError as error:
    check("what C2M refuses is raised", error.code in (400, 422), error)
sys.exit(1 if failed else 0)
