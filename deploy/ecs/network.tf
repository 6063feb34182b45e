resource "aws_security_group" "load_balancer" {
  name        = "${var.name}-load-balancer"
  description = "Browsers of the allowed networks in, the pages out."
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "browsers" {
  for_each = { for pair in setproduct(var.allowed_cidrs, [443, 8443]) : "${pair[0]}-${pair[1]}" => pair }

  security_group_id = aws_security_group.load_balancer.id
  ip_protocol       = "tcp"
  from_port         = each.value[1]
  to_port           = each.value[1]
  cidr_ipv4         = each.value[0]
}

resource "aws_vpc_security_group_egress_rule" "pages" {
  security_group_id            = aws_security_group.load_balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 3000
  to_port                      = 3001
  referenced_security_group_id = aws_security_group.tasks.id
}

resource "aws_security_group" "tasks" {
  name        = "${var.name}-tasks"
  description = "Escriba and its runs: the load balancer in; TLS and PostgreSQL out."
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "pages" {
  security_group_id            = aws_security_group.tasks.id
  ip_protocol                  = "tcp"
  from_port                    = 3000
  to_port                      = 3001
  referenced_security_group_id = aws_security_group.load_balancer.id
}

resource "aws_vpc_security_group_egress_rule" "out" {
  for_each = toset(["443", "5432"])

  security_group_id = aws_security_group.tasks.id
  ip_protocol       = "tcp"
  from_port         = tonumber(each.value)
  to_port           = tonumber(each.value)
  cidr_ipv4         = "0.0.0.0/0"
}
