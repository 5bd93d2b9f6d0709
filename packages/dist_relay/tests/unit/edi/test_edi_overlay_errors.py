"""Overlays that say something impossible are refused with the key that says it; where overlays come from."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from overlay_samples import ORDER

import dist_relay.edi
from dist_relay.edi import GrammarError, read
from dist_relay.edi.overlay import MAX_BYTES, profile
from dist_relay.edi.overlay.presets import LEVEL_OF, RULES
from dist_relay.edi.profile import STANDARD


def order(**sections: object) -> dict[str, object]:
    return {"documents": {"850": sections}}


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ({"foo": 1}, 'overlay acme: the key "foo" is not known; known are'),
        ({"docments": {}}, 'the key "docments" is not known; documents was meant?'),
        ({"base": "loose"}, 'base: "loose" is none of strict, standard, lenient'),
        ({"name": 5}, "name: a text of at most 60 characters"),
        ({"severities": {"balence": "off"}}, "severities.balence: this is no rule and no level"),
        ({"severities": {"balance": "ignore"}}, 'severities.balance: "ignore" is none of reject, error, note, off'),
        ({"severities": []}, "severities: a table of keys is wanted"),
        ({"limits": {"total": 0}}, "limits.total: a whole number from 1"),
        ({"limits": {"total": True}}, "limits.total: a whole number from 1"),
        ({"limits": {"bytes": 1}}, 'limits: the key "bytes" is not known'),
        ({"documents": {"85": {}}}, "documents.85: a document is named"),
        (
            {"documents": {"999": {}, "851": {}}},
            "documents.851: there is no grammar for 851; there is one for 180, 810",
        ),
        (order(version="4020"), "documents.850.version: there is no grammar of 4020; there is 4010, 5010"),
        (order(version="now"), "documents.850.version: a version is written"),
        (order(segment={}), '"segment" is not known; segments was meant?'),
        (order(segments={"BE": "required"}), "documents.850.segments.BE: there is no BE at this place"),
        (order(segments={"B!": "required"}), "documents.850.segments.B!: a segment is named as in"),
        (order(segments={"N3": "required"}), "N3 stands at several places: name one of N1/N3, PO1/N1/N3"),
        (order(segments={"/N3": "required"}), "documents.850.segments./N3: there is no N3 at this place"),
        (order(segments={"PO1/XX": "required"}), "documents.850.segments.PO1/XX: there is no XX"),
        (order(segments={"REF": "must"}), "documents.850.segments.REF: required, optional, forbidden or a use"),
        (order(segments={"REF": "2..5"}), "documents.850.segments.REF: required, optional, forbidden or a use"),
        (order(segments={"REF": 1}), "documents.850.segments.REF: a text"),
        (order(segments={"N1/REF 1=DP": "required"}), "counted in the whole message: name no loop"),
        (order(segments={"REF 99=DP": "required"}), "documents.850.segments.REF 99=DP: REF has 4 elements"),
        (order(elements={"BEG": "required"}), "documents.850.elements.BEG: an element is named as in"),
        (order(elements={"BEG00": "required"}), "documents.850.elements.BEG00: an element is named as in"),
        (order(elements={"BEG13": "required"}), "documents.850.elements.BEG13: BEG has 12 elements"),
        (order(elements={"BEG02": "must"}), 'documents.850.elements.BEG02: "must" is none of required, forbidden'),
        (order(elements={"BEG02": 1}), "documents.850.elements.BEG02: a table of keys is wanted"),
        (order(elements={"BEG02": {"code": []}}), 'BEG02: the key "code" is not known; codes was meant?'),
        (order(elements={"BEG02": {"codes": []}}), "BEG02.codes: a list without codes would allow nothing"),
        (
            order(elements={"BEG02": {"codes": ["SALE"]}}),
            "BEG02: the code SALE has 4 characters; the element has 2 to 2",
        ),
        (order(elements={"BEG02": {"codes": "SA"}}), "BEG02.codes: a list of at most"),
        (
            order(elements={"BEG02": {"codes": ["SA"], "default": "NE"}}),
            "BEG02.default: the default is none of the codes",
        ),
        (order(elements={"PO102": {"default": "many"}}), "PO102: the default many is no value of this element"),
        (order(elements={"PO102": {"min": 9, "max": 2}}), "PO102.min: min is more than max"),
        (order(elements={"PO102 3=EA": {"max": 2}}), "with a qualifier, only use, codes and default"),
        (order(elements={"BEG02-02": "required"}), "BEG02-02: the element has no components"),
        (order(extra=[{"segments": "QQQ 0..1"}]), "documents.850.extra[0]: documents.850.extra[0]:1: QQQ is not in"),
        (order(extra=[{"segments": "ZA"}]), "extra[0]: documents.850.extra[0]:1: a line such as 'ZA 0..5'"),
        (order(extra=[{"segments": "loop ZA 0..1"}]), "the loop ZA does not begin with a segment"),
        (order(extra=[{"segments": " "}]), "extra[0].segments: what is added is missing"),
        (order(extra=[{"segments": "ZA 0..1", "in": "XX"}]), "extra[0]: there is no loop XX"),
        (order(extra=[{"segments": "ZA 0..1", "in": "PO1", "after": "BEG"}]), "either in or after, not both"),
        (order(extra=[{"segments": "ZA 0..1", "after": "*/BEG"}]), "extra[0].after: a place is named"),
        (order(extra={"segments": "ZA 0..1"}), "documents.850.extra: a list of at most"),
        (order(segments={f"REF 1=A{number}": "required" for number in range(501)}), "more than 500 rules"),
        ({"x12": {"delimiters": {"element": "A"}}}, "x12.delimiters: a letter or digit cannot be a delimiter"),
        ({"x12": {"delimiters": {"element": ">"}}}, "x12.delimiters: two of the delimiters are the same"),
        ({"x12": {"delimiters": {"element": "**"}}}, "x12.delimiters.element: a text of at most 1"),
        ({"x12": {"delimiters": {"element": ""}}}, "x12.delimiters.element: one character is wanted"),
        ({"x12": {"delimiters": {"release": "?"}}}, 'x12.delimiters: the key "release" is not known'),
        ({"x12": {"charset": "utf-16"}}, "x12.charset: none of"),
        ({"x12": {"version": "4010"}}, "x12.version: 004010VICS"),
        ({"edifact": {"interchange_version": "UNOC"}}, "edifact.interchange_version: 004010VICS"),
        ({"x12": {"line_end": "lf", "record": 80}}, "x12.record: either a line for each segment or records"),
        ({"x12": {"sender": {"qualifier": "ZZ"}}}, "x12.sender.id: the identification is missing"),
        ({"x12": {"sender": {"id": "A" * 16}}}, "x12.sender.id: a text of at most 15 characters"),
        ({"x12": {"test": "yes"}}, "x12.test: true or false is wanted"),
        ({"define": {"x12": {"segment": ""}}}, 'define.x12: the key "segment" is not known; segments was meant?'),
        ({"define": {"x12": {"segments": "ZZ1 Label : 77777"}}, **order(extra=[{"segments": "ZZ1 0..1"}])}, "77777 is"),
        (
            {"define": {"x12": {"segments": "ZZ1 L : " + "380 " * 5_000}}, **order(extra=[{"segments": "ZZ1 0..1"}])},
            "documents.850: the segment ZZ1 is too large",
        ),
    ],
)
def test_impossible_overlays_are_refused_with_the_key(overlay, message):
    with pytest.raises(GrammarError) as caught:
        profile({"name": "acme", **overlay})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = [", "overlay acme: neither JSON nor TOML"),
        ('{"a": ', "overlay acme: neither JSON nor TOML"),
        ("[" * 5_000, "overlay acme: neither JSON nor TOML"),
        ('{"a":' * 5_000, "overlay acme: neither JSON nor TOML"),
        (b"\xff\xfe", "overlay acme: it is not UTF-8"),
        ("a = 1 #" + "x" * MAX_BYTES, "overlay acme: more than 262144 bytes"),
        ([1], "overlay acme: a table of keys is wanted"),
        ({1: 2}, 'a key is a text of 1 to 200 characters, not "1"'),
        (Path("/nowhere/acme.toml"), "overlay /nowhere/acme.toml: No such file or directory"),
        (Path("/"), "overlay /: Is a directory"),
    ],
)
def test_sources_that_cannot_be_read(source, message):
    with pytest.raises(GrammarError) as caught:
        profile(source, name="acme")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("define", "extra", "message"),
    [
        ({"composites": "C999 x : C999", "segments": "ZZA x : C999"}, "ZZA 0..1", "made of elements only"),
        ({"elements": "9324", "segments": "ZZA x : 9324"}, "ZZA 0..1", "kind and lengths, as in AN 1/35"),
        ({"elements": "9324 AN", "segments": "ZZA x : 9324"}, "ZZA 0..1", "kind and lengths, as in AN 1/35"),
        ({"elements": "9324 : A b", "segments": "ZZA x : 9324"}, "ZZA 0..1", "kind and lengths, as in AN 1/35"),
        ({"elements": "9324 QQ 1/2 x", "segments": "ZZA x : 9324"}, "ZZA 0..1", "kind and lengths, as in AN 1/35"),
        ({"elements": "9324 AN ²/² x", "segments": "ZZA x : 9324"}, "ZZA 0..1", "kind and lengths, as in AN 1/35"),
        ({"segments": "ZZA x : 353*99999999999"}, "ZZA 0..1", "is no use of an element"),
        ({"segments": "ZZA x : 353 92 | P0001"}, "ZZA 0..1", "P0001 names an element that is not there"),
        ({"segments": "ZZA x : 353"}, "ZZA 5..2", "the most is less than the least"),
        ({"segments": "ZZA x : 353"}, "ZZA 0.." + "9" * 5_000, "a cardinality is 0..1 or 1..*"),
        ({"segments": "ZZA x : 353"}, "loop ZZA @3010", "a line such as 'ZA 0..5'"),
        ({"segments": "ZZA x : 353"}, "ZZA @3010", "a line such as 'ZA 0..5'"),
    ],
)
def test_definitions_that_are_none(define, extra, message):
    with pytest.raises(GrammarError, match=re.escape(message)):
        profile({"define": {"x12": define}, **order(extra=[{"segments": extra, "after": "BEG"}])})


def test_json_toml_dict_and_file_say_the_same(tmp_path):
    toml = '[documents.850.segments]\nREF = "forbidden"\n'
    json = '{"documents": {"850": {"segments": {"REF": "forbidden"}}}}'
    (tmp_path / "acme.toml").write_text(toml)
    (tmp_path / "acme.json").write_bytes(b"\xef\xbb\xbf" + json.encode())
    sources = [toml, json, {"documents": {"850": {"segments": {"REF": "forbidden"}}}}]
    files = [profile(tmp_path / "acme.toml"), profile(tmp_path / "acme.json")]
    assert files[0].name == "acme"
    for using in (*map(profile, sources), *files):
        message = next(next(read(ORDER, using)).messages())
        assert [each.rule for each in message.findings] == ["segment.forbidden"]


def test_a_rule_that_fits_one_version_only_is_left_out_in_the_others():
    using = profile(order(segments={"N1/N2": "required", "PER": "0..2"}))
    assert next(next(read(ORDER, using)).messages()).grammar_version == "4010"
    only_5010 = profile(order(elements={"*/TAX13": "forbidden"}, version="5010"))
    assert only_5010.overlay is not None


def test_all_rules_of_the_source_are_known_to_overlays():
    found = set(STANDARD) - set(LEVEL_OF.values())
    for path in Path(dist_relay.edi.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(re.findall(rf"^(?:{'|'.join(LEVEL_OF)})\.[a-z]+$", node.value))
    assert found - RULES == set()
    assert {each.partition(".")[0] for each in RULES} == set(LEVEL_OF)
