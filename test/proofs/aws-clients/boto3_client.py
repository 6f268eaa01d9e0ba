"""boto3 against `npm run local`.

Prints a line per check, `ok` or `not ok`; the status is 1 when one was not ok. Expects the exported AWS_... variables,
and SECRET_NAME, LOG_GROUP, FUNCTION_NAME of what is deployed.
"""

import json
import os
import sys
import time

import boto3
from botocore.exceptions import ClientError

failed = False


def client(service, **options):
    # Versions before 1.28 don't know AWS_ENDPOINT_URL.
    return boto3.client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"], **options)


def refusal(call, **arguments):
    """Code and message of the error that a call raises."""
    try:
        return call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]


def check(what, is_so, found=None):
    global failed
    if is_so:
        print(f"ok {what}")
    else:
        print(f"not ok {what}: found {found!r}")
        failed = True


secrets = client("secretsmanager")
logs = client("logs")
functions = client("lambda")
token_secret = os.environ["SECRET_NAME"]


def value(**which):
    answer = secrets.get_secret_value(**which)
    return answer.get("SecretString", answer.get("SecretBinary"))


created = secrets.create_secret(Name="boto3/app", SecretString="one", Tags=[{"Key": "team", "Value": "mail"}])
check("create_secret answers the name", created["Name"] == "boto3/app", created)
put = secrets.put_secret_value(SecretId="boto3/app", SecretString="two")
check("put_secret_value makes the new value current", put["VersionStages"] == ["AWSCURRENT"], put)
check("get_secret_value reads the current value", value(SecretId="boto3/app") == "two")
check("get_secret_value reads by label", value(SecretId="boto3/app", VersionStage="AWSPREVIOUS") == "one")
check("get_secret_value reads by ARN and version", value(SecretId=created["ARN"], VersionId=created["VersionId"]) == "one")
secrets.create_secret(Name="boto3/binary", SecretBinary=b"\x00\xff")
check("a binary value comes back as bytes", value(SecretId="boto3/binary") == b"\x00\xff")

pages = secrets.get_paginator("list_secrets").paginate(
    Filters=[{"Key": "name", "Values": ["boto3/"]}], PaginationConfig={"PageSize": 1}
)
names = [secret["Name"] for page in pages for secret in page["SecretList"]]
check("list_secrets filters by name, page by page", sorted(names) == ["boto3/app", "boto3/binary"], names)

try:
    secrets.get_secret_value(SecretId="boto3/none")
    check("a secret that is not there is an exception", False)
except secrets.exceptions.ResourceNotFoundException as error:
    message = error.response["Error"]["Message"]
    expected = "Secrets Manager can't find the specified secret."
    check("a secret that is not there is an exception, in AWS's words", message == expected, message)

batch = secrets.batch_get_secret_value(Filters=[{"Key": "name", "Values": ["boto3/"]}])
read = [secret["Name"] for secret in batch["SecretValues"]]
check("batch_get_secret_value reads by filters", read == ["boto3/app", "boto3/binary"] and batch["Errors"] == [], batch)
refused = refusal(secrets.batch_get_secret_value)
check("batch_get_secret_value without ids and filters is refused", refused[0] == "InvalidParameterException", refused)
secrets.untag_resource(SecretId="boto3/app", TagKeys=["team"])
tags = secrets.describe_secret(SecretId="boto3/app").get("Tags")
check("describe_secret has an empty list when the last tag is removed", tags == [], tags)
twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
refused = refusal(secrets.tag_resource, SecretId="boto3/app", Tags=twice)
check("tag_resource refuses a key twice", refused[0] == "InvalidParameterException", refused)
policy = {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
validated = secrets.validate_resource_policy(SecretId="boto3/app", ResourcePolicy=document)
check("validate_resource_policy does not pass what lets everybody in", not validated["PolicyValidationPassed"], validated)
password = secrets.get_random_password(PasswordLength=40, ExcludeNumbers=True, ExcludePunctuation=True)["RandomPassword"]
check("get_random_password makes what was asked for", len(password) == 40 and password.isalpha())

there = client("secretsmanager", region_name="eu-west-1")
added = secrets.replicate_secret_to_regions(SecretId="boto3/app", AddReplicaRegions=[{"Region": "eu-west-1"}])
check("replicate_secret_to_regions makes a replica", added["ReplicationStatus"][0]["Status"] == "InSync", added)
replica = there.get_secret_value(SecretId=created["ARN"].replace(secrets.meta.region_name, "eu-west-1"))
check("get_secret_value reads the replica in its region", replica["SecretString"] == "two", replica)
refused = refusal(there.tag_resource, SecretId="boto3/app", Tags=[{"Key": "a", "Value": "1"}])
check("a replica refuses to be changed", refused[0] == "InvalidParameterException", refused)
there.stop_replication_to_replica(SecretId="boto3/app")
there.put_secret_value(SecretId="boto3/app", SecretString="of its own")
check("stop_replication_to_replica makes it a secret of its own", value(SecretId="boto3/app") == "two")
there.delete_secret(SecretId="boto3/app", ForceDeleteWithoutRecovery=True)

for service, operation in [("iam", "list_roles"), ("ec2", "describe_vpcs"), ("s3", "list_buckets")]:
    refused = refusal(getattr(client(service), operation))
    check(f"{service} is told to be not there", "is not served here" in refused[1], refused)

before = json.loads(value(SecretId=token_secret))
rotation = secrets.rotate_secret(SecretId=token_secret)["VersionId"]
deadline = time.monotonic() + 30
while rotation != secrets.get_secret_value(SecretId=token_secret)["VersionId"] and time.monotonic() < deadline:
    pass
after = json.loads(value(SecretId=token_secret, VersionId=rotation, VersionStage="AWSCURRENT"))
check("rotate_secret makes the version that it answers current", after["token_id"] != before["token_id"])
described = secrets.describe_secret(SecretId=token_secret)
check("describe_secret tells dates as such", described["NextRotationDate"] > described["CreatedDate"], described)
versions = secrets.list_secret_version_ids(SecretId=token_secret)["Versions"]
stages = sorted(stage for version in versions for stage in version["VersionStages"])
check("list_secret_version_ids shows the labels", "AWSCURRENT" in stages and "AWSPREVIOUS" in stages, stages)

pattern = '{ $.message = "token.promoted" && $.version_id = "%s" }' % rotation
events = logs.filter_log_events(logGroupName=os.environ["LOG_GROUP"], filterPattern=pattern)["events"]
check("filter_log_events finds the promotion by a JSON pattern", len(events) == 1, events)
invoked = functions.invoke(FunctionName=os.environ["FUNCTION_NAME"], Payload=b'{"scope": "all"}')
report = json.load(invoked["Payload"])
check("invoke hands the payload to the function and its answer back", report.get("scope") == "all", report)
failure = functions.invoke(FunctionName=os.environ["FUNCTION_NAME"], Payload=b'{"scope": "some"}')
check("invoke tells a function's error", failure.get("FunctionError") == "Unhandled", failure)

cloudwatch = client("cloudwatch")
rotation_name = os.environ["FUNCTION_NAME"].removesuffix("-reconciler")
if "json" in cloudwatch.meta.service_model.metadata.get("protocols", []):
    pages = cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=f"{rotation_name}-rota", PaginationConfig={"PageSize": 1}
    )
    alarms = [alarm["AlarmName"].removeprefix(f"{rotation_name}-") for page in pages for alarm in page["MetricAlarms"]]
    expected = ["rotation-too-late", "rotator-errors"]
    check("describe_alarms finds alarms by their prefix, page by page", sorted(alarms) == expected, alarms)
    try:
        cloudwatch.describe_alarms(NextToken="none")
        check("a token of CloudWatch that is none is an exception", False)
    except cloudwatch.exceptions.InvalidNextToken:
        check("a token of CloudWatch that is none is an exception", True)
else:
    print("(this version asks CloudWatch in the query protocol, which is not served)")

for name in ["boto3/app", "boto3/binary"]:
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
left = secrets.list_secrets(Filters=[{"Key": "name", "Values": ["boto3/"]}])["SecretList"]
check("delete_secret deletes", left == [], left)
sys.exit(1 if failed else 0)
