"""The queues of the settings: one for each machine type with one GPU."""

from datetime import UTC, datetime

import pytest

from escriba.backend_names import AWS_GPU
from escriba.billing.price_book import read_price_book
from escriba.settings import SettingsError, load_settings
from resources.gpu.aws.machine_types import ONE_GPU
from resources.gpu.aws.queues import queues_of
from resources.gpu.backends import aws_gpu


def settings(queues, definition="worker", **changes):
    return load_settings(
        aws_batch_queues=queues, aws_batch_job_definition=definition, model="demo", **changes
    )


def test_there_is_a_queue_for_each_machine_type():
    found = queues_of(settings(" g6.xlarge = escriba-g6 , g5.2xlarge=escriba-g5,"))

    assert [(one.machine.name, one.name) for one in found] == [
        ("g6.xlarge", "escriba-g6"),
        ("g5.2xlarge", "escriba-g5"),
    ]
    assert queues_of(load_settings()) == []


@pytest.mark.parametrize(
    ("queues", "says"),
    [
        ("escriba-g6", "not a pair"),
        ("g6.xlarge=", "not the name of a queue"),
        ("g6.xlarge=arn:aws:batch:us-east-1:1:job-queue/a", "not its ARN"),
        ("g5.12xlarge=a", "has 4 GPUs"),
        ("g6.metal=a", "that this version knows"),
        ("g6.xlarge=a,g6.xlarge=b", "'g6.xlarge' is set twice"),
        ("g6.xlarge=a,g5.xlarge=a", "'a' is set twice"),
    ],
)
def test_what_is_wrong_with_a_queue_is_said(queues, says):
    with pytest.raises(SettingsError, match=says) as error:
        queues_of(settings(queues))

    assert "AWS_BATCH_QUEUES" in str(error.value)


def test_a_queue_needs_a_job_definition():
    with pytest.raises(SettingsError, match="AWS_BATCH_JOB_DEFINITION is empty"):
        queues_of(settings("g6.xlarge=a", definition=""))


def test_each_queue_is_a_backend_in_its_own_account_and_region():
    one, two = aws_gpu.open_backends(
        settings("g6.xlarge=a,g4dn.xlarge=b", aws_region="sa-east-1", primary_backend="aws_gpu")
    )

    assert (one.sku, two.sku) == ("g6.xlarge", "g4dn.xlarge")
    assert one.capabilities.regions == {"sa-east-1"}
    assert one.capabilities.paid
    assert not one.capabilities.third_party
    assert one.capabilities.models == {"demo"}


def test_every_machine_type_has_a_price():
    book = read_price_book(load_settings().price_book)

    for name in ONE_GPU:
        assert book.at(AWS_GPU, name, datetime.now(UTC)).price_usd > 0


def test_whether_queues_are_set_is_told_even_where_they_cannot_be_read():
    """`escriba doctor` asks that before its checks, each of which then says what is wrong."""
    assert aws_gpu.is_set_up(settings("g6.12xlarge=a"))
    assert not aws_gpu.is_set_up(settings(" , "))
