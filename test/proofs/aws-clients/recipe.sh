#!/bin/sh
# The recipe for the shell of docs/reading-the-secret.md, as it stands there, against `npm run local` through a rotation.
# Prints a line per check, `ok` or `not ok`; the status is 1 when one was not ok. Expects the exported AWS_… variables.
set -u
export AWS_PAGER=""
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
page=$(cd "$(dirname "$0")/../../.." && pwd)/docs/reading-the-secret.md
sed -n '/^## Shell$/,/^## /p' "$page" | sed -n '/^```sh$/,/^```$/p' | sed '1d;$d' >"$folder/recipe.sh"
cd "$folder" || exit 1
. ./recipe.sh
failed=0

is() {
  if [ "$2" = "$3" ]; then
    echo "ok $1"
  else
    echo "not ok $1: expected '$2', found '$3'"
    failed=1
  fi
}

letter() {
  printf '{"docSourceAll":{"documentIdSource":{"documentId":%s}},"recipientAddressSource":{"singleAddress":{"firstName":"Ada","lastName":"Lovelace","address1":"1 Main Street","city":"Arlington","state":"VA","zip":"22201","country":"US"}}}' "$1" >"letter-$1.json"
  echo "letter-$1.json"
}

send_letter "$(letter 200001)"
is "the recipe sends a letter" "0 accepted" "$? $(jq -r .status answer.json)"

# A rotation with a grace of 0: the token that the recipe keeps is revoked as soon as the next one is current.
old=$secret
version=$(aws secretsmanager rotate-secret --secret-id c2m/api-token --query VersionId --output text)
attempts=60
while [ "$attempts" -gt 0 ]; do
  attempts=$((attempts - 1))
  new=$(aws secretsmanager get-secret-value --secret-id c2m/api-token --output json)
  [ "$(printf %s "$new" | jq -r .VersionId)" = "$version" ] && break
done
bearer=$(printf %s "$new" | jq -r '.SecretString | fromjson | .access_token')
curl --silent --output revoked.txt --request POST --header "Authorization: Bearer $bearer" \
  "$(printf %s "$old" | jq -r .base_url)/auth/tokens/$(printf %s "$old" | jq -r .token_id)/revoke"

is "a token that is kept without the 401 rule is dead after a rotation with grace 0" 401 "$(post_letter "$(letter 200002)")"
send_letter "$(letter 200003)"
is "the recipe sends the next letter with the new token" "0 accepted" "$? $(jq -r .status answer.json)"
echo '{}' >nothing.json
send_letter nothing.json && refused=0 || refused=$?
is "what C2M refuses is not taken for sent" 1 "$refused"
exit $failed
