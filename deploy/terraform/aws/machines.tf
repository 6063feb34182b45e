resource "aws_launch_template" "machines" {
  name        = "${var.name}-machines"
  description = "IMDSv2 alone, and an encrypted disk."

  # two hops: the worker in its container sees the notice of an interruption
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 2
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = var.root_gb
      encrypted             = "true"
      delete_on_termination = "true"
    }
  }

  tag_specifications {
    resource_type = "volume"
    tags          = local.tags
  }
}

resource "aws_iam_service_linked_role" "spot" {
  count = var.create_spot_role ? 1 : 0

  aws_service_name = "spot.amazonaws.com"
}

resource "aws_batch_compute_environment" "spot" {
  for_each = toset(var.machine_types)

  compute_environment_name_prefix = "${var.name}-${replace(each.key, ".", "-")}-"
  type                            = "MANAGED"
  state                           = "ENABLED"

  compute_resources {
    type                = "SPOT"
    allocation_strategy = "SPOT_PRICE_CAPACITY_OPTIMIZED" # the API's default is BEST_FIT
    instance_type       = [each.key]
    min_vcpus           = 0 # nothing runs, and nothing is paid, without a job
    max_vcpus           = var.max_vcpus
    instance_role       = aws_iam_instance_profile.machine.arn
    security_group_ids  = [aws_security_group.machines.id]
    subnets             = local.subnet_ids
    tags                = merge(local.tags, { Name = "${var.name}-${each.key}" })

    ec2_configuration {
      image_type = "ECS_AL2023_NVIDIA"
    }

    launch_template {
      launch_template_id = aws_launch_template.machines.id
      version            = aws_launch_template.machines.latest_version
    }
  }

  # a queue needs its compute environment, so a new one comes before the old one goes
  lifecycle {
    create_before_destroy = true
  }

  depends_on = [aws_iam_role_policy.machine_start, aws_iam_service_linked_role.spot]
}

resource "aws_batch_job_queue" "machines" {
  for_each = toset(var.machine_types)

  name     = "${var.name}-${replace(each.key, ".", "-")}"
  state    = "ENABLED"
  priority = 1

  compute_environment_order {
    order               = 1
    compute_environment = aws_batch_compute_environment.spot[each.key].arn
  }

  job_state_time_limit_action {
    state            = "RUNNABLE"
    reason           = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"
    max_time_seconds = var.capacity_wait_seconds
    action           = "CANCEL"
  }
}
