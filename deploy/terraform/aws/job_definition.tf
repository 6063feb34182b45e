locals {
  environment = merge(var.worker_environment, { SPOT_NOTICES = "aws" })
}

resource "aws_batch_job_definition" "worker" {
  name                       = "${var.name}-worker"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = true

  container_properties = jsonencode({
    image            = local.image
    command          = ["python", "-m", "gpu_job", "--help"] # each job brings its manifest
    jobRoleArn       = aws_iam_role.worker.arn
    executionRoleArn = aws_iam_role.start.arn

    resourceRequirements = [
      { type = "GPU", value = "1" },
      { type = "MEMORY", value = tostring(var.job_memory_mib) },
      { type = "VCPU", value = "4" },
    ]

    environment = [for name in sort(keys(local.environment)) : { name = name, value = local.environment[name] }]
    secrets     = [for name in sort(keys(var.worker_secret_arns)) : { name = name, valueFrom = var.worker_secret_arns[name] }]

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.worker.name
        "awslogs-region"        = var.region
        "awslogs-stream-prefix" = var.name
      }
    }
  })

  # a machine that AWS took back is worth another try; Escriba decides about all else
  retry_strategy {
    attempts = var.interruption_attempts

    evaluate_on_exit {
      on_status_reason = "Host EC2*"
      action           = "RETRY"
    }

    evaluate_on_exit {
      on_reason = "*"
      action    = "EXIT"
    }
  }

  timeout {
    attempt_duration_seconds = var.lease_seconds
  }
}
