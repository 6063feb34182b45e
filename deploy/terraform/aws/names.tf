data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  tags      = merge({ Project = "escriba", Stack = var.name }, var.tags)

  # the start of every ARN of a service in this region and account
  batch_arns = "arn:${local.partition}:batch:${var.region}:${local.account}"

  # bucket names are unique in the world, so the account and the region are part of the default
  bucket_name = var.bucket_name != "" ? var.bucket_name : "${var.name}-${local.account}-${var.region}"
  image       = var.image != "" ? var.image : "${aws_ecr_repository.worker.repository_url}:${var.image_tag}"
}
