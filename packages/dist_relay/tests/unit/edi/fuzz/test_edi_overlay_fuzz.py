"""Whatever stands in an overlay: it is a profile, or one sentence that says why not."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dist_relay.edi import GrammarError, read
from dist_relay.edi.overlay import parse

ORDER = (
    b"ISA*00*          *00*          *ZZ*SHOP           *ZZ*DIST           *260301*1200*U*00401*000000007*0*P*>~"
    b"GS*PO*SHOP*DIST*20260301*1200*7*X*004010~ST*850*0001~BEG*00*SA*4711**20260301~REF*DP*12~N1*ST*Store 5*92*05~"
    b"PO1*1*10*EA*2.5**UP*036000291452~CTT*1~SE*7*0001~GE*1*7~IEA*1*000000007~"
)
WORDS = [
    *("BEG", "REF", "REF 1=DP", "N1", "N1/N3", "*/N1", "/REF", "PO1/PID", "BEG02", "PO103", "*/N104", "N104 1=ST"),
    *("REF02-01", "BEG.2", "required", "forbidden", "optional", "0..1", "1..*", "codes", "add", "default", "min"),
    *("max", "use", "segments", "elements", "extra", "version", "4010", "5010", "after", "in", "SA", "EA", "ZA 0..1"),
    *("loop N9 0..1", " ", "\n", "\x00", "\ud800"),
]
word = st.sampled_from(WORDS) | st.text(max_size=8)
values: st.SearchStrategy[Any] = st.recursive(
    word | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(word, inner, max_size=3),
    max_leaves=8,
)
use = st.sampled_from(["required", "forbidden", "optional", "0..1", "1..*", "0..9"])
places = st.sampled_from(["REF", "REF 1=DP", "N1", "N1/N3", "*/N1", "/REF", "PO1/PID", "CTT", "BEG", "PO1"])
elements = st.sampled_from(["BEG02", "PO103", "*/N104", "N104 1=ST", "REF01", "PO1/PO102", "CTT.1", "BEG03"])
rules = st.fixed_dictionaries(
    {},
    optional={
        "use": st.sampled_from(["required", "forbidden", "optional"]),
        "codes": st.lists(st.sampled_from(["SA", "EA", "92", "1"]), min_size=1, max_size=3),
        "default": st.sampled_from(["SA", "EA", "92", "1", "*"]),
        "min": st.integers(1, 5),
        "max": st.integers(1, 9),
    },
)
extras = st.fixed_dictionaries(
    {"segments": st.sampled_from(["ZA 0..1", "ZA 1..*", "loop N9 0..2\n  N9 1..1\n  MSG 0..5"])},
    optional={"in": st.sampled_from(["PO1", "N1"]), "after": st.sampled_from(["BEG", "N1", "PO1/PO1"])},
)
likely = st.fixed_dictionaries(
    {},
    optional={
        "segments": st.dictionaries(places, use, max_size=4),
        "elements": st.dictionaries(elements, rules | use, max_size=4),
        "extra": st.lists(extras, max_size=2),
    },
)


def tried(overlay: dict[str, Any]) -> None:
    try:
        made = parse(overlay, name="any")
    except GrammarError as error:
        sentence = str(error)
    else:
        sentence = ""
    assert not sentence or (sentence.startswith("overlay any: ") and sentence.isprintable())
    if sentence:
        return
    for interchange in read(ORDER, made):
        for message in interchange.messages():
            assert message.status in ("valid", "accepted_with_errors", "rejected")
            assert len(message.raw_segments()) == 5
            message.tree()


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["base", "severities", "limits", "x12", "define", "documents", "mapping"]), values)
)
def test_any_data(overlay):
    tried(overlay)


@settings(max_examples=150, deadline=None)
@given(values)
def test_any_rules_of_a_document(rules):
    tried({"documents": {"850": rules}})


@settings(max_examples=150, deadline=None)
@given(likely)
def test_rules_that_are_likely(rules):
    tried({"documents": {"850": rules}})
