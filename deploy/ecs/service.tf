resource "aws_ecs_cluster" "escriba" {
  name = var.name
}

# Never two daemons: the old task ends before the new one starts. The one that fails is taken back.
resource "aws_ecs_service" "escriba" {
  name                               = var.name
  cluster                            = aws_ecs_cluster.escriba.id
  task_definition                    = aws_ecs_task_definition.escriba.arn
  desired_count                      = 1
  launch_type                        = "FARGATE"
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  health_check_grace_period_seconds  = 600
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets         = var.private_subnet_ids
    security_groups = [aws_security_group.tasks.id]
  }

  dynamic "load_balancer" {
    for_each = local.pages
    content {
      target_group_arn = aws_lb_target_group.page[load_balancer.key].arn
      container_name   = load_balancer.key
      container_port   = load_balancer.value.port
    }
  }

  depends_on = [aws_lb_listener.page]
}
