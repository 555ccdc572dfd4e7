# Sourced at the start of a build: where the project has a private package index, pip and uv use it.
# The environment names it; without those variables nothing happens. The token is never printed.
if [ -n "${CODEARTIFACT_DOMAIN:-}" ]; then
    domain="--domain $CODEARTIFACT_DOMAIN --domain-owner $CODEARTIFACT_DOMAIN_OWNER"
    token="$(aws codeartifact get-authorization-token $domain --duration-seconds 3600 \
        --query authorizationToken --output text)" || return 1
    endpoint="$(aws codeartifact get-repository-endpoint $domain --repository "$CODEARTIFACT_REPOSITORY" \
        --format pypi --query repositoryEndpoint --output text)" || return 1
    PIP_INDEX_URL="${endpoint%%://*}://aws:$token@${endpoint#*://}simple/"
    UV_DEFAULT_INDEX="$PIP_INDEX_URL"
    export PIP_INDEX_URL UV_DEFAULT_INDEX
    unset domain token endpoint
fi
