"""What things cost, as ratios: each figure is one thing measured against another in the same run (`make bench`)."""
