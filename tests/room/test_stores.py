"""The contract of a store, held by both: what a room promises its voters and its driver."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from app.room.redis_store import RedisStore
from app.room.room import CLOSED, OPEN, REVEALED, NoRoom, Refused
from app.room.sqlite_store import SQLiteStore
from app.room.store import LIFETIME, Mark, Store
from tests.room.class_room import run_alone

Body = Callable[[Store], Awaitable[None]]
Opening = Callable[..., Store]
codes = (f"T{n:04}" for n in itertools.count())


@pytest.fixture(params=["sqlite", "redis"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    """Opens the same store anew each time it is called."""
    if request.param == "sqlite":
        return lambda lifetime=LIFETIME: SQLiteStore(tmp_path / "rooms.sqlite", lifetime)
    url = request.getfixturevalue("redis_url")
    return lambda lifetime=LIFETIME: RedisStore(url, lifetime)


def run(opening: Opening, body: Body, lifetime: float = LIFETIME) -> None:
    async def whole() -> None:
        store = opening(lifetime)
        try:
            await body(store)
        finally:
            await store.close_store()

    run_alone(whole())


async def opened(store: Store, questions: int = 0) -> str:
    code = next(codes)
    assert await store.create(code, "hash", "secret")
    for n in range(questions):
        assert await store.ask(code, f"Question {n + 1}?", ("left", "right", "both")) == n + 1
    return code


async def refusal(request: Awaitable[object]) -> tuple[str, int]:
    with pytest.raises(Refused) as caught:
        await request
    line = str(caught.value)
    assert "\n" not in line
    return line, caught.value.status


def test_a_room_holds_what_was_put_in_and_a_code_is_given_once(opening):
    async def body(store):
        code = await opened(store)
        assert not await store.create(code, "other", "other")
        room = await store.state(code)
        assert (room.driver, room.secret, room.version, room.questions) == ("hash", "secret", 1, ())
        about = {"comparison": 2, "replies": [0, 3], "said": "„ü“ <b>"}
        assert await store.ask(code, "Which?", ("a", "b"), 0, 0, about) == 1
        assert await store.ask(code, "Again?", ("a", "b"), 0, 1) == 2
        first, second = (await store.state(code)).questions
        assert (first.text, first.answers, first.status, first.about) == ("Which?", ("a", "b"), CLOSED, about)
        assert (second.number, second.again, second.status) == (2, 1, OPEN)
        assert "letters" in (await refusal(store.state("NONE")))[0]
        assert (await refusal(store.ask(code, "?", ("a", "b"), again=7)))[1] == 404

    run(opening, body)


def test_each_voter_counts_once_and_the_last_answer_holds(opening):
    async def body(store):
        code = await opened(store, 1)
        for answer in (0, 0, 2, 1, 1):
            await store.vote(code, 1, "ann", answer)
        await store.vote(code, 1, "bob", 1)
        await store.vote(code, 1, "eve", 0)
        assert await store.tally(code) == {(1, 1): 2, (1, 0): 1}
        assert await store.vote_of(code, 1, "ann") == 1
        assert await store.vote_of(code, 1, "who") is None
        other = await opened(store, 1)
        assert await store.tally(other) == {}
        assert await store.vote_of(other, 1, "ann") is None

    run(opening, body)


def test_votes_at_once_are_neither_lost_nor_doubled(opening):
    async def body(store):
        code, draw = await opened(store, 1), random.Random(0)
        votes = [(f"v{n % 150}", draw.randrange(3)) for n in range(600)]  # each voter four times
        last = dict(votes)
        for part in range(0, 600, 150):  # a voter's own votes follow each other
            await asyncio.gather(*(store.vote(code, 1, v, a) for v, a in votes[part : part + 150]))
        counts = await store.tally(code)
        assert counts == {(1, a): sum(v == a for v in last.values()) for a in set(last.values())}

    run(opening, body)


def test_what_is_not_open_takes_no_vote(opening):
    async def body(store):
        code = await opened(store, 2)
        assert await refusal(store.vote(code, 1, "ann", 0)) == (
            "This question is closed: the vote came too late.",
            409,
        )
        for question in (0, 3, -1, 10**9):
            assert (await refusal(store.vote(code, question, "ann", 0)))[1] == 404
        for answer in (-1, 3, 10**9):
            assert (await refusal(store.vote(code, 2, "ann", answer)))[1] == 400
        assert (await refusal(store.vote("NONE", 1, "ann", 0)))[1] == 404
        await store.vote(code, 2, "ann", 0)
        await store.close(code, 2)
        assert (await refusal(store.vote(code, 2, "ann", 1)))[1] == 409
        assert await store.tally(code) == {(2, 0): 1}

    run(opening, body)


def test_reveal_comes_after_close_and_each_is_one_version(opening):
    async def body(store):
        code = await opened(store, 1)
        assert "Close the question" in (await refusal(store.reveal(code, 1)))[0]
        version = (await store.state(code)).version
        await store.close(code, 1)
        assert (await store.state(code)).questions[0].status == CLOSED
        await store.reveal(code, 1)
        room = await store.state(code)
        assert (room.questions[0].status, room.version) == (REVEALED, version + 2)
        await store.close(code, 1)  # what is revealed stays so
        assert (await store.state(code)).questions[0].status == REVEALED

    run(opening, body)


def test_a_countdown_closes_by_itself(opening):
    async def body(store):
        code = await opened(store)
        await store.ask(code, "Quick?", ("yes", "no"), seconds=0.4)
        await store.vote(code, 1, "ann", 0)
        assert (await store.state(code)).questions[0].status == OPEN
        await asyncio.sleep(0.45)
        assert (await store.state(code)).questions[0].status == CLOSED
        assert (await refusal(store.vote(code, 1, "ann", 1)))[1] == 409
        await store.reveal(code, 1)
        assert await store.tally(code) == {(1, 0): 1}

    run(opening, body)


def test_wait_returns_what_changed_and_only_that(opening):
    async def body(store):
        still, moving = await opened(store), await opened(store)
        known = await store.marks([still, moving, "NONE"])
        assert known == {still: Mark(1, 0), moving: Mark(1, 0)}
        assert await store.wait(known, 0.0) == {}
        waiting = asyncio.create_task(store.wait(known, 5.0))
        await store.ask(moving, "?", ("a", "b"))
        assert await waiting == {moving: Mark(2, 0)}
        await store.vote(moving, 1, "ann", 0)
        await store.step(moving, 17)
        await store.step("NONE", 17)  # no room comes from it
        assert await store.marks([moving, "NONE"]) == {moving: Mark(2, 17)}  # a vote tells nobody
        assert await store.wait({moving: Mark(1, 0), "NONE": Mark(1, 0)}, 0) == {
            moving: Mark(2, 17),
            "NONE": None,
        }

    run(opening, body)


def test_the_picture_on_show(opening):
    async def body(store):
        code = await opened(store)
        assert await store.picture(code) == ""
        room = await store.show(code, '{"bars": "ü"}')
        assert room.picture == room.version == 2
        await store.ask(code, "?", ("a", "b"))
        assert (await store.state(code)).picture == 2
        assert await store.picture(code) == '{"bars": "ü"}'
        assert (await store.show(code, "")).picture == 0
        assert await store.picture(code) == ""

    run(opening, body)


def test_phones_are_counted_over_servers(opening):
    async def body(store):
        code = await opened(store)
        assert await store.present(code, "one", 3) == 3
        assert await store.present(code, "two", 4) == 7
        assert await store.present(code, "one", 1) == 5

    run(opening, body)


def test_end_leaves_nothing(opening):
    async def body(store):
        code = await opened(store, 2)
        await store.vote(code, 2, "ann", 1)
        await store.show(code, "picture")
        await store.end(code)
        await store.end(code)
        with pytest.raises(NoRoom):
            await store.state(code)
        assert await store.create(code, "hash", "secret")  # the code is free, and nothing is left in it
        await store.ask(code, "?", ("a", "b"))
        await store.ask(code, "?", ("a", "b"))
        assert await store.tally(code) == {}
        assert await store.vote_of(code, 2, "ann") is None
        assert await store.picture(code) == ""

    run(opening, body)


def test_a_forgotten_room_goes(opening):
    async def body(store):
        code = await opened(store, 1)
        await store.vote(code, 1, "ann", 0)
        await asyncio.sleep(0.7)
        with pytest.raises(NoRoom):
            await store.state(code)
        assert await store.marks([code]) == {}
        await store.expire()
        assert await store.create(code, "hash", "secret")
        await store.ask(code, "?", ("a", "b"))
        assert await store.tally(code) == {}

    run(opening, body, lifetime=0.6)
    assert LIFETIME == 24 * 60 * 60


def test_another_opening_of_the_store_finds_it_all(opening):
    found = []

    async def first(store):
        code = await opened(store, 1)
        await store.vote(code, 1, "ann", 2)
        await store.step(code, 5)
        found.append(code)

    async def second(store):
        (code,) = found
        assert await store.tally(code) == {(1, 2): 1}
        assert await store.marks([code]) == {code: Mark(2, 5)}

    run(opening, first)
    run(opening, second)


def test_changes_at_once_are_all_kept(opening):
    async def body(store):
        code = await opened(store)
        numbers = await asyncio.gather(*(store.ask(code, f"{n}?", ("a", "b")) for n in range(12)))
        room = await store.state(code)
        assert sorted(numbers) == list(range(1, 13))
        assert (len(room.questions), room.version) == (12, 13)
        assert sum(q.status == OPEN for q in room.questions) == 1

    run(opening, body)
