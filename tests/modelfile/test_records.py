"""What stands for a thing that was checked is not changed afterwards: the records of the room are frozen."""

from tests.records import changeable, records_of, without_slots


def test_records_are_frozen():
    assert records_of("modelfile")
    assert changeable("modelfile") == set()


def test_only_records_that_keep_what_is_derived_of_them_have_no_slots():
    assert without_slots("modelfile") == {
        "ConditionalPriors",
        "Model",
        "PixelLikelihood",
        "StoredLossless",
        "ValueMixture",
    }
