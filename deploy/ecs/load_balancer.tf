# TLS ends here; behind it the guard asks for UI_PASSWORD. It answers 401 to the health check.
locals {
  pages = {
    ui    = { port = 3000, listener = 443, health = "/server_info" }
    files = { port = 3001, listener = 8443, health = "/" }
  }
}

resource "aws_lb" "escriba" {
  name                       = var.name
  load_balancer_type         = "application"
  security_groups            = [aws_security_group.load_balancer.id]
  subnets                    = var.public_subnet_ids
  drop_invalid_header_fields = true
  idle_timeout               = 3600 # websockets of Dagster's pages
}

resource "aws_lb_target_group" "page" {
  for_each = local.pages

  name        = "${var.name}-${each.key}"
  port        = each.value.port
  protocol    = "HTTP"
  target_type = "ip"
  vpc_id      = var.vpc_id

  health_check {
    path    = each.value.health
    matcher = "200,401"
  }
}

resource "aws_lb_listener" "page" {
  for_each = local.pages

  load_balancer_arn = aws_lb.escriba.arn
  port              = each.value.listener
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.page[each.key].arn
  }
}
