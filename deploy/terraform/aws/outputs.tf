output "settings" {
  description = "Lines for .env."
  value = {
    AWS_REGION               = var.region
    STORAGE_URL              = "s3://${aws_s3_bucket.recordings.bucket}"
    AWS_BATCH_QUEUES         = join(",", [for type in var.machine_types : "${type}=${aws_batch_job_queue.machines[type].name}"])
    AWS_BATCH_JOB_DEFINITION = aws_batch_job_definition.worker.name
  }
}

output "image" {
  description = "Image that the machines run; push it before the first job."
  value       = local.image
}

output "repository_url" {
  description = "Repository to push the worker's image to."
  value       = aws_ecr_repository.worker.repository_url
}

output "log_group" {
  description = "Logs of the workers in CloudWatch."
  value       = aws_cloudwatch_log_group.worker.name
}

output "orchestrator_policy_arn" {
  description = "Policy for the user or role with which Escriba runs outside of AWS."
  value       = aws_iam_policy.orchestrator.arn
}

output "orchestrator_role_arn" {
  description = "Role for Escriba on a machine or in a container of AWS. Empty: none was wanted."
  value       = join("", aws_iam_role.orchestrator[*].arn)
}

output "worker_role_arn" {
  description = "Role of the worker; it allows nothing."
  value       = aws_iam_role.worker.arn
}
