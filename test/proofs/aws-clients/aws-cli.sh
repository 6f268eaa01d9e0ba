#!/bin/sh
# The AWS CLI, version 1 or 2, against `npm run local`. Prints a line per check, `ok` or `not ok`; the status is 1 when
# one was not ok. Expects the exported AWS_… variables, and SECRET_NAME, LOG_GROUP, FUNCTION_NAME of what is deployed.
set -u
export AWS_PAGER=""
failed=0
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# Versions before 1.29 and 2.13 don't know AWS_ENDPOINT_URL.
call() { aws --endpoint-url "$AWS_ENDPOINT_URL" --output text "$@"; }

# is WHAT EXPECTED ACTUAL
is() {
  if [ "$2" = "$3" ]; then
    echo "ok $1"
  else
    echo "not ok $1: expected '$2', found '$3'"
    failed=1
  fi
}

value() { call secretsmanager get-secret-value --secret-id "$@" --query SecretString; }

arn=$(call secretsmanager create-secret --name cli/app --secret-string one --query ARN)
case $arn in arn:aws:secretsmanager:*:secret:cli/app-??????) shape=arn ;; *) shape=$arn ;; esac
is "create-secret answers an ARN" arn "$shape"
is "put-secret-value makes the new value current" AWSCURRENT \
  "$(call secretsmanager put-secret-value --secret-id cli/app --secret-string two --query VersionStages)"
is "get-secret-value reads the current value" two "$(value cli/app)"
is "get-secret-value reads by label" one "$(value cli/app --version-stage AWSPREVIOUS)"
is "get-secret-value reads by ARN" two "$(value "$arn")"
is "list-secrets filters by name" cli/app \
  "$(call secretsmanager list-secrets --filters Key=name,Values=cli/ --query 'SecretList[].Name')"
secrets() { call secretsmanager "$@"; }
is "batch-get-secret-value reads by ids, and tells what it can't read" "two	ResourceNotFoundException" \
  "$(secrets batch-get-secret-value --secret-id-list cli/app cli/none \
    --query '[SecretValues[0].SecretString,Errors[0].ErrorCode]')"
is "batch-get-secret-value without ids and filters is refused" \
  "Either 'SecretIdList' or 'Filters' must be provided, but not both." \
  "$(secrets batch-get-secret-value 2>&1 | grep -o 'Either.*')"
secrets tag-resource --secret-id cli/app --tags Key=team,Value=MailRoom
is "list-secrets finds a word of a tag, where its case changes" cli/app \
  "$(secrets list-secrets --filters Key=all,Values=room --query 'SecretList[].Name')"
secrets untag-resource --secret-id cli/app --tag-keys team
is "describe-secret has no tags when the last one is removed" "[]" \
  "$(call --output json secretsmanager describe-secret --secret-id cli/app --query Tags)"
statement='"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*"'
public="{\"Version\":\"2012-10-17\",\"Statement\":[{$statement,\"Principal\":\"*\"}]}"
is "validate-resource-policy does not pass what lets everybody in" False \
  "$(secrets validate-resource-policy --resource-policy "$public" --query PolicyValidationPassed)"
is "put-resource-policy refuses it, too, with --block-public-policy" PublicPolicyException \
  "$(secrets put-resource-policy --secret-id cli/app --resource-policy "$public" --block-public-policy 2>&1 |
    grep -o PublicPolicyException)"
is "get-random-password makes one of the length that was asked for" 20 \
  "$(printf %s "$(secrets get-random-password --password-length 20 --exclude-punctuation --query RandomPassword)" | wc -c | xargs)"
is "replicate-secret-to-regions makes a replica" InSync \
  "$(secrets replicate-secret-to-regions --secret-id cli/app --add-replica-regions Region=eu-west-1 \
    --query 'ReplicationStatus[0].Status')"
is "get-secret-value reads the replica in its region" two "$(value cli/app --region eu-west-1)"
is "put-secret-value on a replica is refused" "Operation not permitted on a replica secret." \
  "$(secrets put-secret-value --region eu-west-1 --secret-id cli/app --secret-string no 2>&1 |
    grep -o 'Operation not permitted on a replica secret\.')"
is "delete-secret is refused while there is a replica" "that still has replica regions [eu-west-1]" \
  "$(secrets delete-secret --secret-id cli/app 2>&1 | grep -o 'that still has.*')"
secrets remove-regions-from-replication --secret-id cli/app --remove-replica-regions eu-west-1 >"$answer"
is "delete-secret refuses a recovery window of 6 days" \
  "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)." \
  "$(secrets delete-secret --secret-id cli/app --recovery-window-in-days 6 2>&1 | grep -o 'The RecoveryWindow.*')"
for command in "iam list-roles" "ec2 describe-vpcs" "s3api list-buckets" "dynamodb list-tables"; do
  # shellcheck disable=SC2086
  is "$command is told that the service is not there" "is not served here" \
    "$(call $command 2>&1 | grep -o 'is not served here' | head -1)"
done
is "a secret that is not there is told in AWS's words" \
  "An error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: Secrets Manager can't find the specified secret." \
  "$(value cli/none 2>&1 | grep -o 'An error occurred.*')"

before=$(value "$SECRET_NAME")
rotation=$(call secretsmanager rotate-secret --secret-id "$SECRET_NAME" --query VersionId)
current=""
attempts=60
while [ "$current" != "$rotation" ] && [ "$attempts" -gt 0 ]; do
  attempts=$((attempts - 1))
  current=$(call secretsmanager get-secret-value --secret-id "$SECRET_NAME" --query VersionId)
done
is "rotate-secret makes the version that it answers current" "$rotation" "$current"
[ "$(value "$SECRET_NAME")" != "$before" ]
is "the rotated secret has another token" 0 $?
is "list-secret-version-ids shows the labels" "AWSCURRENT AWSPREVIOUS" \
  "$(call secretsmanager list-secret-version-ids --secret-id "$SECRET_NAME" --query 'Versions[].VersionStages[]' |
    tr '\t' '\n' | sort | xargs)"
is "describe-secret tells that rotation is on" True \
  "$(call secretsmanager describe-secret --secret-id "$SECRET_NAME" --query RotationEnabled)"

is "filter-log-events finds the promotion by a JSON pattern" 1 \
  "$(call logs filter-log-events --log-group-name "$LOG_GROUP" --query 'events[].message' \
    --filter-pattern "{ \$.message = \"token.promoted\" && \$.version_id = \"$rotation\" }" | grep -c token.promoted)"
is "lambda invoke runs the function" 200 \
  "$(call lambda invoke --function-name "$FUNCTION_NAME" --query StatusCode "$answer")"
is "lambda invoke writes the function's answer to the file" '"scope":' "$(grep -o '"scope":' "$answer")"
is "sts get-caller-identity tells the operator" "arn:aws:iam::123456789012:user/operator" \
  "$(call sts get-caller-identity --query Arn)"

alarms=$(call cloudwatch describe-alarms --alarm-name-prefix "${FUNCTION_NAME%-reconciler}-rota" --page-size 1 \
  --query 'MetricAlarms[].AlarmName' 2>&1)
case $alarms in
  *"(by the query protocol) is not served"*) echo "(this version asks CloudWatch in the query protocol, which is not served)" ;;
  *) is "cloudwatch describe-alarms finds alarms by their prefix, page by page" rotation-too-late,rotator-errors \
    "$(echo "$alarms" | tr '\t' '\n' | sed "s/^${FUNCTION_NAME%-reconciler}-//" | sort | paste -sd, -)" ;;
esac

call secretsmanager delete-secret --secret-id cli/app --force-delete-without-recovery >"$answer"
is "delete-secret deletes" "" "$(call secretsmanager list-secrets --filters Key=name,Values=cli/ --query 'SecretList[].Name')"
exit $failed
