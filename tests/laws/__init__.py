"""Laws: what holds for any input, tried with many."""
