"""What past work teaches: feedback aggregated upward. Pure functions over values."""
