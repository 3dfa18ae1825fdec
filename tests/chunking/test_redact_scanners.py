"""The tables are held against the rules of two scanners by name: gitleaks (config/gitleaks.toml) and detect-secrets."""

from __future__ import annotations

from planted_secrets import LISTS, planted

GITLEAKS = """
1password-secret-key 1password-service-account-token adafruit-api-key adobe-client-id adobe-client-secret age-secret-key
airtable-api-key algolia-api-key alibaba-access-key-id alibaba-secret-key anthropic-admin-api-key anthropic-api-key
artifactory-api-key artifactory-reference-token asana-client-id asana-client-secret atlassian-api-token
authress-service-client-access-key aws-access-token azure-ad-client-secret beamer-api-token bitbucket-client-id
bitbucket-client-secret bittrex-access-key bittrex-secret-key cisco-meraki-api-key clickhouse-cloud-api-secret-key
clojars-api-token cloudflare-api-key cloudflare-global-api-key cloudflare-origin-ca-key codecov-access-token
cohere-api-token coinbase-access-token confluent-access-token confluent-secret-key contentful-delivery-api-token
curl-auth-header curl-auth-user databricks-api-token datadog-access-token defined-networking-api-token
digitalocean-access-token digitalocean-pat digitalocean-refresh-token discord-api-token discord-client-id
discord-client-secret doppler-api-token droneci-access-token dropbox-api-token dropbox-long-lived-api-token
dropbox-short-lived-api-token duffel-api-token dynatrace-api-token easypost-api-token easypost-test-api-token
etsy-access-token facebook-access-token facebook-page-access-token facebook-secret fastly-api-token finicity-api-token
finicity-client-secret finnhub-access-token flickr-access-token flutterwave-encryption-key flutterwave-public-key
flutterwave-secret-key flyio-access-token frameio-api-token freemius-secret-key freshbooks-access-token gcp-api-key
generic-api-key github-app-token github-fine-grained-pat github-oauth github-pat github-refresh-token
gitlab-cicd-job-token gitlab-deploy-token gitlab-feature-flag-client-token gitlab-feed-token gitlab-incoming-mail-token
gitlab-kubernetes-agent-token gitlab-oauth-app-secret gitlab-pat gitlab-pat-routable gitlab-ptt gitlab-rrt
gitlab-runner-authentication-token gitlab-runner-authentication-token-routable gitlab-scim-token gitlab-session-cookie
gitter-access-token gocardless-api-token grafana-api-key grafana-cloud-api-token grafana-service-account-token
harness-api-key hashicorp-tf-api-token hashicorp-tf-password heroku-api-key heroku-api-key-v2 hubspot-api-key
huggingface-access-token huggingface-organization-api-token infracost-api-token intercom-api-key intra42-client-secret
jfrog-api-key jfrog-identity-token jwt jwt-base64 kraken-access-token kubernetes-secret-yaml kucoin-access-token
kucoin-secret-key launchdarkly-access-token linear-api-key linear-client-secret linkedin-client-id
linkedin-client-secret lob-api-key lob-pub-api-key mailchimp-api-key mailgun-private-api-token mailgun-pub-key
mailgun-signing-key mapbox-api-token mattermost-access-token maxmind-license-key messagebird-api-token
messagebird-client-id microsoft-teams-webhook netlify-access-token new-relic-browser-api-token new-relic-insert-key
new-relic-user-api-id new-relic-user-api-key notion-api-token npm-access-token nuget-config-password
nytimes-access-token octopus-deploy-api-key okta-access-token openai-api-key openshift-user-token perplexity-api-key
pkcs12-file plaid-api-token plaid-client-id plaid-secret-key planetscale-api-token planetscale-oauth-token
planetscale-password postman-api-token prefect-api-token private-key privateai-api-token pulumi-api-token
pypi-upload-token rapidapi-access-token readme-api-token rubygems-api-token scalingo-api-token sendbird-access-id
sendbird-access-token sendgrid-api-token sendinblue-api-token sentry-access-token sentry-org-token sentry-user-token
settlemint-application-access-token settlemint-personal-access-token settlemint-service-access-token shippo-api-token
shopify-access-token shopify-custom-access-token shopify-private-app-access-token shopify-shared-secret sidekiq-secret
sidekiq-sensitive-url slack-app-token slack-bot-token slack-config-access-token slack-config-refresh-token
slack-legacy-bot-token slack-legacy-token slack-legacy-workspace-token slack-user-token slack-webhook-url snyk-api-token
sonar-api-token sourcegraph-access-token square-access-token squarespace-access-token stripe-access-token
sumologic-access-id sumologic-access-token telegram-bot-api-token travisci-access-token twilio-api-key twitch-api-token
twitter-access-secret twitter-access-token twitter-api-key twitter-api-secret twitter-bearer-token typeform-api-token
vault-batch-token vault-service-token yandex-access-token yandex-api-key yandex-aws-access-token zendesk-secret-key
"""
DETECT_SECRETS = """
artifactory aws azure_storage_key basic_auth cloudant discord github_token gitlab_token ibm_cloud_iam ibm_cos_hmac
ip_public jwt keyword mailchimp npm openai private_key pypi_token sendgrid slack softlayer square_oauth stripe
telegram_token twilio high_entropy_strings
"""
RULES = {*GITLEAKS.split(), *DETECT_SECRETS.split()}
# What has no rule, and why.
MISSING = {
    "pkcs12-file": "speaks about a file's name, and no text holds the file",
    "ip_public": "an address is no secret",
    "high_entropy_strings": "hashes and ids stay readable; a value must stand in a place or behind a name",
    "freemius-secret-key": "a name with `secret` is enough, so the shape has no row of its own",
    "generic-api-key": "done by names (`masking/names.py`), judged in `masking/values.py`",
    "keyword": "done by names (`masking/names.py`), judged in `masking/values.py`",
}
ALSO = {  # rules whose planted secrets have another name here
    "aws": "aws-access-key", "artifactory": "artifactory-key", "sendinblue": "brevo", "jwt": "jwt", "npm": "npm",
    "microsoft": "teams-webhook", "hashicorp": "terraform-cloud", "curl": "curl-user", "cisco": "cisco-meraki",
    "flyio": "fly-io", "new": "newrelic", "basic_auth": "url-postgres", "cloudant": "softlayer", "private": "pem-pkcs8",
    "private_key": "pem-pkcs8", "nuget": "nuget-config", "travisci": "travis", "kubernetes": "k8s-secret",
    "azure_storage_key": "azure-storage", "github_token": "github-pat", "gitlab_token": "gitlab-pat",
    "ibm_cloud_iam": "ibm-iam", "ibm_cos_hmac": "ibm-cos-hmac", "pypi_token": "pypi", "square_oauth": "square",
    "telegram_token": "telegram-bot",
}  # fmt: skip


def test_every_rule_of_the_scanners_has_a_planted_secret_or_a_reason():
    """By the first part of a rule's name, which is the service; the planted secrets prove that it is masked."""
    kinds = {one.kind for group in LISTS for one in planted(group)}
    services = {kind.partition("-")[0] for kind in kinds}
    without = [
        rule
        for rule in RULES
        if rule not in MISSING
        and rule.partition("-")[0] not in services
        and ALSO.get(rule, ALSO.get(rule.partition("-")[0])) not in kinds
    ]
    assert not without


def test_the_reasons_are_about_rules_that_exist():
    """No reason is left over."""
    assert set(MISSING) <= RULES
