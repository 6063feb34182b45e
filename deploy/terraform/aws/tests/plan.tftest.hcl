# What would be made, without an account: `terraform test`.
mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_subnets" {
    defaults = { ids = ["subnet-1", "subnet-2"] }
  }
}

variables {
  alert_emails  = ["owner@example.com"]
  machine_types = ["g6.xlarge", "g5.2xlarge"]
}

run "machines_queues_and_retries" {
  command = plan

  assert {
    condition = alltrue([
      for one in aws_batch_compute_environment.spot : one.compute_resources[0].type == "SPOT"
      && one.compute_resources[0].allocation_strategy == "SPOT_PRICE_CAPACITY_OPTIMIZED"
      && one.compute_resources[0].min_vcpus == 0
      && one.compute_resources[0].max_vcpus == 16
      && one.compute_resources[0].ec2_configuration[0].image_type == "ECS_AL2023_NVIDIA"
    ])
    error_message = "A compute environment is not spot, or keeps machines."
  }

  assert {
    condition     = join(" ", [for one in aws_batch_compute_environment.spot : join("+", one.compute_resources[0].instance_type)]) == "g5.2xlarge g6.xlarge"
    error_message = "A compute environment has several machine types, so a job's price is unknown."
  }

  assert {
    condition = (
      aws_launch_template.machines.metadata_options[0].http_tokens == "required"
      && aws_launch_template.machines.metadata_options[0].http_put_response_hop_limit == 2
      && aws_launch_template.machines.block_device_mappings[0].ebs[0].encrypted == "true"
      && aws_launch_template.machines.block_device_mappings[0].ebs[0].volume_type == "gp3"
      && aws_launch_template.machines.block_device_mappings[0].ebs[0].volume_size == 100
    )
    error_message = "A machine answers IMDSv1, or its disk is not encrypted, gp3 and of 100 GB."
  }

  assert {
    condition     = { for type, one in aws_batch_job_queue.machines : type => one.name } == { "g6.xlarge" = "escriba-g6-xlarge", "g5.2xlarge" = "escriba-g5-2xlarge" }
    error_message = "Each machine type needs a queue of its own."
  }

  assert {
    condition = alltrue([
      for one in aws_batch_job_queue.machines : one.job_state_time_limit_action[0].state == "RUNNABLE"
      && one.job_state_time_limit_action[0].action == "CANCEL"
      && one.job_state_time_limit_action[0].max_time_seconds >= 600
      && one.job_state_time_limit_action[0].reason == "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"
    ])
    error_message = "A job waits for ever where there is no capacity."
  }

  assert {
    condition = jsonencode([
      for rule in aws_batch_job_definition.worker.retry_strategy[0].evaluate_on_exit : [rule.on_status_reason, rule.on_reason, lower(rule.action)]
    ]) == jsonencode([["Host EC2*", null, "retry"], [null, "*", "exit"]])
    error_message = "AWS retries what Escriba must decide about."
  }

  assert {
    condition     = aws_batch_job_definition.worker.propagate_tags && aws_batch_job_definition.worker.timeout[0].attempt_duration_seconds == 14400
    error_message = "Tags are not passed on, or an attempt has no limit."
  }
}

run "originals_stay_and_nobody_is_mailed_where_wanted" {
  command = plan

  variables {
    originals_action   = "keep"
    monthly_budget_usd = 0
    alert_emails       = []
  }

  assert {
    condition     = toset(aws_s3_bucket_lifecycle_configuration.recordings.rule[*].id) == toset(["transcripts", "manifests", "leftovers"])
    error_message = "keep has no rule for originals."
  }

  assert {
    condition     = length(aws_budgets_budget.monthly) == 0
    error_message = "0 USD means no alarm."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    machine_types         = ["g5.12xlarge"]
    job_memory_mib        = 16000
    capacity_wait_seconds = 300
    worker_secret_arns    = { HUGGINGFACE_TOKEN = "hf_secret" }
    worker_environment    = { HUGGINGFACE_TOKEN = "hf_secret" }
    alert_emails          = []
  }

  expect_failures = [
    var.machine_types,
    var.job_memory_mib,
    var.capacity_wait_seconds,
    var.worker_secret_arns,
    var.worker_environment,
    var.alert_emails,
  ]
}
