#!/bin/sh
# Make what compose.yaml reads and git does not: .env, the settings, and a file for each secret.
# Passwords are drawn; whatever exists already is kept. `./prepare.sh escriba.example.org`
set -eu
cd "$(dirname "$0")"
host=${1:-localhost}

copy() {  # FROM TO
    [ -e "$2" ] || sed "s/^ESCRIBA_HOST=.*/ESCRIBA_HOST=$host/" "$1" > "$2"
}
secret() {  # NAME VALUE: the folder keeps others out; a container's user must be able to read
    [ -e "secrets/$1" ] || printf '%s' "$2" > "secrets/$1"
    chmod 0444 "secrets/$1"
}
random() {  # as many hexadecimal digits
    od -An -N$(($1 / 2)) -tx1 /dev/urandom | tr -d ' \n'
}

copy example.env .env
copy example.escriba.env escriba.env
copy example.oidc.env oidc.env
mkdir -p secrets
chmod 0700 secrets
secret postgres_password "$(random 32)"
secret dagster_postgres_url "postgresql://escriba:$(cat secrets/postgres_password)@postgres/dagster"
secret ui_password "$(random 24)"
secret grafana_password "$(random 24)"
secret metrics_token "$(random 32)"
secret oidc_cookie_secret "$(random 32)"
for name in runpod_api_key openai_api_key pyannote_ai_api_key huggingface_token aws_access_key_id \
    aws_secret_access_key azure_storage_key smtp_password oidc_client_secret alert_webhook; do
    secret "$name" ""
done
echo "Ready: docker compose up -d --wait, then https://$host with the password in secrets/ui_password."
