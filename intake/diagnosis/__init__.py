"""What is slow, dear, failing or stuck, why that may be, and what mends it."""
