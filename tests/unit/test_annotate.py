import xml.etree.ElementTree as ET

import msgspec
import pytest

from dragoman.annotate.config import label_config
from dragoman.schema import EntityType
from tests.builders import ROOT, SCHEMA


def test_the_stored_configuration_is_the_generated_one() -> None:
    stored = (ROOT / "annotation" / "label-studio.xml").read_text("utf-8")
    assert stored == label_config(SCHEMA), "run `make config`"


def test_the_configuration_offers_every_label_and_the_coreference_link() -> None:
    root = ET.fromstring(label_config(SCHEMA))
    assert [label.get("value") for label in root.iter("Label")] == list(SCHEMA.entities)
    relations = [relation.get("value") for relation in root.iter("Relation")]
    assert relations == [*SCHEMA.relations, SCHEMA.coreference]
    assert root.find("Text").get("granularity") == "symbol"  # type: ignore[union-attr]
    hotkeys = [label.get("hotkey") for label in root.iter("Label")]
    assert len(set(hotkeys)) == len(hotkeys)


def test_hostile_descriptions_stay_attributes() -> None:
    hostile = EntityType(description="\"/><script>alert(1)</script> & ' <", kind="x")
    odd = msgspec.structs.replace(SCHEMA, entities={**SCHEMA.entities, "A.-b": hostile})
    root = ET.fromstring(label_config(odd))
    assert root.find(".//script") is None
    assert [label.get("value") for label in root.iter("Label")][-1] == "A.-b"


def test_the_sdk_accepts_the_configuration() -> None:
    interface = pytest.importorskip(
        "label_studio_sdk.label_interface", reason="the extra labelstudio is not installed"
    )
    config = interface.LabelInterface(label_config(SCHEMA))
    config.validate()
    assert list(config.get_control("entities").labels) == list(SCHEMA.entities)
    region = {"start": 0, "end": 4, "text": "Rome", "labels": ["GPE"]}
    result = [
        {"id": "a", "from_name": "entities", "to_name": "text", "type": "labels", "value": region},
        {
            "id": "a",
            "from_name": "value",
            "to_name": "text",
            "type": "textarea",
            "value": {"start": 0, "end": 4, "text": ["IT"]},
        },
    ]
    good = {"result": result, "model_version": "m"}
    assert config.validate_prediction(good, return_errors=True) == []
    region["labels"] = ["COUNTRY"]
    assert config.validate_prediction(good, return_errors=True) != []
