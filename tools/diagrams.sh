#!/bin/sh
# Draw docs/diagrams/*.dot with graphviz (Debian, Ubuntu: apt-get install graphviz). The pictures are committed: readers
# of the pages and CI need no graphviz. Each carries the digest of its drawing, by which a test knows an old one.
set -eu
cd "$(dirname "$0")/../docs/diagrams"
for drawing in *.dot; do
    name=${drawing%.dot}
    dot -Tsvg "$drawing" | sed -e '/^<!DOCTYPE/,/>$/d' -e '/^<!--.*-->$/d' -e '/^<!-- Generated/,/-->$/d' >"$name.svg"
    echo "<!-- drawing $(sha256sum <"$drawing" | cut -c -64) -->" >>"$name.svg"
    echo "$name.svg"
done
