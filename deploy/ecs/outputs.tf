output "load_balancer" {
  description = "Point the name in `host` at this one."
  value       = aws_lb.escriba.dns_name
}

output "cluster" {
  description = "Cluster of the service and of the runs."
  value       = aws_ecs_cluster.escriba.name
}
