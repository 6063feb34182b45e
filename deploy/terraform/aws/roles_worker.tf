locals {
  tasks_trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

# The worker reads and writes by presigned addresses alone, so its role allows nothing.
resource "aws_iam_role" "worker" {
  name               = "${var.name}-worker"
  description        = "Worker of Escriba: no permission; each job brings presigned addresses."
  assume_role_policy = local.tasks_trust
}

# ECS uses this role before the container starts: the worker never holds it.
resource "aws_iam_role" "start" {
  name               = "${var.name}-start"
  description        = "Start of a worker: its image, its log stream and its secrets."
  assume_role_policy = local.tasks_trust
}

resource "aws_iam_role_policy" "start" {
  name = "start"
  role = aws_iam_role.start.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid       = "WithoutResources" # AWS limits it to no resource
        Effect    = "Allow"
        Action    = ["ecr:GetAuthorizationToken"]
        Resource  = ["*"]
        Condition = { StringEquals = { "aws:RequestedRegion" = var.region } }
      },
      {
        Sid      = "Image"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = [aws_ecr_repository.worker.arn]
      },
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.worker.arn}:log-stream:*"]
      },
    ], local.worker_secrets)
  })
}

locals {
  worker_secrets = length(var.worker_secret_arns) == 0 ? [] : [{
    Sid      = "Secrets"
    Effect   = "Allow"
    Action   = ["secretsmanager:GetSecretValue", "ssm:GetParameters"]
    Resource = values(var.worker_secret_arns)
  }]
}
