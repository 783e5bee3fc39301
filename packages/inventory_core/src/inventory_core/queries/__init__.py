"""What can be asked: one module per question, one reader each; answers are frozen rows."""
