"""What names of a bill's files tell of the delivery that they are of."""

import pytest

from escriba.billing.bill_file_names import are_parts, name_stem
from escriba.billing.bill_part_or_whole import refuse_later_parts, refuse_new_parts
from escriba.billing.invoice_rows import InvoiceError


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("cur-00001.csv.gz", "cur"),
        ("cur_2.parquet", "cur"),
        ("3.csv", ""),
        ("a.csv", None),
        ("2026-03-10.csv", "2026-03"),
    ],
)
def test_a_stem_is_what_lies_before_the_number_of_the_part(name, stem):
    assert name_stem(name) == stem


@pytest.mark.parametrize(
    ("names", "are"),
    [
        (["cur-1.csv", "cur-2.csv"], True),
        (["cur-1.csv", "cur-1.csv"], False),
        (["cur-1.csv", "bill-2.csv"], False),
        (["cur-1.csv", "b.csv"], False),
    ],
)
def test_parts_differ_in_nothing_but_their_number(names, are):
    assert are_parts(names) is are


@pytest.mark.parametrize("stand", [{}, {"x": "cur-1.csv"}, {"x": "a.csv"}])
def test_a_new_part_whose_name_tells_of_no_other_delivery_is_a_part(stand):
    """Also where it is not known any more which files stand."""
    refuse_new_parts({"y": "cur-2.csv"}, stand, "aws_gpu 1/2026-03")


def test_a_part_that_came_later_is_of_the_delivery_of_which_it_has_the_number():
    stand, bill = {"x": "cur-0-1.csv", "y": "cur-0-2.csv"}, "aws_gpu 1/2026-03"

    refuse_later_parts({"w": "cur-1-2.csv"}, stand, {"y"}, bill)
    with pytest.raises(InvoiceError, match=r"and cur-1-1\.csv was imported after the first files"):
        refuse_later_parts({"w": "cur-1-2.csv"}, stand | {"z": "cur-1-1.csv"}, {"y", "z"}, bill)
