"""AWS's caching client for Python against `npm run local`.

Prints a line per check, `ok` or `not ok`; the status is 1 when one was not ok. Expects the exported AWS_... variables,
and SECRET_NAME of what is deployed.
"""

import json
import os
import sys
import time

import boto3
from aws_secretsmanager_caching import SecretCache, SecretCacheConfig

failed = False
name = os.environ["SECRET_NAME"]
secrets = boto3.client("secretsmanager", endpoint_url=os.environ["AWS_ENDPOINT_URL"])


def check(what, is_so):
    global failed
    print(f"ok {what}" if is_so else f"not ok {what}")
    failed = failed or not is_so


def token_id(text):
    return json.loads(text)["token_id"]


cache = SecretCache(config=SecretCacheConfig(), client=secrets)
first = token_id(cache.get_secret_string(name))
current = token_id(secrets.get_secret_value(SecretId=name)["SecretString"])
check("get_secret_string reads the current token", first == current)

rotation = secrets.rotate_secret(SecretId=name)["VersionId"]
deadline = time.monotonic() + 30
while rotation != secrets.get_secret_value(SecretId=name)["VersionId"] and time.monotonic() < deadline:
    pass
check("get_secret_string keeps what it has after a rotation, for its hour", token_id(cache.get_secret_string(name)) == first)
check("refresh_secret_now succeeds", cache.refresh_secret_now(name))
current = token_id(secrets.get_secret_value(SecretId=name)["SecretString"])
refreshed = token_id(cache.get_secret_string(name))
check("then get_secret_string reads the new token", refreshed == current != first)
check("and the label the one before", token_id(cache.get_secret_string(name, "AWSPREVIOUS")) == first)

eager = SecretCache(config=SecretCacheConfig(secret_refresh_interval=0), client=secrets)
check("a cache that keeps nothing reads the new token", token_id(eager.get_secret_string(name)) == current)

secrets.create_secret(Name="caching/binary", SecretBinary=b"\x00\xff")
check("get_secret_binary reads bytes", cache.get_secret_binary("caching/binary") == b"\x00\xff")
secrets.delete_secret(SecretId="caching/binary", ForceDeleteWithoutRecovery=True)
try:
    cache.get_secret_string("caching/none")
    check("a secret that is not there is an exception", False)
except secrets.exceptions.ResourceNotFoundException:
    check("a secret that is not there is an exception", True)
sys.exit(1 if failed else 0)
