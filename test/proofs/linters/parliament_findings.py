"""Prints what parliament finds in policies: reads {name: policy as JSON} from the standard input, prints [{id, policy, detail}]."""

import json
import sys

from parliament import analyze_policy_string

findings = []
for name, policy in json.load(sys.stdin).items():
    for finding in analyze_policy_string(policy).findings:
        findings.append({"id": finding.issue, "policy": name, "detail": str(finding.detail)})
json.dump(findings, sys.stdout)
