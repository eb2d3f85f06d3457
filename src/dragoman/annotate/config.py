"""The labelling configuration of Label Studio, generated from the schema."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from dragoman.schema import EntityType, Schema

LABELS = "entities"
TEXT = "text"
VALUE = "value"


def label_config(schema: Schema) -> str:
    """The XML that a project is created with.

    One label per entity type, with colour and hotkey, symbol granularity (words swallow
    particles and punctuation of some scripts); the schema's relations and the coreference
    link; a text field of the region for normalised values.
    """
    lines = [
        "<View>",
        "  <!-- generated from schema.toml by `dragoman annotate config`; edit the schema instead -->",
        '  <Header value="$title"/>',
        '  <Relations maxWidth="320px">',
        *(
            f"    <Relation value={quoteattr(name)} hint={quoteattr(_arguments(schema, name))}/>"
            for name in schema.relations
        ),
        f"    <Relation value={quoteattr(schema.coreference)}"
        ' hint="Mentions of one and the same entity; no direction"/>',
        "  </Relations>",
        f'  <Labels name="{LABELS}" toName="{TEXT}" showInline="true">',
        *(_label(name, entity) for name, entity in schema.entities.items()),
        "  </Labels>",
        f'  <Text name="{TEXT}" value="$text" granularity="symbol" saveTextResult="yes"/>',
    ]
    with_value = [name for name, entity in schema.entities.items() if entity.value is not None]
    if with_value:
        lines += [
            f'  <View visibleWhen="region-selected" whenTagName="{LABELS}"'
            f" whenLabelValue={quoteattr(','.join(with_value))}>",
            f'    <TextArea name="{VALUE}" toName="{TEXT}" perRegion="true" maxSubmissions="1"'
            f' editable="true" placeholder={quoteattr(_placeholder(schema))}/>',
            "  </View>",
        ]
    return "\n".join([*lines, "</View>", ""])


def _label(name: str, entity: EntityType) -> str:
    hotkey = f" hotkey={quoteattr(entity.hotkey)}" if entity.hotkey else ""
    return (
        f"    <Label value={quoteattr(name)} background={quoteattr(entity.color)}{hotkey}"
        f" hint={quoteattr(entity.description)}/>"
    )


def _arguments(schema: Schema, name: str) -> str:
    relation = schema.relations[name]
    return f"{relation.description}: {'/'.join(relation.source)} to {'/'.join(relation.target)}"


def _placeholder(schema: Schema) -> str:
    examples = {"iso-8601": "a date such as 1987-05-04", "iso-3166": "a country code such as JP"}
    used = dict.fromkeys(entity.value for entity in schema.entities.values() if entity.value)
    return " or ".join(examples[value] for value in used)
