import re
import uuid

from mlops_foundation.core import clock


def test_now_has_a_zone_and_goes_on() -> None:
    first, second = clock.now(), clock.now()
    assert first.utcoffset().total_seconds() == 0  # type: ignore[union-attr]
    assert first <= second


def test_ids_are_random_uuids() -> None:
    ids = {clock.new_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(uuid.UUID(each).version == 4 and str(uuid.UUID(each)) == each for each in ids)


def test_tokens_have_the_length_and_alphabet_that_were_asked_for() -> None:
    tokens = {clock.new_token(20, "AB") for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch("[AB]{20}", each) for each in tokens)
    assert re.fullmatch("[a-z0-9]{12}", clock.new_token())
