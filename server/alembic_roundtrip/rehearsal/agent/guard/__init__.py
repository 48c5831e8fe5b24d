"""No database but the scratch one is reached: every layer, and what stands for what."""
