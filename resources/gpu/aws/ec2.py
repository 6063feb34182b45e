"""What EC2 says of machine types and launch templates; for `escriba doctor`, which waits for it."""

from collections.abc import Mapping
from typing import Any

from escriba.settings import Settings

from .answers import error_of
from .connection import connect


class Ec2:
    """EC2 in AWS_REGION; each call is one request."""

    def __init__(self, settings: Settings) -> None:
        self._client = connect(settings, "ec2", settings.aws_ec2_url)

    def zones_with(self, type_: str) -> list[str]:
        """The availability zones that offer a machine type.

        Raises:
            NoAnswerError: no usable answer.
            RefusedError: EC2 refuses the request.
        """
        filters = [{"Name": "instance-type", "Values": [type_]}]
        request = {"LocationType": "availability-zone", "Filters": filters}
        found = self._call("describe_instance_type_offerings", request)
        return sorted(one["Location"] for one in found.get("InstanceTypeOfferings") or [])

    def metadata_options(self, template: Mapping[str, Any]) -> dict[str, Any]:
        """The MetadataOptions of a launch template, as a compute environment names it.

        Raises:
            NoAnswerError: no usable answer.
            RefusedError: EC2 refuses the request.
        """
        request: dict[str, Any] = {"Versions": [template.get("version") or "$Default"]}
        if template.get("launchTemplateId"):
            request["LaunchTemplateId"] = template["launchTemplateId"]
        else:
            request["LaunchTemplateName"] = template.get("launchTemplateName")
        found = self._call("describe_launch_template_versions", request)
        versions = found.get("LaunchTemplateVersions") or []
        data = versions[0].get("LaunchTemplateData") or {} if versions else {}
        return dict(data.get("MetadataOptions") or {})

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # 0.5 s

        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**request)
        except (BotoCoreError, ClientError) as error:
            failed = error_of(error)
        else:
            return answer
        raise failed
