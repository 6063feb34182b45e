# One task holds the four parts, which speak through a socket on a shared volume; runs are other tasks.
locals {
  socket = "/run/escriba/code.sock"
  probe  = ["CMD", "python", "-m", "cli.processes.health_probe"]
  parts = {
    code   = { command = "code --socket ${local.socket}", ports = [], health = ["code", "--socket", local.socket] }
    daemon = { command = "daemon --socket ${local.socket}", ports = [], health = ["daemon"] }
    ui     = { command = "ui --host 0.0.0.0 --socket ${local.socket}", ports = [3000], health = ["page"] }
    files  = { command = "files --host 0.0.0.0", ports = [3001], health = ["page", "--url", "http://127.0.0.1:3001/"] }
  }
}

resource "aws_ecs_task_definition" "escriba" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.service_cpu
  memory                   = var.service_memory
  task_role_arn            = var.task_role_arn
  execution_role_arn       = aws_iam_role.execution.arn

  dynamic "volume" {
    for_each = toset(["data", "socket", "tmp"])
    content {
      name = volume.value
    }
  }

  container_definitions = jsonencode([
    for part, its in local.parts : {
      name                   = part
      image                  = var.image
      essential              = true
      user                   = "10001"
      readonlyRootFilesystem = true
      stopTimeout            = 60
      command = [
        "sh", "-c",
        "mkdir -p \"$DAGSTER_HOME\" && printf '%s' \"$DAGSTER_YAML\" > \"$DAGSTER_HOME/dagster.yaml\" && exec escriba serve ${its.command}",
      ]
      environment = concat(
        [for name, value in local.settings : { name = name, value = value }],
        [
          { name = "DAGSTER_CURRENT_IMAGE", value = var.image },
          { name = "DAGSTER_HOME", value = "/tmp/dagster-${part}" },
          { name = "DAGSTER_YAML", value = local.dagster_yaml },
          { name = "S3_BUCKET", value = var.bucket },
        ],
      )
      secrets      = [for name, arn in var.secret_arns : { name = name, valueFrom = arn }]
      portMappings = [for port in its.ports : { containerPort = port, protocol = "tcp" }]
      mountPoints = [
        { sourceVolume = "data", containerPath = "/data" },
        { sourceVolume = "socket", containerPath = "/run/escriba" },
        { sourceVolume = "tmp", containerPath = "/tmp" },
      ]
      dependsOn = contains(["daemon", "ui"], part) ? [{ containerName = "code", condition = "HEALTHY" }] : []
      healthCheck = {
        command     = concat(local.probe, its.health)
        interval    = 30
        timeout     = 10
        retries     = 3
        startPeriod = 300
      }
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.escriba.name
          awslogs-region        = var.region
          awslogs-stream-prefix = part
        }
      }
    }
  ])
}

resource "aws_cloudwatch_log_group" "escriba" {
  name              = "/${var.name}/orchestrator"
  retention_in_days = var.log_days
}
