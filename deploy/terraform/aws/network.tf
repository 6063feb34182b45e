data "aws_vpc" "machines" {
  id      = var.vpc_id != "" ? var.vpc_id : null
  default = var.vpc_id == "" ? true : null
}

data "aws_subnets" "machines" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.machines.id]
  }
}

locals {
  subnet_ids = length(var.subnet_ids) > 0 ? var.subnet_ids : data.aws_subnets.machines.ids
}

# nothing reaches a machine; a machine reaches what speaks TLS
resource "aws_security_group" "machines" {
  name        = "${var.name}-machines"
  description = "Machines of Escriba: no way in, TLS out."
  vpc_id      = data.aws_vpc.machines.id
}

resource "aws_vpc_security_group_egress_rule" "tls" {
  security_group_id = aws_security_group.machines.id
  description       = "S3, ECR, ECS and CloudWatch Logs"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_endpoint" "s3" {
  count = length(var.s3_route_table_ids) > 0 ? 1 : 0

  vpc_id            = data.aws_vpc.machines.id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.s3_route_table_ids
}
