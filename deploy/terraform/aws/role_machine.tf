# The machine's own role: its agent joins the cluster that Batch made, and pulls the one image.
# AWS's policy for it (AmazonEC2ContainerServiceforEC2Role) allows the same on every cluster.
resource "aws_iam_role" "machine" {
  name        = "${var.name}-machine"
  description = "Machines of Escriba: the agent of ECS."

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_instance_profile" "machine" {
  name = "${var.name}-machine"
  role = aws_iam_role.machine.name
}

resource "aws_iam_role_policy" "machine_start" {
  name = "start"
  role = aws_iam_role.machine.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "WithoutResources" # AWS limits these two to no resource
        Effect    = "Allow"
        Action    = ["ecr:GetAuthorizationToken", "ecs:DiscoverPollEndpoint"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:RequestedRegion" = var.region } }
      },
      {
        Sid      = "Image"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = aws_ecr_repository.worker.arn
      },
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.worker.arn}:log-stream:*"
      },
    ]
  })
}

locals {
  clusters = [for environment in values(aws_batch_compute_environment.spot) : environment.ecs_cluster_arn]
}

# the clusters exist only after their compute environments, so this is a policy of its own
resource "aws_iam_role_policy" "machine_cluster" {
  name = "cluster"
  role = aws_iam_role.machine.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Cluster"
        Effect = "Allow"
        Action = [
          "ecs:DeregisterContainerInstance",
          "ecs:RegisterContainerInstance",
          "ecs:SubmitAttachmentStateChanges",
          "ecs:SubmitContainerStateChange",
          "ecs:SubmitTaskStateChange",
        ]
        Resource = local.clusters
      },
      {
        Sid    = "ContainerInstances"
        Effect = "Allow"
        Action = [
          "ecs:Poll",
          "ecs:PutSystemLogEvents",
          "ecs:StartTelemetrySession",
          "ecs:TagResource",
          "ecs:UpdateContainerInstancesState",
        ]
        Resource = [for arn in local.clusters : "${replace(arn, ":cluster/", ":container-instance/")}/*"]
      },
    ]
  })
}
