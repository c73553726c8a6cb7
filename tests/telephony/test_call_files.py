"""Files of calls are read as their switches and carriers write them, each call as a row or as what is wrong with it."""

import base64
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skypemgr.csv_files import UnreadableFile
from telephony.call_files import FORMATS, CallRow, Clock, UnreadRow, clock_of, read_calls

NOON = datetime(2026, 11, 8, 12, 0, 0, tzinfo=UTC)


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def stamp(seconds):
    return at(seconds).strftime("%Y-%m-%d %H:%M:%S")


def read(text, named, zone="UTC"):
    return list(read_calls(io.BytesIO(text.encode()), named=named, clock=clock_of(zone)))


def csv_line(*cells):
    return ",".join(f'"{cell}"' if isinstance(cell, str) else str(cell) for cell in cells)


CALL = CallRow(
    row=1,
    external_id="pbx1-1794170442.0",
    leg="",
    linked_id="",
    direction="",
    account="fanny.lundgren",
    caller="0199000000",
    called="61291234567",
    started_at=at(0),
    answered_at=at(3),
    ended_at=at(151),
    duration=151,
    seconds=148,
    disposition="ANSWERED",
)
HEAD = ("fanny.lundgren", "0199000000", "61291234567", "from-internal", '""Fanny"" <fanny.lundgren>')
MIDDLE = ("PJSIP/fanny-0", "PJSIP/trunk-0", "Dial", "PJSIP/+61291234567@trunk,60")


def master(*behind, start=0, answer=3, end=151, billsec=148, duration=151, disposition="ANSWERED"):
    answer = "" if answer is None else stamp(answer)
    times = (stamp(start), answer, stamp(end), duration, billsec, disposition)
    return csv_line(*HEAD, *MIDDLE, *times, "DOCUMENTATION", *behind)


@pytest.mark.parametrize(
    ("behind", "known"),
    [
        (("pbx1-1794170442.0",), {}),
        (("1794170442.0", ""), {"external_id": "1794170442.0"}),
        (
            ("1794170442.0", "", "", "1794170441.9", 7),
            {"external_id": "1794170442.0", "leg": "7", "linked_id": "1794170441.9"},
        ),
        (("", "1794170441.9", 7), {"external_id": "1794170441.9", "leg": "7", "linked_id": "1794170441.9"}),
        (
            ("1794170442.0", "", "1794170441.9", 7),
            {"external_id": "1794170442.0", "leg": "7", "linked_id": "1794170441.9"},
        ),
    ],
)
def test_a_call_of_asterisk_is_read_by_its_columns(behind, known):
    assert read(master(*behind), "asterisk") == [CALL._replace(**known)]


def test_a_call_of_asterisk_as_it_is_customized_is_read():
    line = csv_line(HEAD[4], *HEAD[1:4], *MIDDLE, stamp(0), stamp(3), stamp(151), 151, 148, "ANSWERED", 3)

    assert read(f'{line},"fanny.lundgren","pbx1-1794170442.0","",4', "asterisk-custom") == [CALL._replace(leg="4")]


def test_a_call_that_nobody_answered_has_no_seconds_to_pay():
    line = master("1794170442.1", "", answer=None, end=20, duration=20, billsec=5, disposition="BUSY")

    [call] = read(line, "asterisk")

    assert (call.answered_at, call.duration, call.seconds, call.disposition) == (None, 20, 0, "BUSY")


EXAMPLE = ("Fanny", "0199000000", "+61291234567", "default")


@pytest.mark.parametrize("behind", [(), ("PCMU", "PCMU"), ("PCMU", "PCMU", "Snom", ""), ("", "", "", "", "", "", "")])
def test_a_call_of_freeswitch_is_read_from_csv(behind):
    line = csv_line(
        *EXAMPLE,
        stamp(0),
        stamp(3),
        stamp(151),
        "151",
        "148",
        "NORMAL_CLEARING",
        "1c-2",
        "1c-3",
        "fanny.lundgren",
        *behind,
    )
    known = {"external_id": "1c-2", "linked_id": "1c-3", "called": "+61291234567", "disposition": "NORMAL_CLEARING"}

    assert read(line, "freeswitch-csv") == [CALL._replace(**known)]


def freeswitch(**variables):
    found = {
        "uuid": "1c-2",
        "direction": "outbound",
        "accountcode": "fanny.lundgren%40lumiere.example",
        "start_epoch": str(int(at(0).timestamp())),
        "answer_epoch": str(int(at(3).timestamp())),
        "end_epoch": str(int(at(151).timestamp())),
        "duration": "151",
        "billsec": "148",
        "hangup_cause": "NORMAL_CLEARING",
    }
    profile = {"caller_id_number": "0199000000", "destination_number": "%2B61291234567"}
    return {"variables": found | variables, "callflow": [{"caller_profile": profile}]}


def test_a_call_of_freeswitch_is_read_from_json():
    known = {"external_id": "1c-2", "direction": "outbound", "account": "fanny.lundgren@lumiere.example"}
    expected = CALL._replace(**known, called="+61291234567", disposition="NORMAL_CLEARING")
    unanswered = freeswitch(answer_epoch="0", billsec="0", hangup_cause="NO_ANSWER")

    calls = read(f"\ufeff{json.dumps(freeswitch())}\n\n{json.dumps(unanswered)}\n", "freeswitch-json")

    assert calls[0] == expected
    assert (calls[1].row, calls[1].answered_at, calls[1].seconds) == (2, None, 0)


def test_a_call_of_kamailio_begins_when_it_was_answered_and_a_part_of_a_second_is_one():
    header = "id,start_time,end_time,duration,callid,from_tag,src_user,dst_user,sip_code"
    text = f"{header}\n1,{stamp(3)},{stamp(151)},147.254,0@k,t1,fanny,+61291234567,200"

    [call] = read(text, "kamailio")

    assert (call.external_id, call.linked_id, call.account, call.called) == ("0@k|t1", "0@k", "fanny", "+61291234567")
    assert (call.started_at, call.answered_at, call.seconds) == (at(3), at(3), 148)


def test_calls_of_twilio_are_read_by_their_headers():
    text = "\n".join(
        [
            "Account SID,Call SID,Parent Call SID,From,To,Status,Direction,Start Time,End Time,Duration,Price",
            f"AC0,CA0,CAF,+33199000000,+61291234567,completed,outbound-api,{stamp(3)},{stamp(151)},148,-0.02",
            f'AC0,CA1,,+33199000000,+61291234567,no-answer,inbound,"Sun, 08 Nov 2026 13:00:00 +0100",{stamp(0)},0,',
        ]
    )

    first, second = read(text, "twilio")

    assert (first.external_id, first.linked_id, first.direction) == ("CA0", "CAF", "outbound")
    assert (first.answered_at, first.seconds, first.disposition) == (at(3), 148, "completed")
    assert (second.started_at, second.answered_at, second.direction) == (at(0), None, "inbound")


TEAMS = (
    "UsageId,Call ID,Conference ID,User Location,AAD ObjectId,UPN,User Display Name,Caller ID,Call Type,Number Type,"
    "Domestic/International,Destination Dialed,Destination Number,Start Time,End Time,Duration Seconds,Connection Fee,"
    "Charge,Currency,Capability"
)


def test_a_call_of_teams_is_read_by_its_headers():
    start, end = (f"{at(seconds):%Y-%m-%dT%H:%M:%S}.1234567Z" for seconds in (3, 151))
    who = "u-1,c-1,,FR,o-1,fanny@lumiere.example,Fanny,+33199000000,user_out,Subscriber,International"
    line = f"{who},0061,+61291234567,{start},{end},148,0,0.02,EUR,MCOPSTN2"

    [call] = read(f"{TEAMS}\n{line}", "teams")

    assert (call.external_id, call.linked_id, call.account) == ("u-1", "c-1", "fanny@lumiere.example")
    assert (call.direction, call.called, call.seconds) == ("outbound", "+61291234567", 148)
    assert call.started_at == at(3).replace(microsecond=123456)


OWN = "id,leg,direction,account,from,to,started_at,answered_at,ended_at,seconds"


def test_a_call_as_we_write_it_is_read():
    moments = ",".join(at(seconds).isoformat() for seconds in (0, 3, 151))
    line = f"7,1,outbound,fanny.lundgren,0199000000,61291234567,{moments},"

    [call] = read(f"{OWN}\n{line}", "skypemgr")

    assert call == CALL._replace(external_id="7", leg="1", direction="outbound", disposition="")


# Clocks


@pytest.mark.parametrize(
    ("zone", "shown", "moment"),
    [
        ("UTC", "2026-11-08 12:00:00", NOON),
        ("Europe/Paris", "2026-11-08 13:00:00", NOON),
        ("Europe/Paris", "2026-11-08 13:00", NOON),
        ("America/New_York", "2026-11-08T07:00:00", NOON),
        ("America/New_York", "2026-11-08T12:00:00Z", NOON),
        ("America/New_York", "2026-11-08T13:00:00.000000000+01:00", NOON),
        ("Europe/Paris", "2026-10-25 02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_as_the_clock_of_its_zone_shows_it(zone, shown, moment):
    assert clock_of(zone).read("start", shown) == moment


def test_a_call_goes_on_while_the_clock_is_set_back():
    line = master("1794170442.0", "").replace(stamp(0), "2026-10-25 02:59:00").replace(stamp(3), "2026-10-25 02:59:03")

    [call] = read(line.replace(stamp(151), "2026-10-25 02:01:31"), "asterisk", "Europe/Paris")

    assert (call.ended_at - call.started_at, call.ended_at - call.answered_at) == (
        timedelta(seconds=151),
        timedelta(seconds=148),
    )


# What is wrong


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (master("1794170442.0", "", duration=-1), "duration"),
        (master("1794170442.0", "", billsec=10**10), "billsec"),
        (master("1794170442.0", "", billsec=2_592_001), "billsec"),
        (master("1794170442.0", "", billsec="1e3"), "billsec"),
        (master("1794170442.0", "", end=-1), "end"),
        (master("1794170442.0", "", answer=200), "end"),
        (master("1794170442.0", "", answer=None), "answer"),
        (master("", ""), "id"),
        (master("a user field"), "uniqueid"),
        (master(), "id"),
        (master("1794170442.0", "").replace(stamp(0), "1970-01-01 00:00:00"), "start"),
        (master("1794170442.0", "").replace(stamp(0), "2026-02-30 00:00:00"), "start"),
        (master("1794170442.0", "").replace(stamp(0), "yesterday"), "start"),
        (master("1794170442.0", "").replace(stamp(0), ""), "start"),
        (master("1794170442.0", "").replace("0199000000", "0" * 300), "from"),
    ],
)
def test_a_call_that_cannot_be_is_told_by_its_row(line, field):
    [wrong] = read(line, "asterisk")

    assert isinstance(wrong, UnreadRow)
    assert (wrong.row, wrong.field) == (1, field)
    assert wrong.message


def test_a_row_that_is_wrong_keeps_no_other_out():
    rows = [master("1794170442.0", ""), master("1794170442.1", "", duration=-1), master("1794170442.2", "")]

    assert [type(call) for call in read("\n".join(rows), "asterisk")] == [CallRow, UnreadRow, CallRow]


def test_a_moment_that_the_clock_skipped_is_told():
    line = master("1794170442.0", "").replace(stamp(0), "2026-03-29 02:30:00")

    [wrong] = read(line, "asterisk", "Europe/Paris")

    assert (wrong.field, "02:30:00" in wrong.message) == ("start", True)


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[]",
        "{}",
        '{"variables": 7}',
        '{"variables": {}, "callflow": "x"}',
        json.dumps(freeswitch(billsec="-1")),
        json.dumps(freeswitch(start_epoch="yesterday")),
        json.dumps(freeswitch(uuid="")),
        base64.b64encode(json.dumps(freeswitch()).encode()).decode(),
        "[" * 100_000,
    ],
)
def test_a_line_that_is_no_call_is_told_and_the_others_are_read(line):
    wrong, call = read(f"{line}\n{json.dumps(freeswitch())}", "freeswitch-json")

    assert (wrong.row, type(wrong)) == (1, UnreadRow)
    assert call.row == 2


@pytest.mark.parametrize("named", sorted(set(FORMATS) - {"freeswitch-json"}))
def test_a_file_of_another_kind_is_refused_or_each_of_its_rows(named):
    try:
        calls = read("name,color\nanna,red\nbo,blue\n", named)
    except UnreadableFile as refusal:
        assert str(refusal)
    else:
        assert calls
        assert all(isinstance(call, UnreadRow) for call in calls)


@given(named=st.sampled_from(sorted(FORMATS)), cells=st.lists(st.lists(st.text(max_size=8), max_size=21), max_size=4))
def test_any_table_is_read_without_failing(named, cells):
    try:
        calls = read("\n".join(csv_line(*row) for row in cells).encode("utf-8", "replace").decode(), named)
    except UnreadableFile:
        return
    assert all(isinstance(call, CallRow | UnreadRow) for call in calls)


def test_a_clock_without_a_zone_is_that_of_utc():
    assert Clock() == clock_of("UTC")
