#!/bin/sh
# Pins each base image to what its tag names today: rewrites "name:tag" to "name:tag@sha256:…" in the Dockerfiles and in
# compose.yaml, and renews digests that stand there. Mattermost's tag is a variable of compose; for it a line is printed.
# Needs Docker with buildx and a registry that can be reached. Look at `git diff` and build before you commit.
set -eu
cd "$(dirname "$0")"

digest() {
  docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$1"
}

for file in Dockerfile proxy/Dockerfile compose.yaml; do
  sed -nE 's/^(FROM|[[:space:]]*image:)[[:space:]]+([a-z][a-z0-9./-]*:[A-Za-z0-9._-]+)(@sha256:[0-9a-f]+)?([[:space:]].*)?$/\2/p' "$file" | sort -u |
    while read -r image; do
      pinned="$image@$(digest "$image")"
      pattern=$(printf '%s' "$image" | sed 's/[.]/\\./g')
      sed -E "s#(^|[[:space:]])$pattern(@sha256:[0-9a-f]+)?([[:space:]]|\$)#\\1$pinned\\3#" "$file" > "$file.new"
      cat "$file.new" > "$file"
      rm "$file.new"
      echo "$file: $pinned"
    done
done

mattermost=$(sed -nE 's/.*image: (mattermost[^:]*):\$\{MATTERMOST_TAG:-([^}@]+).*/\1:\2/p' compose.yaml)
echo "for deploy/.env: MATTERMOST_TAG=${mattermost#*:}@$(digest "$mattermost")"
