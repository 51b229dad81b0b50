"""What phones and drivers may and may not do, asked over HTTP."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from app.room import keys
from app.room.sqlite_store import SQLiteStore
from tests.room.class_room import Phone, call, with_room


@pytest.fixture
def room(tmp_path: Path):
    return lambda body: with_room(lambda: SQLiteStore(tmp_path / "rooms.sqlite"), body)


def refused(answer, status, words):
    assert answer[0] == status, answer
    assert words in answer[1]["error"], answer
    assert "\n" not in answer[1]["error"]


def test_a_question_from_asking_to_the_second_round(room):
    async def body(driver):
        phones = [await driver.phone() for _ in range(5)]
        first = await driver.ask("yes", "no")
        for phone, answer in zip(phones, (0, 0, 0, 1, 1), strict=True):
            assert await phone.vote(first, answer) == (200, {"question": first, "vote": answer})
        await phones[3].vote(first, 0)
        seen = await phones[3].state()
        assert (seen["vote"], seen["question"]["status"]) == (0, "open")
        assert "result" not in seen["question"]
        await driver.do("close", question=first)
        seen = await phones[3].state(4)
        assert seen["question"]["status"] == "closed"
        assert "result" not in seen["question"]
        _, state = await driver.do("reveal", question=first)
        assert [row["votes"] for row in state["questions"][0]["result"]] == [4, 1]
        seen = await phones[3].state()
        assert [row["votes"] for row in seen["question"]["result"]] == [4, 1]
        assert seen["question"]["result"][0]["share"] == 0.8
        second = await driver.ask("yes", "no", again=first)
        seen = await phones[3].state()
        assert (seen["question"]["again"], seen["vote"]) == (True, None)
        await phones[0].vote(second, 1)
        await driver.do("close", question=second)
        await driver.do("reveal", question=second)
        question = (await phones[4].state())["question"]
        assert [row["votes"] for row in question["result"]] == [0, 1]
        assert [row["votes"] for row in question["before"]] == [4, 1]

    room(body)


def test_a_voter_cannot_read_before_its_time_nor_drive(room):
    async def body(driver):
        phone = await driver.phone()
        number = await driver.ask()
        await phone.vote(number, 1)
        for path in ("driver", "votes.csv", "qr"):
            answer = await call(driver.client, "GET", f"/r/{driver.code}/{path}", phone.voter)
            refused(answer, 403, "Only the driver")
        for what in ("ask", "close", "reveal", "show", "step", "end"):
            document = {"do": what, "question": number, "step": 1, "text": "?", "answers": ["a", "b"]}
            for token in (phone.voter, "", "guessed", driver.token[:-1]):
                answer = await call(driver.client, "POST", f"/r/{driver.code}/drive", token, document)
                refused(answer, 403, "Only the driver")
        assert (await driver.state())["questions"][0]["status"] == "open"

    room(body)


def test_what_is_wrong_is_refused_in_one_line(room):
    async def body(driver):
        phone = await driver.phone()
        number = await driver.ask()
        refused(await phone.vote(number, 2), 400, "not one of the question's")
        refused(await phone.vote(number + 1, 0), 404, "not one of this room's")
        refused(await phone.vote(10**30, 0), 400, "question: a whole number")
        refused(await phone.vote(True, 0), 400, "question: a whole number")
        await driver.do("close", question=number)
        refused(await phone.vote(number, 0), 409, "closed")
        path = f"/r/{driver.code}/vote"
        refused(await call(driver.client, "POST", path, phone.voter, [1]), 400, "JSON object")
        huge = {"question": number, "answer": 0, "more": "x" * 1_000_000}
        refused(await call(driver.client, "POST", path, phone.voter, huge), 413, "more than 500 bytes")
        refused(await driver.do("ask", text="x" * 1_000_000, answers=["a", "b"]), 413, "more than 100,000")

        async def endless():  # without a length: it is not read to its end
            for _ in range(1000):
                yield b" " * 1000

        response = await driver.client.post(path, content=endless())
        assert response.status_code == 413

    room(body)


def test_another_rooms_voter_is_a_stranger(room):
    async def body(driver):
        other = await type(driver).open(driver.client)
        stranger = await other.phone()
        number = await driver.ask()
        forged = "0011223344556677." + stranger.voter.partition(".")[2]
        for token in (stranger.voter, forged, "", ".", "é", "x" * 5000):
            phone = Phone(driver.client, driver.code, token)
            refused(await phone.vote(number, 0), 403, "has not joined")
        assert (await driver.state())["questions"][0]["votes"] == 0

    room(body)


def test_ten_thousand_guessed_codes_slow_nobody_down(room):
    async def body(driver):
        phone = await driver.phone()
        number = await driver.ask()
        answers = [await call(driver.client, "POST", f"/r/XX{n:03}/join") for n in range(100)]
        assert [status for status, _ in answers[:30]] == [404] * 30
        assert {status for status, _ in answers[35:]} == {429}
        refused(answers[-1], 429, "Too many wrong codes")
        # Nor does a right guess come through; who is in the room already notices nothing.
        refused(await call(driver.client, "POST", f"/r/{driver.code}/join"), 429, "Too many wrong codes")
        assert (await phone.vote(number, 1))[0] == 200

    room(body)


def test_votes_and_rooms_are_limited_in_rate(room):
    async def body(driver):
        phone, other = await driver.phone(), await driver.phone()
        number = await driver.ask()
        answers = [await phone.vote(number, n % 2) for n in range(40)]
        assert answers[-1][0] == 429
        assert (await other.vote(number, 0))[0] == 200
        opened = [await call(driver.client, "POST", "/r") for _ in range(40)]
        refused(opened[-1], 429, "Too many rooms")

    room(body)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"text": "", "answers": ["a", "b"]}, "The question is empty"),
        ({"text": "?", "answers": ["a", "  "]}, "Answer 2 is empty"),
        ({"text": "?", "answers": ["a"]}, "two to four"),
        ({"text": "?", "answers": list("abcde")}, "two to four"),
        ({"text": "?" * 501, "answers": ["a", "b"]}, "501 characters"),
        ({"text": "?", "answers": ["a", "b"], "seconds": -1}, "countdown"),
        ({"text": "?", "answers": ["a", "b"], "seconds": 1.5}, "whole number"),
        ({"text": "?", "answers": ["a", "b"], "again": 4}, "not one of this room's"),
        ({"text": "?", "answers": ["a", "b"], "about": []}, "about"),
    ],
)
def test_a_bad_question_is_refused_in_its_words(room, document, words):
    async def body(driver):
        status, said = await driver.do("ask", **document)
        assert 400 <= status < 500
        assert words in said["error"]
        assert (await driver.state())["questions"] == []

    room(body)


def test_the_verdict_knows_sure_from_unsure_and_split_from_one(room):
    async def body(driver):
        phones = [await driver.phone() for _ in range(30)]

        async def said(votes, about):
            number = await driver.ask("left", "right", about=about)
            for phone, answer in zip(phones, votes, strict=False):
                await phone.vote(number, answer)
            await driver.do("close", question=number)
            return (await driver.state())["questions"][-1]["verdict"]

        pair = {"comparison": 0}
        sure = await said([0] * 24 + [1] * 6, pair)
        assert sure[0] == "The room believes “left”: 24 of 30 votes, 80 % (95 % interval 63 to 90 %)."
        assert "u = ln(p/(1 − p)) = 1.39 nats" in sure[1]  # ln 4
        unsure = await said([1] * 17 + [0] * 13, pair)
        assert "“right”: 17 of 30 votes, 57 % (95 % interval 39 to 73 %)" in unsure[0]
        assert "no clear majority" in unsure[0]
        assert "0.27 nats" in unsure[1]  # ln(17/13)
        assert "no finite optimum" in (await said([1] * 30, pair))[1]
        even = await said([0, 1], pair)
        assert "divided evenly" in even[0]
        assert "no difference" in even[1]
        assert await said([], pair) == ["Nobody has voted."]
        assert len(await said([0], {})) == 1  # a question of one's own trains nothing

    room(body)


def test_what_is_kept_afterwards_names_nobody(room):
    async def body(driver):
        phones = [await driver.phone() for _ in range(3)]
        number = await driver.ask("=SUM(1)", "b", about={"comparison": 4})
        for phone in phones:
            await phone.vote(number, 0)
        status, text = await call(driver.client, "GET", f"/r/{driver.code}/votes.csv", driver.token)
        rows = list(csv.DictReader(io.StringIO(text)))
        assert status == 200
        assert [(row["comparison"], row["answer"], row["votes"], row["share"]) for row in rows] == [
            ("5", "'=SUM(1)", "3", "1.0"),
            ("5", "b", "0", "0.0"),
        ]
        assert not any(phone.voter.partition(".")[0] in text for phone in phones)

    room(body)


def test_a_picture_is_shown_and_taken_away(room):
    async def body(driver):
        phone = await driver.phone()
        path = f"/r/{driver.code}/picture"
        refused(await call(driver.client, "GET", path, phone.voter), 404, "Nothing is on show")
        picture = {"steps": [0, 1], "text": "<img src=x onerror=alert(1)>"}
        await driver.do("show", picture=picture, step=1)
        state = await phone.state()
        assert state["picture"] == state["version"]
        assert await call(driver.client, "GET", path, phone.voter) == (200, picture)
        await driver.do("show", picture=None)
        assert (await phone.state())["picture"] == 0
        refused(await driver.do("show", picture=[1]), 400, "picture")

    room(body)


def test_the_phones_page_is_small_and_asks_nobody_else(room):
    async def body(driver):
        response = await driver.client.get(f"/r/{driver.code}")
        assert response.headers["content-type"].startswith("text/html")
        linked = re.findall(r'(?:src|href)="([^"]+)"', response.text)
        parts = [path for path in linked if path != "data:,"]
        assert all(path.startswith("../lab/") for path in parts)
        assets = Path(__file__).resolve().parents[2] / "app" / "assets"
        texts = [(assets / path.split("/", 3)[3]).read_text() for path in parts]
        whole = response.text + "".join(texts)
        assert len(whole.encode()) <= 30_000  # uncompressed
        assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|https?://(?!www\.w3\.org)", whole)
        # What the scripts import is linked in the page, so that a slow line asks for all at once.
        imported = set(re.findall(r'from "\./([^"]+)"', whole))
        assert imported <= {path.rsplit("/", 1)[1] for path in parts}
        assert "default-src 'none'" in response.headers["content-security-policy"]

    room(body)


def test_end_and_the_qr_code(room):
    async def body(driver):
        phone = await driver.phone()
        for wanted, status in ((f"http://here/r/{driver.code}", 200), ("http://elsewhere/", 400)):
            path = f"/r/{driver.code}/qr?address={wanted}"
            answer = await call(driver.client, "GET", path, driver.token)
            assert answer[0] == status
        assert (await driver.do("end"))[0] == 200
        refused(await phone.vote(1, 0), 404, "no room")
        refused(await call(driver.client, "GET", f"/r/{driver.code}/driver", driver.token), 404, "no room")

    room(body)


def test_codes_have_no_look_alikes_and_tokens_are_not_kept():
    many = {keys.new_code() for _ in range(2000)}
    assert {len(code) for code in many} == {5}
    assert not set("".join(many)) & set("AEIOULY0125")
    token = keys.new_token()
    assert token not in keys.hashed(token)
    assert keys.is_driver(keys.hashed(token), token)
    assert keys.read_code(" bcd fg ".replace(" ", "")) == "BCDFG"
    assert json.dumps(keys.voter_of("one", keys.new_voter("other"))) == "null"
