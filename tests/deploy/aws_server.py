"""An AWS on a port of its own for Terraform: moto, with what it forgets or does not answer.

moto 5.2 asks a compute environment for a role that AWS gives by itself, forgets the time limits of
a queue's states, and knows no subscribers or tags of a budget,
and mixes up the tags of a launch template. Started as a process: it says its
port, then serves until its standard input is closed.
"""

import json

from moto.batch.responses import BatchResponse
from moto.budgets.responses import BudgetsResponse
from moto.ec2.models.launch_templates import LaunchTemplateVersion
from moto.iam import iam_backends

from tests import s3_server

LIMITS = {}  # of each queue, by its name
BUDGET_TAGS = {}  # of each budget, by its name
BATCH_ROLE = []  # AWSServiceRoleForBatch, once there is one


def create_compute_environment(response, create=BatchResponse.createcomputeenvironment):
    given = response._get_param
    response._get_param = lambda name: (
        given(name) or (_batch_role(response) if name == "serviceRole" else None)
    )
    return create(response)


def _batch_role(response):
    if not BATCH_ROLE:
        iam = iam_backends[response.current_account][response.partition]
        BATCH_ROLE.append(iam.create_service_linked_role("batch.amazonaws.com", "", "").arn)
    return BATCH_ROLE[0]


def create_job_queue(response, create=BatchResponse.createjobqueue):
    limits = response._get_param("jobStateTimeLimitActions") or []
    for limit in limits:
        if limit["action"] != "CANCEL" or not 600 <= limit["maxTimeSeconds"] <= 86400:
            raise ValueError(limit)
    LIMITS[response._get_param("jobQueueName")] = limits
    return create(response)


def update_job_queue(response, update=BatchResponse.updatejobqueue):
    limits = response._get_param("jobStateTimeLimitActions")
    if limits is not None:
        LIMITS[response._get_param("jobQueue").rpartition("/")[2]] = limits
    return update(response)


def describe_job_queues(response, describe=BatchResponse.describejobqueues):
    answer = json.loads(describe(response))
    for queue in answer["jobQueues"]:
        queue["jobStateTimeLimitActions"] = LIMITS.get(queue["jobQueueName"], [])
    return json.dumps(answer)


def describe_subscribers(response):
    budgets = response.backend.budgets[response._get_param("AccountId")]
    wanted = response._get_param("Notification")
    found = next(
        one
        for one in budgets[response._get_param("BudgetName")].notifications
        if all(one.details[key] == wanted[key] for key in ("NotificationType", "Threshold"))
    )
    return json.dumps({"Subscribers": found.subscribers})


def create_budget(response, create=BudgetsResponse.create_budget):
    name = response._get_param("Budget")["BudgetName"]
    BUDGET_TAGS[name] = response._get_param("ResourceTags") or []
    return create(response)


def budget_tags(response):
    name = response._get_param("ResourceARN").rpartition("/")[2]
    return json.dumps({"ResourceTags": BUDGET_TAGS[name]})


def launch_template(self, template, number, data, *rest, new=LaunchTemplateVersion.__init__):
    """moto puts the tags of the template itself among those of what it launches."""
    tags = data.get("TagSpecifications", [])
    data["TagSpecifications"] = [one for one in tags if one["ResourceType"] != "launch-template"]
    new(self, template, number, data, *rest)


def main():
    """Give moto the missing answers, then serve."""
    BatchResponse.createcomputeenvironment = create_compute_environment
    BatchResponse.createjobqueue = create_job_queue
    BatchResponse.updatejobqueue = update_job_queue
    BatchResponse.describejobqueues = describe_job_queues
    BudgetsResponse.describe_subscribers_for_notification = describe_subscribers
    BudgetsResponse.create_budget = create_budget
    BudgetsResponse.list_tags_for_resource = budget_tags
    LaunchTemplateVersion.__init__ = launch_template
    s3_server.main()


if __name__ == "__main__":
    main()
