# What starts a task: it pulls the image, writes logs and reads the named secrets.
resource "aws_iam_role" "execution" {
  name = "${var.name}-execution"

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "ecs-tasks.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role_policy" "secrets" {
  name = "secrets"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue", "ssm:GetParameters"]
      Resource = values(var.secret_arns)
    }]
  })
}

# What the launcher needs besides Escriba's own policy: it starts, finds and stops runs in this cluster.
resource "aws_iam_role_policy" "launcher" {
  name = "${var.name}-launcher"
  role = local.role_name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Runs"
        Effect    = "Allow"
        Action    = ["ecs:DescribeTasks", "ecs:RunTask", "ecs:StopTask"]
        Resource  = ["${local.ecs}:task-definition/*", "${local.ecs}:task/${var.name}/*"]
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.escriba.arn } }
      },
      {
        Sid       = "Tags"
        Effect    = "Allow"
        Action    = ["ecs:TagResource"]
        Resource  = ["${local.ecs}:task/${var.name}/*", "${local.ecs}:task-definition/*"]
        Condition = { StringEquals = { "ecs:CreateAction" = ["RegisterTaskDefinition", "RunTask"] } }
      },
      {
        Sid       = "WithoutResources" # AWS limits these to no resource
        Effect    = "Allow"
        Action    = ["ecs:DescribeTaskDefinition", "ecs:ListAccountSettings", "ecs:RegisterTaskDefinition", "ec2:DescribeNetworkInterfaces"]
        Resource  = ["*"]
        Condition = { StringEquals = { "aws:RequestedRegion" = var.region } }
      },
      {
        Sid       = "Roles"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = [var.task_role_arn, aws_iam_role.execution.arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
      {
        Sid      = "RunLogs"
        Effect   = "Allow"
        Action   = ["logs:GetLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.escriba.arn}:log-stream:*"]
      },
    ]
  })
}
