# What Escriba itself needs. The policy also fits a user: addresses that a user's own key signs live
# for seven days, those of a role only as long as its credentials.
resource "aws_iam_policy" "orchestrator" {
  name        = "${var.name}-orchestrator"
  description = "Escriba: its bucket, its queues, and the prices of spot machines."

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid      = "Submit"
        Effect   = "Allow"
        Action   = ["batch:SubmitJob", "batch:TagResource"]
        Resource = concat(local.job_definition_arns, local.queue_arns, ["${local.batch_arns}:job/*"])
      },
      {
        Sid      = "Stop"
        Effect   = "Allow"
        Action   = ["batch:CancelJob", "batch:TerminateJob"]
        Resource = ["${local.batch_arns}:job/*"]
      },
      {
        Sid      = "Queues"
        Effect   = "Allow"
        Action   = ["batch:GetJobQueueSnapshot"]
        Resource = local.queue_arns
      },
      {
        Sid    = "WithoutResources" # AWS limits these to no resource; they read
        Effect = "Allow"
        Action = [
          "batch:DescribeComputeEnvironments",
          "batch:DescribeJobDefinitions",
          "batch:DescribeJobQueues",
          "batch:DescribeJobs",
          "batch:ListJobs",
          "ec2:DescribeInstanceTypeOfferings",
          "ec2:DescribeLaunchTemplateVersions",
          "ec2:DescribeSpotPriceHistory",
        ]
        Resource  = ["*"]
        Condition = { StringEquals = { "aws:RequestedRegion" = var.region } }
      },
      {
        Sid      = "List"
        Effect   = "Allow"
        Action   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
        Resource = [aws_s3_bucket.recordings.arn]
      },
      {
        Sid      = "Objects"
        Effect   = "Allow"
        Action   = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = ["${aws_s3_bucket.recordings.arn}/*"]
      },
    ], local.orchestrator_key, local.orchestrator_secrets)
  })
}

locals {
  queue_arns          = [for queue in values(aws_batch_job_queue.machines) : queue.arn]
  job_definition_arns = [aws_batch_job_definition.worker.arn_prefix, "${aws_batch_job_definition.worker.arn_prefix}:*"]

  orchestrator_key = var.kms_key_arn == "" ? [] : [{
    Sid      = "Key"
    Effect   = "Allow"
    Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource = [var.kms_key_arn]
  }]
  orchestrator_secrets = length(var.orchestrator_secret_arns) == 0 ? [] : [{
    Sid      = "Secrets"
    Effect   = "Allow"
    Action   = ["secretsmanager:GetSecretValue", "ssm:GetParameters"]
    Resource = var.orchestrator_secret_arns
  }]
  orchestrator_trust = concat(
    length(var.orchestrator_services) == 0 ? [] : [{ Service = var.orchestrator_services }],
    length(var.orchestrator_principal_arns) == 0 ? [] : [{ AWS = var.orchestrator_principal_arns }],
  )
}

resource "aws_iam_role" "orchestrator" {
  count = length(local.orchestrator_trust) > 0 ? 1 : 0

  name        = "${var.name}-orchestrator"
  description = "Escriba where it runs on AWS."

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for principal in local.orchestrator_trust : { Effect = "Allow", Principal = principal, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "orchestrator" {
  count = length(aws_iam_role.orchestrator)

  role       = aws_iam_role.orchestrator[0].name
  policy_arn = aws_iam_policy.orchestrator.arn
}

resource "aws_iam_instance_profile" "orchestrator" {
  count = contains(var.orchestrator_services, "ec2.amazonaws.com") ? 1 : 0

  name = "${var.name}-orchestrator"
  role = aws_iam_role.orchestrator[0].name
}
