"""What the commands do; ``cli`` names their options."""
