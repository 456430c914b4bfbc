"""What is learnt from."""
