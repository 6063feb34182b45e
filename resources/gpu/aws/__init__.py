"""AWS Batch on EC2 spot machines with one GPU each."""
