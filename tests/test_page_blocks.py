"""What of a page is run, and what is not."""

from pathlib import Path

import pytest

from pages import blocks

PAGE = """# A page

Text.

    one
    two  # with a remark

<!-- not run: needs AWS -->

    three

Text.

<!-- not run: asks questions -->

```sh
four
```

```yaml
five: 5
```

```
six

seven
```
<!-- not run: belongs to no block -->
Text.

    eight
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    return path


def test_indented_and_fenced_blocks_are_run_unless_a_comment_says_why_not(page: Path) -> None:
    found = [([line.text for line in block.lines], block.not_run) for block in blocks(page)]
    assert found == [
        (["one", "two  # with a remark"], ""),
        (["three"], "needs AWS"),
        (["four"], "asks questions"),
        (["six", "seven"], ""),
        (["eight"], ""),
    ]


def test_each_line_knows_its_number(page: Path) -> None:
    numbers = {line.text: line.number for block in blocks(page) for line in block.lines}
    assert {PAGE.splitlines()[number - 1].strip() for number in numbers.values()} == set(numbers)
