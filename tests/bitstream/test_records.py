"""What stands for a thing that was checked is not changed afterwards: the records of the room are frozen."""

from tests.records import changeable, records_of


def test_records_are_frozen():
    assert records_of("bitstream")
    assert changeable("bitstream") == set()
