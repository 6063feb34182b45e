data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  ecs       = "arn:${local.partition}:ecs:${var.region}:${local.account}"
  role_name = element(split("/", var.task_role_arn), length(split("/", var.task_role_arn)) - 1)

  settings = merge({
    STORAGE_URL     = "s3://${var.bucket}"
    AWS_REGION      = var.region
    PRIMARY_BACKEND = "aws_gpu"
    UI_HOSTS        = var.host
    FILES_URL       = "https://${var.host}:8443"
  }, var.settings)

  # dagster.yaml is no part of the image: the task writes it before Dagster starts
  dagster_yaml = templatefile("${path.module}/dagster.yaml", {
    run_cpu    = var.run_cpu
    run_memory = var.run_memory
  })
}
