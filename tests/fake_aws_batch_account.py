"""What an account of AWS Batch has: queues, compute environments and job definitions."""

ARN = "arn:aws:batch:us-east-1:123456789012"


def queue(name, machines):
    return {
        "jobQueueName": name,
        "jobQueueArn": f"{ARN}:job-queue/{name}",
        "state": "ENABLED",
        "status": "VALID",
        "statusReason": "JobQueue Healthy",
        "priority": 1,
        "computeEnvironmentOrder": [
            {"order": 1, "computeEnvironment": f"{ARN}:compute-environment/{machines}"}
        ],
        "jobStateTimeLimitActions": [
            {
                "reason": "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
                "state": "RUNNABLE",
                "maxTimeSeconds": 600,
                "action": "CANCEL",
            }
        ],
    }


def environment(name):
    return {
        "computeEnvironmentName": name,
        "computeEnvironmentArn": f"{ARN}:compute-environment/{name}",
        "type": "MANAGED",
        "state": "ENABLED",
        "status": "VALID",
        "statusReason": "ComputeEnvironment Healthy",
        "computeResources": {
            "type": "SPOT",
            "allocationStrategy": "SPOT_PRICE_CAPACITY_OPTIMIZED",
            "minvCpus": 0,
            "maxvCpus": 16,
            "instanceTypes": ["g6.xlarge"],
            "subnets": ["subnet-1"],
            "ec2Configuration": [{"imageType": "ECS_AL2023_NVIDIA"}],
        },
    }


def definition():
    return {
        "jobDefinitionName": "worker",
        "jobDefinitionArn": f"{ARN}:job-definition/worker:1",
        "revision": 1,
        "status": "ACTIVE",
        "type": "container",
        "retryStrategy": {
            "attempts": 3,
            "evaluateOnExit": [
                {"onStatusReason": "Host EC2*", "action": "RETRY"},
                {"onReason": "*", "action": "EXIT"},
            ],
        },
        "containerProperties": {
            "image": "registry.example/escriba-worker:0.1.0",
            "resourceRequirements": [
                {"type": "GPU", "value": "1"},
                {"type": "VCPU", "value": "4"},
                {"type": "MEMORY", "value": "14000"},
            ],
        },
    }
