#!/usr/bin/env bash
# Puts the documents of the installed packages into one folder: collect.sh FOLDER
set -euo pipefail
packages="$(dirname "$0")/node_modules"
mkdir -p "$1"
cp "$packages/@blockfrost/openapi/openapi.yaml" "$1/blockfrost.yaml"
cp "$packages/@digdir/dialogporten-schema/swagger.verified.json" "$1/dialogporten.json"
cp "$packages/@directus/specs/dist/openapi.json" "$1/directus.json"
cp "$packages/@ideal-postcodes/openapi/dist/openapi.yaml" "$1/ideal-postcodes.yaml"
cp "$packages/@octokit/openapi/generated/api.github.com.json" "$1/github.json"
cp "$packages/@scalar/galaxy/dist/3.1.yaml" "$1/galaxy-3.1.yaml"
