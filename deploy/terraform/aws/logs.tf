resource "aws_cloudwatch_log_group" "worker" {
  name              = "/escriba/${var.name}/worker"
  retention_in_days = var.log_days
}
