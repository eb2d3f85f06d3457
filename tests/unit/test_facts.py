import msgspec

from dragoman.facts import facts, sentence
from dragoman.types import Relation
from tests.builders import lakeside


def test_facts_carry_names_and_values() -> None:
    shown = [sentence(fact) for fact in facts(lakeside())]
    assert shown == [
        "Freedonian  party_to  Lakeside Accord",
        "Sylvania  party_to  Lakeside Accord",
        "Lakeside Accord  held_on  Sunday (1987-05-03)",
        "Ana Vell  represents  Freedonian",
        "Ana Vell  holds_role  Foreign Minister",
        "Ana Vell  supports  open ferries",
    ]


def test_a_fact_stated_twice_stands_once_with_both_places() -> None:
    again = Relation(id="R9", label="party_to", source="T5", target="T3", score=0.25)
    document = msgspec.structs.replace(lakeside(), relations=(*lakeside().relations, again))
    found = facts(document)
    assert len(found) == len(facts(lakeside()))
    assert len(found[0].stated) == 2
    assert found[0].score == 0.25


def test_no_label_is_needed_for_a_document_without_relations() -> None:
    assert facts(msgspec.structs.replace(lakeside(), relations=())) == ()
