"""Keeps a C2M token fresh, from a program in Python."""

import pulumi
import pulumi_c2m_token_rotation as c2m

config = pulumi.Config()

rotation = c2m.TokenRotation(
    "mail",
    client_id=config.require("clientId"),
    client_secret=config.require_secret("clientSecret"),
    base_url=config.get("baseUrl") or "https://api.click2mail.com/v2",
    credentials_secret_name="mail/c2m-client",
    tokens=[c2m.TokenArgsArgs(name="mail/c2m-token", schedule="rate(20 days)", grace="2 hours")],
    alarm_emails=["ops@example.com"],
)

pulumi.export("tokenSecretArns", rotation.token_secret_arns)
pulumi.export("readCommands", rotation.read_commands)
